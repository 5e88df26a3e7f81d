"""Brands that issue a program's units and take them in, at which rates, and what is settled."""

from __future__ import annotations

import uuid

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from loyalty.models.ledger import Account
from loyalty.models.orders import MoneyField
from loyalty.models.tally_triggers import SETTLED


class PerUnitField(models.DecimalField):  # type: ignore[type-arg]
    """Money for one unit: six decimals, as a point may be worth a tenth of a cent."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        kwargs["max_digits"] = 14
        kwargs["decimal_places"] = 6
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]


class Partner(models.Model):
    """A brand of a coalition. Its short name and name are those of its account, which is where
    units come from that were earned there, and where they go that are spent there. The account's
    key is the partner's, so that whoever posts needs no look-up."""

    account = models.OneToOneField(
        Account, primary_key=True, on_delete=models.CASCADE, related_name="partner"
    )
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # The first day that is settled.
    since = models.DateField(_("since"))
    ended_at = models.DateTimeField(null=True)
    summary = models.CharField(_("in a sentence"), max_length=300, blank=True, default="")
    website = models.URLField(_("web address"), max_length=300, blank=True, default="")

    class Meta:
        ordering = ["account__name", "pk"]

    def __str__(self) -> str:
        return self.account.name

    @property
    def code(self) -> str:
        return self.account.code

    @property
    def status(self) -> str:
        return "ended" if self.ended_at else "live"


class PartnerRate(models.Model):
    """From a day on: what the partner pays for a unit that is earned there, and what it is paid for
    a unit that is spent there. Of days that are settled it stays as it is."""

    partner = models.ForeignKey(
        Partner, on_delete=models.CASCADE, related_name="rates", db_index=False
    )
    wallet_type = models.ForeignKey(
        "loyalty.WalletType", on_delete=models.PROTECT, related_name="+"
    )
    from_on = models.DateField()
    issued = PerUnitField()
    taken_in = PerUnitField()

    class Meta:
        ordering = ["wallet_type", "-from_on"]
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "wallet_type", "from_on"], name="partner_rate_once"
            ),
            models.CheckConstraint(
                name="partner_rate_not_negative", condition=Q(issued__gte=0, taken_in__gte=0)
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="partner_rate_of_settled_days",
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                when=pgtrigger.Before,
                declare=[("settled", "date"), ("day", "date")],
                func="""
                    day := least(CASE WHEN TG_OP <> 'INSERT' THEN OLD.from_on END,
                                 CASE WHEN TG_OP <> 'DELETE' THEN NEW.from_on END);
                    SELECT max(until) INTO settled FROM loyalty_partnersettlement
                     WHERE partner_id = CASE WHEN TG_OP = 'DELETE' THEN OLD.partner_id
                                             ELSE NEW.partner_id END;
                    IF day <= settled THEN
                        RAISE EXCEPTION 'what was settled until % keeps its rates', settled
                            USING ERRCODE = 'SL010';
                    END IF;
                    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.partner}: {self.wallet_type} {self.from_on}"


class PartnerSettlement(models.Model):
    """Who owes whom for a month, as it was when it was closed; only that it was paid is added."""

    class Status(models.TextChoices):
        OPEN = "open", _("To be paid")
        PAID = "paid", _("Paid")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    partner = models.ForeignKey(
        Partner, on_delete=models.PROTECT, related_name="settlements", db_index=False
    )
    number = models.PositiveIntegerField()
    since = models.DateField()
    until = models.DateField()
    currency = models.CharField(max_length=3)
    # What the partner owes for units that were earned there, and is owed for those spent there.
    issued = MoneyField()
    taken_in = MoneyField()
    # Above zero: the partner owes it; below: it is owed to the partner.
    net = MoneyField()
    # What the two come to, by kind of units, rate and whether it corrects months before.
    lines = models.JSONField(default=list)
    movements = models.PositiveIntegerField()
    closed_at = models.DateTimeField()
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.OPEN)
    reference = models.CharField(max_length=120, blank=True, default="")
    paid_on = models.DateField(null=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["partner", "number"], name="partner_settlement_number"),
            models.UniqueConstraint(fields=["partner", "since"], name="partner_settlement_month"),
            models.CheckConstraint(
                name="partner_settlement_net", condition=Q(net=F("issued") - F("taken_in"))
            ),
            models.CheckConstraint(
                name="partner_settlement_status",
                condition=Q(status="open", paid_on=None, reference="")
                | (Q(status="paid", paid_on__isnull=False) & ~Q(reference="")),
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="partner_settlement_stays", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="partner_settlement_immutable",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                condition=pgtrigger.Condition(
                    "((OLD.partner_id, OLD.number, OLD.since, OLD.until, OLD.currency, OLD.issued,"
                    " OLD.taken_in, OLD.net, OLD.lines, OLD.movements, OLD.closed_at)"
                    " IS DISTINCT FROM (NEW.partner_id, NEW.number, NEW.since, NEW.until,"
                    " NEW.currency, NEW.issued, NEW.taken_in, NEW.net, NEW.lines, NEW.movements,"
                    " NEW.closed_at) OR OLD.status = 'paid')"
                ),
                func="RAISE EXCEPTION 'a settlement stays as it was closed'"
                " USING ERRCODE = 'SL010';",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.partner} #{self.number}"


class SettledTransfer(models.Model):
    """A movement at a partner, in the one settlement that holds it."""

    transfer = models.OneToOneField(
        "loyalty.Transfer", primary_key=True, on_delete=models.PROTECT, related_name="settled"
    )
    settlement = models.ForeignKey(
        PartnerSettlement, on_delete=models.PROTECT, related_name="transfers"
    )

    class Meta:
        triggers = [
            SETTLED.trigger_of_new("-"),
            pgtrigger.Protect(
                name="settled_transfer_immutable", operation=pgtrigger.Update | pgtrigger.Delete
            ),
        ]

    def __str__(self) -> str:
        return f"{self.transfer_id} in {self.settlement_id}"
