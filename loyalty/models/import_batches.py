"""What imports of orders and of members brought in, so that one can be undone as a whole."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from loyalty.models.orders import Order
from members.models import Job


def _keys() -> ArrayField[Any, Any]:
    return ArrayField(models.BigIntegerField(), default=list, db_default=[])


class ImportBatch(models.Model):
    """What one piece of an import did: the keys of the rows, because there are many of them. They
    are looked at when the import is undone, and name what was there then: a customer may have been
    merged since, an order told anew."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="import_batches")
    orders = _keys()
    judged = _keys()
    # Of each order, then of each judged one: the beginning of its content's digest.
    marks = _keys()
    changed = _keys()
    returns = _keys()
    customers = _keys()
    # Of balances: the movements that opened them, gift cards, and times in pools.
    transfers = _keys()
    gift_cards = _keys()
    pool_members = _keys()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="import_batch_marks",
                condition=Q(marks__len=F("orders__len") + F("judged__len")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.job_id}: {len(self.orders)}"


class EnrollmentBatch(models.Model):
    """Whom one piece of an enrollment from a file made members, or members again: the keys."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="enrollment_batches")
    # What they did since then is their own.
    at = models.DateTimeField()
    members = _keys()
    # Those who were not here before, and those who were, and got a detail that was missing.
    customers = _keys()
    completed = _keys()

    def __str__(self) -> str:
        return f"{self.job_id}: {len(self.members)}"


class CompanyBatch(models.Model):
    """What one piece of an import of companies did: the keys of companies that it founded, of
    places of buyers in companies, and of whom it made members or brought."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="company_batches")
    # What was done since then is nobody's but theirs who did it.
    at = models.DateTimeField()
    companies = _keys()
    changed = _keys()
    places = _keys()
    members = _keys()
    customers = _keys()

    def __str__(self) -> str:
        return f"{self.job_id}: {len(self.companies)}"


class UndoneOrder(models.Model):
    """An order that was canceled because its import was undone. Imported again it is that import's
    own, as a new one would be."""

    order = models.OneToOneField(Order, on_delete=models.CASCADE, related_name="undone")
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return str(self.order)
