from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from members.models.users import User


class StaffMember(models.Model):
    """A user who works in the back-office, with one role. `members.policy` says what it allows,
    `members.program_scope` what a role that is limited to programs sees."""

    class Role(models.TextChoices):
        ADMINISTRATOR = "administrator", _("Administrator")
        MARKETING_MANAGER = "marketing_manager", _("Marketing manager")
        SUPPORT_AGENT = "support_agent", _("Support agent")
        ANALYST = "analyst", _("Analyst")
        AUDITOR = "auditor", _("Auditor")
        PARTNER = "partner", _("Partner")

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="staff_member")
    role = models.CharField(_("role"), max_length=32, choices=Role.choices)
    phone = models.CharField(
        _("phone"), max_length=20, blank=True, default="", db_default="",
        help_text=_("As +60123456789. Companies whose account they manage see it."),
    )  # fmt: skip
    # Keys of programs, which this application does not know; none: all. They come with the row that
    # says the role, so that asking costs no query. A program that is gone stays in it: nobody sees
    # more because one went.
    programs = ArrayField(models.BigIntegerField(), default=list, db_default=[], blank=True)
    # Of whoever works for a partner: its key, which this application does not know either.
    partner = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="staff_administrators_see_all",
                condition=~models.Q(role="administrator") | models.Q(programs=[]),
            ),
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
                        "partner",
                    ]
                ),
            ),
            models.CheckConstraint(
                name="staff_of_partner",
                condition=models.Q(role="partner", partner__isnull=False) & ~models.Q(programs=[])
                | ~models.Q(role="partner") & models.Q(partner=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.get_role_display()})"
