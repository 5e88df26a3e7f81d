"""What somebody of the team still has to do for a customer."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from members.models.customers import Customer


class CustomerTask(models.Model):
    """Something promised: call back, look at a parcel. Never shown to the customer."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="tasks")
    text = models.CharField(_("what"), max_length=300)
    due_on = models.DateField(_("due"))
    # NULL: nobody has it; whoever wants takes it.
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="tasks",
        db_index=False,
    )  # fmt: skip
    # Who had it until they left the team, or their role; whoever takes it reads it.
    released_from = models.CharField(max_length=200, blank=True, default="", db_default="")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+",
        db_index=False,
    )  # fmt: skip
    created_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+",
        db_index=False,
    )  # fmt: skip

    class Meta:
        ordering = ["due_on", "id"]
        constraints = [
            models.CheckConstraint(name="customer_task_says_what", condition=~models.Q(text="")),
            models.CheckConstraint(
                name="customer_task_done_by_somebody",
                condition=models.Q(done_at__isnull=False) | models.Q(done_by=None),
            ),
            models.CheckConstraint(
                name="customer_task_released_or_assigned",
                condition=models.Q(released_from="") | models.Q(assignee=None),
            ),
        ]
        indexes = [
            models.Index(
                fields=["assignee", "due_on", "id"],
                name="customer_task_to_do",
                condition=models.Q(done_at=None),
            ),
        ]

    def __str__(self) -> str:
        return self.text
