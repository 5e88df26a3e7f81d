"""Referrals: the links of who brings friends, who came by which, and what was given for it."""

from __future__ import annotations

import uuid

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from campaigns.models.affiliates import Affiliate
from campaigns.models.referral_programs import ReferralProgram, ReferralTerms
from loyalty.models import Membership, Order, Program, Transfer, WalletType
from members.models import Customer
from members.models.telling import tells, tells_reached
from rewards.models import Redemption

# The outbox event that tells which referrals have gone on, for what the application itself follows.
MOVED = "referrals.moved"
# That they came, that the friend bought, that it was paid, that it was taken back.
_TOLD = "n.status IN ('joined', 'pending', 'paid', 'taken_back')"


class ReferralLink(models.Model):
    """The code by which a member, or an affiliate, brings others."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    referral_program = models.ForeignKey(
        ReferralProgram, on_delete=models.PROTECT, related_name="links"
    )
    membership = models.OneToOneField(
        Membership, null=True, on_delete=models.PROTECT, related_name="referral_link"
    )
    affiliate = models.OneToOneField(
        Affiliate, null=True, on_delete=models.PROTECT, related_name="link"
    )
    code = models.CharField(max_length=16, unique=True)
    created_at = models.DateTimeField()
    # How often it was opened longer ago than single visits are kept.
    visits_before = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="referral_link_of_one",
                condition=Q(membership__isnull=False, affiliate=None)
                | Q(membership=None, affiliate__isnull=False),
            ),
        ]
        triggers = [pgtrigger.Protect(name="referral_link_stays", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.code


class ReferralVisit(models.Model):
    """That somebody opened a link, once for each of them and day."""

    link = models.ForeignKey(
        ReferralLink, on_delete=models.CASCADE, related_name="visits", db_index=False
    )
    day = models.DateField()
    visitor = models.BinaryField(max_length=16)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["link", "day", "visitor"], name="referral_visit_once"),
        ]

    def __str__(self) -> str:
        return f"{self.link_id} on {self.day}"


class ReferralAsk(models.Model):
    """Where somebody was who asked to join by a link, until the mail to them is confirmed. Only
    hashes; kept for as long as that mail's link works."""

    link = models.ForeignKey(ReferralLink, on_delete=models.CASCADE, related_name="asks")
    email = models.BinaryField(max_length=16)
    device = models.BinaryField(max_length=16)
    network = models.BinaryField(max_length=16)
    asked_at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [models.Index(fields=["email"], name="referral_ask_of")]

    def __str__(self) -> str:
        return f"{self.link_id} at {self.asked_at:%Y-%m-%d}"


class ReferralTrace(models.Model):
    """Something by which one person may be known as another one: a hash of it, nothing more."""

    class Kind(models.TextChoices):
        DEVICE = "device", _("Device")
        NETWORK = "network", _("Network")
        PAYMENT = "payment", _("Way of paying")
        ADDRESS = "address", _("Postal address")

    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    kind = models.CharField(max_length=8, choices=Kind.choices)
    digest = models.BinaryField(max_length=16)
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "kind", "digest"], name="referral_trace_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.customer_id}"


class Referral(models.Model):
    """That somebody came by a link, and what became of it. One person comes once."""

    class Status(models.TextChoices):
        INVITED = "invited", _("Waits to become a member")
        JOINED = "joined", _("Joined")
        PENDING = "pending", _("Bought, not paid yet")
        IN_REVIEW = "in_review", _("In review")
        PAID = "paid", _("Paid")
        REFUSED = "refused", _("Refused")
        LAPSED = "lapsed", _("Bought nothing in time")
        TAKEN_BACK = "taken_back", _("Taken back")

    class Via(models.TextChoices):
        LINK = "link", _("Link or QR code")
        TILL = "till", _("Till")
        API = "api", _("API")
        CHECKOUT = "checkout", _("Code at the checkout")
        STAFF = "staff", _("Staff")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    program = models.ForeignKey(
        Program, on_delete=models.PROTECT, related_name="referrals", db_index=False
    )
    terms = models.ForeignKey(
        ReferralTerms, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    link = models.ForeignKey(ReferralLink, on_delete=models.PROTECT, related_name="referrals")
    friend = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="referrals", db_index=False
    )
    via = models.CharField(max_length=8, choices=Via.choices)
    status = models.CharField(max_length=10, choices=Status.choices)
    # Why it is looked at by people: codes of `campaigns.referral_words`; and those that somebody
    # has looked at and let pass.
    reasons = ArrayField(models.CharField(max_length=24), default=list, blank=True)
    cleared = ArrayField(models.CharField(max_length=24), default=list, blank=True)
    # Why it brings nothing.
    refusal = models.CharField(max_length=24, blank=True, default="")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+",
        db_index=False,
    )  # fmt: skip
    decided_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=500, blank=True, default="")
    came_at = models.DateTimeField()
    joined_at = models.DateTimeField(null=True)
    order = models.ForeignKey(
        Order, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    bought_at = models.DateTimeField(null=True)
    # From then on it can be paid, and until then it is bought or lapses.
    due_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    # When the next of their further purchases can be paid; None: none waits.
    further_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-came_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["program", "friend"], name="referral_once"),
            models.UniqueConstraint(
                fields=["program", "order"], name="referral_of_order",
                condition=Q(order__isnull=False),
            ),
            models.CheckConstraint(
                name="referral_as_far_as",
                condition=Q(status="invited", order=None)
                | Q(status__in=["joined", "lapsed"], order=None, due_at__isnull=False)
                | Q(status__in=["pending", "paid", "taken_back"], order__isnull=False,
                    due_at__isnull=False)
                | Q(status="in_review") & ~Q(reasons=[])
                | Q(status="refused") & ~Q(refusal=""),
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["friend"], name="referral_of_friend"),
            models.Index(fields=["program", "-came_at", "-id"], name="referral_newest"),
            models.Index(
                fields=["due_at"], name="referral_due",
                condition=Q(status__in=["joined", "pending"]),
            ),
            models.Index(
                fields=["further_at"], name="referral_further_due",
                condition=Q(further_at__isnull=False),
            ),
            models.Index(
                fields=["came_at"], name="referral_in_review", condition=Q(status="in_review")
            ),
        ]  # fmt: skip
        triggers = [
            *tells("told.referrals", state="status"),
            *tells_reached(
                MOVED, name="tell_moved", named="referrals", there=_TOLD,
                not_before="o.status IS DISTINCT FROM n.status",
            ),
            pgtrigger.Protect(name="referral_stays", operation=pgtrigger.Delete),
            pgtrigger.FSM(
                name="referral_goes_on", field="status",
                transitions=[
                    *(("invited", to) for to in ("joined", "in_review", "refused")),
                    *(("joined", to) for to in ("pending", "in_review", "refused", "lapsed")),
                    *(("pending", to) for to in ("paid", "in_review", "refused")),
                    *(("in_review", to) for to in ("invited", "joined", "pending", "refused")),
                    *(("lapsed", to) for to in ("pending", "in_review", "refused")),
                    ("paid", "taken_back"),
                ],
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.friend_id} by {self.link_id}"


class ReferralPayment(models.Model):
    """What one side got for it, and for each further purchase: once, whatever happens at the same
    time."""

    class Side(models.TextChoices):
        ADVOCATE = "advocate", _("Who brought them")
        FRIEND = "friend", _("The friend")
        AFFILIATE = "affiliate", _("Affiliate")

    referral = models.ForeignKey(
        Referral, on_delete=models.PROTECT, related_name="payments", db_index=False
    )
    side = models.CharField(max_length=9, choices=Side.choices)
    # The further purchase that it is a share of; None: it is for the first.
    order = models.ForeignKey(Order, null=True, on_delete=models.PROTECT, related_name="+")
    # Why nothing was given for a further purchase when it was due: a code of
    # `campaigns.referral_words.REASONS`.
    missed = models.CharField(max_length=24, blank=True, default="")
    # What was promised to this side, as in `campaigns.referral_definitions`; of a percentage also
    # what a unit was worth, and of an affiliate the rates: what comes back is worked out by these.
    gift = models.JSONField(default=dict)
    wallet_type = models.ForeignKey(
        WalletType, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    units = models.BigIntegerField(default=0)
    transfer = models.OneToOneField(
        Transfer, null=True, on_delete=models.PROTECT, related_name="referral_payment"
    )
    redemption = models.OneToOneField(
        Redemption, null=True, on_delete=models.PROTECT, related_name="referral_payment"
    )
    # What it costs, in the program's currency; of an affiliate: what they get.
    money = models.DecimalField(max_digits=18, decimal_places=4)
    # Of the units and the money what went back.
    units_back = models.BigIntegerField(default=0)
    money_back = models.DecimalField(max_digits=18, decimal_places=4, default=0)
    paid_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["referral", "side"], name="referral_paid_once", condition=Q(order=None)
            ),
            models.UniqueConstraint(
                fields=["referral", "side", "order"], name="referral_share_once",
                condition=Q(order__isnull=False),
            ),
            models.CheckConstraint(
                name="referral_payment_of_one_kind",
                condition=Q(units__gt=0, wallet_type__isnull=False, transfer__isnull=False,
                            redemption=None, missed="")
                | Q(units=0, wallet_type=None, transfer=None, redemption__isnull=False, missed="",
                    order=None)
                | Q(units=0, wallet_type=None, transfer=None, redemption=None, side="affiliate",
                    missed="", order=None)
                | Q(units=0, wallet_type__isnull=False, transfer=None, redemption=None,
                    order__isnull=False) & ~Q(missed=""),
            ),
            models.CheckConstraint(
                name="referral_payment_back",
                condition=Q(units_back__gte=0, units_back__lte=F("units"), money__gte=0,
                            money_back__gte=0, money_back__lte=F("money")),
            ),
        ]  # fmt: skip
        triggers = [
            pgtrigger.Protect(name="referral_payment_stays", operation=pgtrigger.Delete),
            *tells("told.referral_payments", watched=("units_back",)),
        ]

    def __str__(self) -> str:
        return f"{self.side} of {self.referral_id}"
