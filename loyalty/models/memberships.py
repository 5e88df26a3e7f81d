from __future__ import annotations

import uuid

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from loyalty.models.checkpoint_triggers import of_memberships
from loyalty.models.ledger import Account
from loyalty.models.programs import Program
from loyalty.models.tally_triggers import MEMBERS
from members.models import Customer
from members.models.telling import tells

_DAY_OF_YEAR = (
    "EXTRACT(MONTH FROM %(expressions)s AT TIME ZONE 'UTC') * 100"
    " + EXTRACT(DAY FROM %(expressions)s AT TIME ZONE 'UTC')"
)


class Membership(models.Model):
    """A customer's place in one program. Its account holds one wallet per wallet type.

    That of a duplicate who was merged away points to the one that took over what it held, and its
    card is answered with that one.
    """

    class Status(models.TextChoices):
        ACTIVE = "active", _("Active")
        SUSPENDED = "suspended", _("Suspended")
        LEFT = "left", pgettext_lazy("state of a membership", "Left")
        MERGED = "merged", _("Merged")

    class Source(models.TextChoices):
        IMPORT = "import", _("Import")
        ORDER = "order", _("First order")
        ACCOUNT = "account", _("Shop account")
        CHECKOUT = "checkout", _("Checkout")
        TILL = "till", _("Till")
        LINK = "link", _("Link or QR code")
        SOCIAL = "social", _("Sign-in elsewhere")
        INVITATION = "invitation", _("Invitation")
        API = "api", _("API")
        STAFF = "staff", _("Staff")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="memberships")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="memberships")
    account = models.OneToOneField(Account, on_delete=models.PROTECT, related_name="membership")
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.ACTIVE)
    # How they joined, and what is known beyond that: the campaign of a link, the store of a till.
    # It never changes, also when who had left takes part again.
    source = models.CharField(max_length=16, choices=Source.choices)
    source_detail = models.CharField(max_length=64, blank=True, default="", db_default="")
    # Of who joined by their own decision: what was bought or done before earns nothing, whenever
    # it is told. NULL: what came before counts as well.
    earns_from = models.DateTimeField(null=True)
    # One step leads to the membership that counts, however many merges there were.
    merged_into = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="duplicates", db_index=False
    )
    card_number = models.CharField(_("card number"), max_length=32, unique=True)
    enrolled_at = models.DateTimeField(_("member since"))
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer", "program"], name="membership_once"),
            models.CheckConstraint(
                name="membership_status_known",
                condition=models.Q(status__in=["active", "suspended", "left", "merged"]),
            ),
            models.CheckConstraint(
                name="membership_source_known",
                condition=models.Q(
                    source__in=[
                        "import",
                        "order",
                        "account",
                        "checkout",
                        "till",
                        "link",
                        "social",
                        "invitation",
                        "api",
                        "staff",
                    ]
                ),
            ),
            models.CheckConstraint(
                name="membership_merged_into_one",
                condition=models.Q(status="merged", merged_into__isnull=False)
                | (~models.Q(status="merged") & models.Q(merged_into=None)),
            ),
        ]
        indexes = [
            models.Index(fields=["program", "enrolled_at"], name="membership_enrolled"),
            # Month × 100 + day, by the clock of Greenwich.
            models.Index(
                "program",
                models.Func("enrolled_at", template=_DAY_OF_YEAR),
                "id",
                name="membership_day_of_joining",
            ),
            models.Index(
                fields=["merged_into"],
                name="membership_merged",
                condition=~models.Q(merged_into=None),
            ),
        ]
        triggers = [
            *of_memberships(),
            *tells("told.memberships", "status"),
            *MEMBERS.triggers(),
            pgtrigger.Trigger(
                name="membership_source_fixed",
                operation=pgtrigger.UpdateOf("source", "source_detail"),  # type: ignore[no-untyped-call]
                when=pgtrigger.Before,
                condition=pgtrigger.Q(old__source__df=pgtrigger.F("new__source"))
                | pgtrigger.Q(old__source_detail__df=pgtrigger.F("new__source_detail")),
                func="RAISE EXCEPTION 'how a member joined does not change'"
                " USING ERRCODE = 'SL010';",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer} · {self.program}"
