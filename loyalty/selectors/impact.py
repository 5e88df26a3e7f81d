"""What giving has come to: by member, by charity, by month; and what is still owed to a charity."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import JSONObject, TruncMonth
from django.utils.translation import gettext as _

from loyalty.models import (
    Account,
    Charity,
    CharityEntry,
    CharityPayout,
    CharityTally,
    Membership,
    Program,
    WalletType,
)
from loyalty.rules.calendar import add_months
from loyalty.selectors.charities import NOTHING, Worth, by_key, charities, charities_in
from loyalty.selectors.selves import selves
from members.formatting import format_money, format_number, format_units


@dataclass(frozen=True, slots=True)
class Impact:
    """What one charity was given."""

    charity: Charity
    worth: Worth
    units: tuple[tuple[WalletType, int], ...] = ()

    @property
    def words(self) -> str:
        """ "12 trees", or money where its work is not counted in things."""
        return worth_words(self.charity, self.worth)

    @property
    def sub(self) -> str:
        """Money behind the things, and units behind both."""
        program = self.charity.account.program
        parts = [format_units(units, kind) for kind, units in self.units if units]
        if self.charity.thing_singular and int(self.worth.things) and self.worth.money:
            parts.insert(0, format_money(self.worth.money, program.currency))
        return " · ".join(parts)


@dataclass(frozen=True, slots=True)
class Owed:
    """Money that is owed to a charity: not in any payout, and in one that is not paid yet."""

    charity: Charity
    open: Decimal
    in_payouts: Decimal

    @property
    def money(self) -> Decimal:
        return self.open + self.in_payouts


def worth_words(charity: Charity, worth: Worth) -> str:
    whole = int(worth.things)
    if not charity.thing_singular or (not whole and worth.money):
        return format_money(worth.money, charity.account.program.currency)
    name = charity.thing_singular if whole == 1 else charity.thing_plural
    return f"{format_number(whole)}\N{NO-BREAK SPACE}{name}"


def rate_words(charity: Charity) -> list[str]:
    """What units are worth there: "500 points: 1 tree"."""
    program = charity.account.program
    sentences = []
    for rate in charity.rates.all():
        if rate.money is not None:
            said = format_money(rate.money, program.currency)
        else:
            things = rate.things or NOTHING
            name = charity.thing_singular if things == 1 else charity.thing_plural
            said = f"{format_number(things.normalize())}\N{NO-BREAK SPACE}{name}"
        words = {"units": format_units(rate.units, rate.wallet_type), "worth": said}
        sentences.append(_("%(units)s give %(worth)s.") % words)
    if charity.thing_price is not None:
        words = {
            "thing": charity.thing_singular,
            "money": format_money(charity.thing_price, program.currency),
        }
        sentences.append(_("One %(thing)s costs %(money)s.") % words)
    return sentences


def impact_of_charity(charity: Charity) -> Impact:
    return _impacts([charity], CharityTally.objects.filter(charity=charity))[0]


def impact_of_program(program: Program, *, live: bool = False) -> list[Impact]:
    """Of each of its charities, in their order."""
    found = charities_in(program, live=live)
    return _impacts(found, CharityTally.objects.filter(charity__in=found))


def impact_of_member(membership: Membership) -> list[Impact]:
    """What went to charities through a member, under whichever name, most first."""
    own = CharityEntry.objects.filter(membership__in=selves([membership]))
    keys = set(own.values_list("charity", flat=True))
    found = _impacts(list(charities().filter(pk__in=keys)), own)
    given = [item for item in found if item.worth.money or item.worth.things]
    return sorted(given, key=lambda item: -item.worth.money)


def causes_of_members() -> ArraySubquery:
    """For each of some memberships the charities of its program, with what went there through it:
    for pages that show no more of it, in the query that they make anyway."""
    member = OuterRef(OuterRef("pk"))
    # Found by their keys first: a condition that joins would look at all that members gave.
    themselves = Membership.objects.filter(
        Q(pk=OuterRef(member)) | Q(merged_into=OuterRef(member))
    ).values("pk")
    own = CharityEntry.objects.filter(membership__in=themselves, charity=OuterRef("pk"))
    given = own.order_by().values("charity")
    found = Charity.objects.filter(account__program=OuterRef("program")).order_by("position", "pk")
    return ArraySubquery(
        found.values(
            said=JSONObject(
                name="account__name", status="status", icon="icon", texts="texts",
                thing_singular="thing_singular", thing_plural="thing_plural",
                money=Subquery(given.annotate(given=Sum("money")).values("given")),
                things=Subquery(given.annotate(given=Sum("things")).values("given")),
            )
        )
    )  # fmt: skip


def impact_of_causes(membership: Membership, causes: Sequence[dict[str, Any]]) -> list[Impact]:
    """What `causes_of_members` found went there through the member, most first."""
    given = [
        Impact(
            Charity(
                account=Account(name=cause["name"], program=membership.program),
                **{name: cause[name] for name in ("icon", "texts", "thing_singular",
                                                  "thing_plural")},
            ),
            Worth(Decimal(str(cause["money"])), Decimal(str(cause["things"]))),
        )
        for cause in causes
        if cause["money"] or cause["things"]
    ]  # fmt: skip
    return sorted(given, key=lambda item: -item.worth.money)


def owed_to(found: Sequence[Charity], until: dt.date | None = None) -> list[Owed]:
    """What is owed to charities, as of the end of a day."""
    entries = CharityTally.objects.filter(charity__in=found)
    if until is not None:
        entries = entries.filter(booked_on__lte=until)
    waiting = Q(payout=None)
    ordered = Q(payout__status=CharityPayout.Status.OPEN)
    if until is not None:
        ordered |= Q(payout__status=CharityPayout.Status.PAID, payout__paid_on__gt=until)
    sums = entries.order_by().values("charity").annotate(
        open=Sum("money", filter=waiting, default=NOTHING),
        ordered=Sum("money", filter=ordered, default=NOTHING),
    )  # fmt: skip
    by_charity = {row["charity"]: row for row in sums}
    nothing = {"open": NOTHING, "ordered": NOTHING}
    return [
        Owed(item, row["open"], row["ordered"])
        for item in found
        for row in [by_charity.get(item.pk, nothing)]
    ]


def given_by_month(
    program: Program, last: dt.date, *, charity: Charity | None = None, months: int = 12
) -> list[tuple[dt.date, dict[str, Decimal]]]:
    """Money by month and kind of giving; months without any are there."""
    first = add_months(last.replace(day=1), 1 - months)
    entries = CharityTally.objects.filter(
        charity__account__program=program, booked_on__gte=first, booked_on__lte=last
    )
    if charity is not None:
        entries = entries.filter(charity=charity)
    sums = (
        entries.annotate(month=TruncMonth("booked_on")).order_by().values("month", "kind")
        .annotate(money=Sum("money"))
    )  # fmt: skip
    found: defaultdict[dt.date, dict[str, Decimal]] = defaultdict(dict)
    for row in sums:
        found[row["month"]][row["kind"]] = row["money"]
    return [(month, found[month]) for month in (add_months(first, n) for n in range(months))]


def lines_of(charity: Charity) -> QuerySet[CharityEntry]:
    """All that a charity was given, newest first, with what showing it needs."""
    return CharityEntry.objects.filter(charity=charity).select_related(
        "membership__customer", "wallet_type", "order", "pledge_event__pledge", "payout",
        "pledge_event__order",
    )  # fmt: skip


def payouts_of(charity: Charity) -> QuerySet[CharityPayout]:
    return CharityPayout.objects.filter(charity=charity).select_related("charity__account__program")


def _impacts(found: Sequence[Charity], entries: QuerySet[Any]) -> list[Impact]:
    sums = entries.order_by().values("charity", "wallet_type").annotate(
        units=Sum("units"), money=Sum("money"), things=Sum("things")
    )  # fmt: skip
    known = by_key(found)
    kinds = WalletType.objects.in_bulk([row["wallet_type"] for row in sums if row["wallet_type"]])
    worths: dict[int, Worth] = {pk: Worth(NOTHING, NOTHING) for pk in known}
    units: defaultdict[int, list[tuple[WalletType, int]]] = defaultdict(list)
    for row in sums:
        before = worths[row["charity"]]
        worths[row["charity"]] = Worth(before.money + row["money"], before.things + row["things"])
        if row["wallet_type"]:
            units[row["charity"]].append((kinds[row["wallet_type"]], row["units"]))
    return [Impact(item, worths[item.pk], tuple(units[item.pk])) for item in found]
