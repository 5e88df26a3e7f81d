from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from members.models.users import User


class StaffMember(models.Model):
    """A user who works in the back-office, with one role. `members.policy` says what it allows."""

    class Role(models.TextChoices):
        ADMINISTRATOR = "administrator", _("Administrator")
        MARKETING_MANAGER = "marketing_manager", _("Marketing manager")
        SUPPORT_AGENT = "support_agent", _("Support agent")
        ANALYST = "analyst", _("Analyst")
        AUDITOR = "auditor", _("Auditor")

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="staff_member")
    role = models.CharField(_("role"), max_length=32, choices=Role.choices)
    phone = models.CharField(
        _("phone"), max_length=20, blank=True, default="", db_default="",
        help_text=_("As +60123456789. Companies whose account they manage see it."),
    )  # fmt: skip
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="staff_phone_e164",
                condition=models.Q(phone="") | models.Q(phone__regex=r"^\+[1-9][0-9]{5,17}$"),
            ),
            models.CheckConstraint(
                name="staff_role_known",
                condition=models.Q(
                    role__in=[
                        "administrator",
                        "marketing_manager",
                        "support_agent",
                        "analyst",
                        "auditor",
                    ]
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.get_role_display()})"
