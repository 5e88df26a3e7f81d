"""Double entry: transfers move units between accounts; `loyalty.models.lots` has what they are of.

Only `loyalty.ledger.posting` writes these tables. The constraints and triggers here make sure
that a mistake, or a hand with SQL, cannot break the books.
"""

from __future__ import annotations

from typing import Any, ClassVar

import pgtrigger
from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from loyalty.instants import NEVER
from loyalty.models.checkpoint_triggers import of_transfers
from loyalty.models.tally_triggers import UNSETTLED
from members.models.telling import tells_new


class Account(models.Model):
    """One side of a transfer: a holder's account (member, pool, bearer of a gift card), a party's
    (partner, charity), or one of a program's own.

    What goes from one wallet to another passes through `transit`, which therefore always comes to
    nothing.
    """

    class Kind(models.TextChoices):
        MEMBERSHIP = "membership", _("Member")
        POOL = "pool", _("Pool")
        BEARER = "bearer", _("Gift card")
        PARTNER = "partner", _("Partner")
        CHARITY = "charity", _("Charity")
        ISSUED = "issued", _("Issued")
        REDEEMED = "redeemed", _("Redeemed")
        EXPIRED = "expired", _("Expired")
        ADJUSTED = "adjusted", _("Adjusted")
        WRITTEN_OFF = "written_off", _("Written off")
        TRANSIT = "transit", _("Between wallets")
        SOLD = "sold", _("Sold as stored value")
        REFUNDED = "refunded", _("Refunded as store credit")

    # Every program has one of each.
    PROGRAM_KINDS = (
        Kind.ISSUED, Kind.REDEEMED, Kind.EXPIRED, Kind.ADJUSTED, Kind.WRITTEN_OFF, Kind.TRANSIT
    )  # fmt: skip
    # Those with wallets.
    HOLDERS = (Kind.MEMBERSHIP, Kind.POOL, Kind.BEARER)
    # Where stored value comes from: a program that has such a wallet type has one of each.
    STORED_VALUE_KINDS = (Kind.SOLD, Kind.REFUNDED)

    kind = models.CharField(max_length=16, choices=Kind.choices)
    program = models.ForeignKey(
        "loyalty.Program", on_delete=models.PROTECT, related_name="accounts"
    )
    # Of a partner or a charity; the other kinds have neither.
    code = models.CharField(max_length=64, blank=True, default="", db_default="")
    name = models.CharField(max_length=120, blank=True, default="", db_default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["program", "kind", "code"],
                name="account_program_kind",
                condition=~Q(kind__in=["membership", "pool", "bearer"]),
            ),
            models.CheckConstraint(
                name="account_kind_known",
                condition=Q(
                    kind__in=[
                        "membership",
                        "pool",
                        "bearer",
                        "partner",
                        "charity",
                        "issued",
                        "redeemed",
                        "expired",
                        "adjusted",
                        "written_off",
                        "transit",
                        "sold",
                        "refunded",
                    ]
                ),
            ),
            models.CheckConstraint(
                name="account_party_named",
                condition=Q(kind__in=["partner", "charity"]) ^ Q(code=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} #{self.pk}"


class Wallet(models.Model):
    """What an account holds of one wallet type. Program accounts have none: it would be a hot row.

    `balance` (matured, not expired), `pending` and `owed` are exact until `next_change_at`, the
    next
    instant at which a lot matures or expires; past it `loyalty.ledger.balances` consults the lots.
    Spendable is max(balance − owed, 0), and nothing while a debt blocks.
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="wallets")
    wallet_type = models.ForeignKey(
        "loyalty.WalletType", on_delete=models.PROTECT, related_name="+"
    )
    balance = models.BigIntegerField(default=0, db_default=0)
    pending = models.BigIntegerField(default=0, db_default=0)
    owed = models.BigIntegerField(default=0, db_default=0)
    next_change_at = models.DateTimeField(default=NEVER, db_default=NEVER)
    # Until when an activity has renewed the units that expire by inactivity; NULL: there are none,
    # or their end is on the lots already.
    active_until = models.DateTimeField(null=True)
    # What is owed is not repaid by what comes in; while it is owed nothing can be spent.
    debt_blocks = models.BooleanField(default=False, db_default=False)
    # Its holder was merged into another: what it held is in theirs, and nothing stays here.
    merged_into = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="duplicates", db_index=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "wallet_type"], name="wallet_once"),
            models.CheckConstraint(
                name="wallet_not_negative",
                condition=Q(balance__gte=0, pending__gte=0, owed__gte=0),
            ),
        ]
        indexes = [
            models.Index(
                fields=["active_until"],
                name="wallet_active_until",
                condition=~Q(active_until=None),
            ),
            models.Index(
                fields=["merged_into"], name="wallet_merged", condition=~Q(merged_into=None)
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="wallet_stays", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"wallet #{self.pk}"


class Transfer(models.Model):
    """One immutable movement of `amount` units from one account to another."""

    class Kind(models.TextChoices):
        ACCRUAL = "accrual", _("Earned")
        CLAWBACK = "clawback", _("Taken back")
        REDEMPTION = "redemption", _("Redeemed")
        EXPIRY = "expiry", _("Expired")
        ADJUSTMENT = "adjustment", _("Adjusted")
        REVERSAL = "reversal", _("Undone")
        REINSTATEMENT = "reinstatement", _("Brought back")
        WRITE_OFF = "write_off", _("Debt written off")
        SETTLEMENT = "settlement", _("Debt settled")
        GIFT = "gift", _("Gift")
        DONATION = "donation", _("Donation")
        POOL = "pool", _("Pool")
        MERGE = "merge", _("Merged")
        DEPOSIT = "deposit", _("Paid in")

    class Source(models.TextChoices):
        API = "api", _("API")
        BACKOFFICE = "backoffice", _("Back-office")
        IMPORT = "import", _("Import")
        JOB = "job", _("Job")
        ACCOUNT = "account", _("Customer’s page")

    kind = models.CharField(max_length=16, choices=Kind.choices)
    wallet_type = models.ForeignKey(
        "loyalty.WalletType", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    from_account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    to_account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    # The member's side of the movement, so that a member's history is one index range.
    wallet = models.ForeignKey(
        Wallet, on_delete=models.PROTECT, related_name="transfers", db_index=False
    )
    amount = models.BigIntegerField()
    # What the movement did to `wallet.owed`: above zero where it left a debt, below where it
    # repaid one.
    debt_change = models.BigIntegerField(default=0, db_default=0)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    booked_on = models.DateField()
    key = models.CharField(max_length=200)
    request_hash = models.BinaryField(max_length=32)
    source = models.CharField(max_length=16, choices=Source.choices)
    order = models.ForeignKey(
        "loyalty.Order",
        null=True,
        on_delete=models.PROTECT,
        related_name="transfers",
        db_index=False,
    )
    refund = models.ForeignKey(
        "loyalty.Refund",
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    rule_version = models.ForeignKey(
        "loyalty.EarningRuleVersion", null=True, on_delete=models.PROTECT, related_name="+",
        db_index=False,
    )  # fmt: skip
    reverses = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.PROTECT,
        related_name="reversals",
        db_index=False,
    )
    corrects = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.PROTECT,
        related_name="corrections",
        db_index=False,
    )
    # The other leg, where units went from one wallet to another: the leg in names the leg out.
    pair = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.PROTECT,
        related_name="pairs",
        db_index=False,
    )
    explanation = models.JSONField(default=dict)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+",
        db_index=False,
    )  # fmt: skip
    reason = models.CharField(max_length=64, blank=True, default="")
    note = models.TextField(blank=True, default="")

    objects: ClassVar[models.Manager[Any]]

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key"], name="transfer_key"),
            models.CheckConstraint(name="transfer_amount_positive", condition=Q(amount__gt=0)),
            models.CheckConstraint(
                name="transfer_two_accounts", condition=~Q(from_account=F("to_account"))
            ),
            models.UniqueConstraint(
                fields=["reverses"],
                name="transfer_reversed_once",
                condition=~Q(reverses=None),
            ),
            models.CheckConstraint(
                name="transfer_reverses_or_corrects",
                condition=Q(reverses=None) | Q(corrects=None),
            ),
        ]
        indexes = [
            models.Index(fields=["wallet", "-occurred_at", "-id"], name="transfer_history"),
            models.Index(fields=["order"], name="transfer_order", condition=~Q(order=None)),
            models.Index(
                fields=["corrects"],
                name="transfer_corrects",
                condition=~Q(corrects=None),
            ),
            models.Index(fields=["pair"], name="transfer_pair", condition=~Q(pair=None)),
            models.Index(
                fields=["to_account"], name="transfer_donated", condition=Q(kind="donation")
            ),
            models.Index(fields=["wallet_type", "booked_on"], name="transfer_booked"),
            # What a person moved today, without reading what orders earned.
            models.Index(
                fields=["actor", "recorded_at"], name="transfer_by_hand", condition=~Q(actor=None)
            ),
            BrinIndex(fields=["recorded_at"], name="transfer_recorded"),
        ]
        triggers = [
            UNSETTLED.trigger_of_new(),
            pgtrigger.Protect(
                name="transfer_immutable", operation=pgtrigger.Update | pgtrigger.Delete
            ),
            pgtrigger.Trigger(
                name="transfer_not_over_corrected",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                condition=pgtrigger.Condition(
                    "(NEW.reverses_id IS NOT NULL OR NEW.corrects_id IS NOT NULL)"
                ),
                declare=[
                    ("target", "loyalty_transfer%ROWTYPE"),
                    ("corrected", "bigint"),
                ],
                func="""
                    SELECT * INTO target FROM loyalty_transfer
                     WHERE id = coalesce(NEW.reverses_id, NEW.corrects_id) FOR NO KEY UPDATE;
                    SELECT coalesce(sum(amount), 0) INTO corrected FROM loyalty_transfer
                     WHERE corrects_id = target.id OR reverses_id = target.id;
                    IF corrected + NEW.amount > target.amount
                       OR target.wallet_type_id <> NEW.wallet_type_id
                       OR NEW.reverses_id IS NOT NULL
                          AND (NEW.amount, NEW.wallet_id) <> (target.amount, target.wallet_id) THEN
                        RAISE EXCEPTION 'transfer % of % cannot be corrected by % after %',
                            target.id, target.amount, NEW.amount, corrected
                            USING ERRCODE = 'SL003';
                    END IF;
                    RETURN NEW;
                """,
            ),
            *of_transfers(),
            *tells_new("told.transfers", "kind"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.amount}"

    @property
    def signed_amount(self) -> int:
        """Amount as the member sees it: below zero where units left the wallet."""
        return self.amount if self.to_account_id == self.wallet.account_id else -self.amount
