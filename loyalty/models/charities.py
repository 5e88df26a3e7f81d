"""Whom members and the program give to, and how what is given is counted there."""

from __future__ import annotations

import uuid

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from loyalty.models.ledger import Account
from loyalty.models.orders import MoneyField
from loyalty.models.tally_triggers import CHARITIES


class ThingsField(models.DecimalField):  # type: ignore[type-arg]
    """Trees and meals: four decimals, so that a hundred small gifts make a whole one."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        kwargs["max_digits"] = 18
        kwargs["decimal_places"] = 4
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]


class Charity(models.Model):
    """What people read of a charity. Its short name and name are those of its account, which is
    where the units that it was given are."""

    class Status(models.TextChoices):
        LIVE = "live", _("Live")
        ARCHIVED = "archived", _("Archived")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    account = models.OneToOneField(Account, on_delete=models.CASCADE, related_name="charity")
    status = models.CharField(
        _("status"), max_length=16, choices=Status.choices, default=Status.LIVE
    )
    position = models.PositiveIntegerField(default=0)
    summary = models.CharField(_("in a sentence"), max_length=300, blank=True, default="")
    # By language: {"el": {"name": …, "summary": …}}.
    texts = models.JSONField(_("in other languages"), default=dict, blank=True)
    website = models.URLField(_("web address"), max_length=300, blank=True, default="")
    icon = models.CharField(_("icon"), max_length=32, default="heart")
    # What its work is counted in, and what one of it costs.
    thing_singular = models.CharField(_("one is called"), max_length=40, blank=True, default="")
    thing_plural = models.CharField(_("several are called"), max_length=40, blank=True, default="")
    thing_price = MoneyField(_("money for one"), null=True, blank=True)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.CheckConstraint(
                name="charity_status_known", condition=Q(status__in=["live", "archived"])
            ),
            models.CheckConstraint(
                name="charity_thing_named",
                condition=Q(thing_singular="", thing_plural="", thing_price=None)
                | (~Q(thing_singular="") & ~Q(thing_plural="")),
            ),
            models.CheckConstraint(
                name="charity_thing_costs", condition=Q(thing_price=None) | Q(thing_price__gt=0)
            ),
        ]

    def __str__(self) -> str:
        return self.account.name

    @property
    def code(self) -> str:
        return self.account.code

    @property
    def live(self) -> bool:
        return self.status == self.Status.LIVE

    @property
    def told_name(self) -> str:
        """Its name in the reader's language."""
        return str(self._told("name") or self.account.name)

    @property
    def told_summary(self) -> str:
        return str(self._told("summary") or self.summary)

    def _told(self, what: str) -> str:
        language = get_language() or ""
        texts = self.texts.get(language) or self.texts.get(language.partition("-")[0]) or {}
        return str(texts.get(what, ""))


class CharityRate(models.Model):
    """What so many units of a kind are worth there: money, or things. Without one they are worth
    what a unit is worth to members."""

    charity = models.ForeignKey(Charity, on_delete=models.CASCADE, related_name="rates")
    wallet_type = models.ForeignKey(
        "loyalty.WalletType", on_delete=models.CASCADE, related_name="+"
    )
    # In the smallest units of the wallet type.
    units = models.BigIntegerField()
    money = MoneyField(null=True)
    things = ThingsField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["charity", "wallet_type"], name="charity_rate_once"),
            models.CheckConstraint(
                name="charity_rate_says_one",
                condition=Q(units__gt=0)
                & (Q(money__gt=0, things=None) | Q(money=None, things__gt=0)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.charity}: {self.wallet_type}"


class CharityPayout(models.Model):
    """What a charity was given in a period, to be paid to it at once. Its sums stay as they were
    when it was made."""

    class Status(models.TextChoices):
        OPEN = "open", _("To be paid")
        PAID = "paid", _("Paid out")
        TAKEN_BACK = "taken_back", _("Taken back")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    charity = models.ForeignKey(Charity, on_delete=models.PROTECT, related_name="payouts")
    number = models.PositiveIntegerField()
    since = models.DateField(null=True)
    until = models.DateField()
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.OPEN)
    money = MoneyField()
    things = ThingsField(default=0)
    entries_count = models.PositiveIntegerField()
    reference = models.CharField(max_length=120, blank=True, default="")
    paid_on = models.DateField(null=True)
    # Why it was taken back.
    note = models.CharField(max_length=300, blank=True, default="")
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["charity", "number"], name="charity_payout_number"),
            models.CheckConstraint(
                name="charity_payout_status",
                condition=Q(status="open", paid_on=None, note="")
                | (Q(status="paid", paid_on__isnull=False, note="") & ~Q(reference=""))
                | (Q(status="taken_back") & ~Q(note="")),
            ),
            models.CheckConstraint(
                name="charity_payout_pays", condition=Q(money__gte=0, entries_count__gt=0)
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="charity_payout_stays", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="charity_payout_sums_stay",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                condition=pgtrigger.Condition(
                    "((OLD.charity_id, OLD.number, OLD.since, OLD.until, OLD.money, OLD.things,"
                    " OLD.entries_count) IS DISTINCT FROM (NEW.charity_id, NEW.number, NEW.since,"
                    " NEW.until, NEW.money, NEW.things, NEW.entries_count)"
                    " OR OLD.status = 'taken_back'"
                    " OR OLD.status = 'paid' AND NEW.status = 'open')"
                ),
                func="RAISE EXCEPTION 'a payout stays as it was made' USING ERRCODE = 'SL010';",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.charity} #{self.number}"


class CharityEntry(models.Model):
    """One line of what a charity is given, by whom and why; below zero where it was taken back.
    Units are those of the ledger, money is what they come to there, or was given as such."""

    class Kind(models.TextChoices):
        DONATION = "donation", _("Donation")
        STANDING = "standing", _("Standing gift")
        ROUND_UP = "round_up", _("Rounded up")
        PLEDGE = "pledge", _("Pledge")

    # What is given in units, and so is in the ledger too.
    IN_UNITS = (Kind.DONATION, Kind.STANDING)

    charity = models.ForeignKey(
        Charity, on_delete=models.PROTECT, related_name="entries", db_index=False
    )
    kind = models.CharField(max_length=16, choices=Kind.choices)
    # Who gave it, or what was pledged for.
    membership = models.ForeignKey(
        "loyalty.Membership", null=True, on_delete=models.PROTECT, related_name="charity_entries"
    )
    wallet_type = models.ForeignKey(
        "loyalty.WalletType", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    units = models.BigIntegerField(default=0)
    money = MoneyField(default=0)
    things = ThingsField(default=0)
    transfer = models.OneToOneField(
        "loyalty.Transfer", null=True, on_delete=models.PROTECT, related_name="charity_entry"
    )
    order = models.ForeignKey(
        "loyalty.Order", null=True, on_delete=models.PROTECT, related_name="charity_entries",
        db_index=False,
    )  # fmt: skip
    pledge_event = models.ForeignKey(
        "loyalty.PledgeEvent", null=True, on_delete=models.PROTECT, related_name="entries"
    )
    standing_gift = models.ForeignKey(
        "loyalty.StandingGift", null=True, on_delete=models.PROTECT, related_name="entries"
    )
    reverses = models.OneToOneField(
        "self", null=True, on_delete=models.PROTECT, related_name="reversed_by"
    )
    key = models.CharField(max_length=100, unique=True)
    occurred_at = models.DateTimeField()
    # The day of the program.
    booked_on = models.DateField()
    recorded_at = models.DateTimeField()
    payout = models.ForeignKey(
        CharityPayout, null=True, on_delete=models.PROTECT, related_name="entries"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="charity_entry_of_its_kind",
                condition=(
                    Q(kind__in=["donation", "standing"], order=None, pledge_event=None)
                    & Q(transfer__isnull=False, wallet_type__isnull=False)
                    & Q(membership__isnull=False)
                    & ~Q(units=0)
                )
                | Q(kind="round_up", units=0, transfer=None, order__isnull=False, pledge_event=None)
                | Q(kind="pledge", units=0, transfer=None, order=None, pledge_event__isnull=False),
            ),
            models.CheckConstraint(
                name="charity_entry_standing",
                condition=Q(kind="standing", standing_gift__isnull=False)
                | (~Q(kind="standing") & Q(standing_gift=None)),
            ),
            models.CheckConstraint(
                name="charity_entry_sign",
                condition=Q(reverses=None, units__gte=0, money__gte=0, things__gte=0)
                | Q(reverses__isnull=False, units__lte=0, money__lte=0, things__lte=0),
            ),
        ]
        indexes = [
            models.Index(fields=["charity", "booked_on", "id"], name="charity_entry_newest"),
            models.Index(fields=["charity"], name="charity_entry_unpaid",
                         condition=Q(payout=None)),
            models.Index(fields=["order"], name="charity_entry_order",
                         condition=~Q(order=None)),
        ]  # fmt: skip
        triggers = [
            *CHARITIES.triggers(),
            pgtrigger.Protect(name="charity_entry_stays", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="charity_entry_immutable",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                condition=pgtrigger.Condition(
                    "((OLD.charity_id, OLD.kind, OLD.membership_id, OLD.wallet_type_id, OLD.units,"
                    " OLD.money, OLD.things, OLD.transfer_id, OLD.order_id, OLD.pledge_event_id,"
                    " OLD.reverses_id, OLD.key, OLD.booked_on) IS DISTINCT FROM"
                    " (NEW.charity_id, NEW.kind, NEW.membership_id, NEW.wallet_type_id, NEW.units,"
                    " NEW.money, NEW.things, NEW.transfer_id, NEW.order_id, NEW.pledge_event_id,"
                    " NEW.reverses_id, NEW.key, NEW.booked_on))"
                ),
                func="RAISE EXCEPTION 'what was given stays written' USING ERRCODE = 'SL010';",
            ),
            # Into one payout that is being made, and out of one that was taken back.
            pgtrigger.Trigger(
                name="charity_entry_paid_once",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                condition=pgtrigger.Condition("(OLD.payout_id IS DISTINCT FROM NEW.payout_id)"),
                declare=[("before", "text"), ("target", "loyalty_charitypayout%ROWTYPE")],
                func="""
                    IF OLD.payout_id IS NOT NULL THEN
                        SELECT status INTO before FROM loyalty_charitypayout
                         WHERE id = OLD.payout_id;
                        IF NEW.payout_id IS NOT NULL OR before <> 'taken_back' THEN
                            RAISE EXCEPTION 'entry % is in a payout already', OLD.id
                                USING ERRCODE = 'SL010';
                        END IF;
                    ELSE
                        SELECT * INTO target FROM loyalty_charitypayout WHERE id = NEW.payout_id;
                        IF target.status <> 'open' OR target.charity_id <> NEW.charity_id
                           OR NEW.booked_on > target.until THEN
                            RAISE EXCEPTION 'entry % does not belong to this payout', OLD.id
                                USING ERRCODE = 'SL010';
                        END IF;
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="charity_entry_mirrors",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                condition=pgtrigger.Condition("(NEW.reverses_id IS NOT NULL)"),
                declare=[("target", "loyalty_charityentry%ROWTYPE")],
                func="""
                    SELECT * INTO target FROM loyalty_charityentry WHERE id = NEW.reverses_id;
                    IF target.reverses_id IS NOT NULL
                       OR (target.charity_id, target.kind, -target.units, -target.money,
                           -target.things)
                          <> (NEW.charity_id, NEW.kind, NEW.units, NEW.money, NEW.things) THEN
                        RAISE EXCEPTION 'entry % is taken back as a whole', target.id
                            USING ERRCODE = 'SL010';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.money}"
