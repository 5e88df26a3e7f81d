"""What is known of a person, put together as a file that is there to be fetched for some days."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from members.models.customers import Customer
from members.models.jobs import Job


class PersonalPackage(models.Model):
    """A file that was asked for. A job makes it; its content goes when it is over, when there is a
    newer one, and when the customer is merged or erased."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="packages")
    # Also what colleagues wrote: a colleague hands it out, who reads it before.
    for_staff = models.BooleanField()
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+",
        db_index=False,
    )  # fmt: skip
    job = models.ForeignKey(
        Job, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    asked_at = models.DateTimeField()
    made_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    size = models.BigIntegerField(default=0)
    fetches = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "for_staff"],
                name="personal_package_one_being_made",
                condition=Q(made_at=None),
            ),
            models.CheckConstraint(
                name="personal_package_made_and_expires",
                condition=Q(made_at=None, expires_at=None, size=0, fetches=0)
                | Q(made_at__isnull=False, expires_at__gte=F("made_at"), size__gt=0),
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class PersonalPackagePart(models.Model):
    """A piece of the file. It is kept here and in no folder, so that it goes in the transaction
    that erases whom it is about, and is there for every process."""

    package = models.ForeignKey(
        PersonalPackage, on_delete=models.CASCADE, related_name="parts", db_index=False
    )
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["package", "number"], name="package_part_once"),
        ]

    def __str__(self) -> str:
        return f"{self.package_id}: {self.number}"
