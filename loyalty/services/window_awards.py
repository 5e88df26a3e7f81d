"""Awards that belong to a window of a member rather than to one order.

Whenever an order brings another amount towards its window, the whole window is judged anew and the
difference is posted; so refunding two orders takes back the bonus that both of them reached. The
members' wallets are locked by the caller, so two orders of one member take turns.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Sum

from loyalty.ledger.posting import Movement
from loyalty.models import Transfer, WindowAward, WindowPart
from loyalty.rules.bodies import StreakBody, WindowedBody
from loyalty.rules.bonus import Part, progress, reached_by, window_start
from loyalty.rules.bonus import award as bonus
from loyalty.rules.caps import NO_LIMIT, Room, budget_that_decides
from loyalty.rules.engine import Award, RuleVersion
from loyalty.rules.lots import OrderTimes
from loyalty.rules.steps import Step
from loyalty.selectors.rulebooks import ProgramTerms
from loyalty.services.awards import accrual, clawback, explain_award, spread_over
from loyalty.services.cap_books import CapBook
from loyalty.services.order_batches import MemberRef
from members.prepared import KeptQuery, insert_rows, run_prepared, update_row


@dataclass(frozen=True, slots=True)
class Contribution:
    """What an order brings towards the window of one rule version, as it is now. `at`: when this
    shrank, in business time; `refund_id`: the refund that changed it, if one did."""

    program: ProgramTerms
    member: MemberRef
    award: Award
    order_id: int
    placed_at: dt.datetime
    currency: str
    at: dt.datetime
    refund_id: int | None = None


def window_movements(
    contributions: Iterable[Contribution], book: CapBook, *, now: dt.datetime, transfer_source: str
) -> list[Movement]:
    """Keep what the orders bring, and what is to be posted for their windows: each is judged once,
    however many of its orders changed together. `book`: with the budgets of their rules; the caller
    writes it. Raises BudgetShortError."""
    touched: dict[int, tuple[WindowAward, Contribution]] = {}
    for window, given in _contribute(list(contributions)):
        touched[window.pk] = window, given
    movements = []
    for _pk, (window, given) in sorted(touched.items()):
        movements += _judge(window, given, book, now, transfer_source)
    return movements


def judge_windows(
    windows: Iterable[WindowAward],
    *,
    program: ProgramTerms,
    member: MemberRef,
    now: dt.datetime,
    transfer_source: str,
) -> list[Movement]:
    """What is to be posted for a member's windows whose orders are others than before, because
    customers were merged or parted: their units are what they have been given so far."""
    movements = []
    windows = sorted(windows, key=lambda window: window.pk)
    versions = [program.rulebook.named([window.rule_version_id])[0] for window in windows]
    book = CapBook.of_budgets(versions)
    for window, version in zip(windows, versions, strict=True):
        given = Contribution(
            program, member, Award(version, window.units, ()), order_id=0, placed_at=now,
            currency=program.currency, at=now,
        )  # fmt: skip
        movements += _judge(window, given, book, now, transfer_source)
    book.write()
    return movements


def given_so_far(window: WindowAward) -> int:
    """Units that the window, and those that were merged into it, have been given and not lost."""
    return sum(units for _pk, units in _correctable(window))


_PARTS: KeptQuery[WindowPart] = KeptQuery(
    lambda orders, versions: (
        WindowPart.objects.select_related("award")
        .filter(order__among=orders)
        .filter(award__rule_version__among=versions)
        .order_by("pk")
    )
)
_WINDOWS: KeptQuery[WindowAward] = KeptQuery(
    lambda members, versions, starts: (
        WindowAward.objects.filter(membership__among=members)
        .filter(rule_version__among=versions)
        .filter(window_start__among=starts)
    )
)
_KEEP_PARTS = """
    INSERT INTO loyalty_windowpart (award_id, order_id, amount)
    SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::numeric[])
"""
_REACHED = "SELECT coalesce(sum(amount), 0) FROM loyalty_windowpart WHERE award_id = %s"
_BROUGHT = """
    SELECT o.placed_at, p.amount
      FROM loyalty_windowpart p JOIN loyalty_order o ON o.id = p.order_id
     WHERE p.award_id = %s ORDER BY o.placed_at, o.id
"""


def _contribute(contributions: Sequence[Contribution]) -> list[tuple[WindowAward, Contribution]]:
    """Keep what orders bring; the windows of those that bring something else than before. As many
    queries for many orders as for one, besides those of orders that were told before."""
    if not contributions:
        return []
    known: dict[tuple[int, int], WindowPart] = {}
    orders = [given.order_id for given in contributions]
    versions = sorted({given.award.version.id for given in contributions})
    for found in _PARTS.rows(orders, versions):
        known.setdefault((found.order_id, found.award.rule_version_id), found)
    touched: dict[int, WindowAward] = {}
    new: dict[int, Contribution] = {}
    for place, given in enumerate(contributions):
        part, amount = known.get((given.order_id, given.award.version.id)), _amount(given)
        if part is None and amount:
            new[place] = given
        elif part is not None and part.amount != amount:
            part.amount = amount
            update_row(part, "amount")
            touched[place] = part.award
    touched |= zip(new, _begin_parts(list(new.values())), strict=True)
    return [(touched[place], contributions[place]) for place in sorted(touched)]


def _begin_parts(new: Sequence[Contribution]) -> list[WindowAward]:
    """Of orders that brought nothing yet: their windows. The caller holds their buyers' wallets, so
    nobody else begins one of these."""
    if not new:
        return []
    keys = [_window_of(given) for given in new]
    windows = {
        (window.membership_id, window.rule_version_id, window.window_start): window
        for window in _WINDOWS.rows(*(sorted(set(column)) for column in zip(*keys, strict=True)))
    }
    missing = {
        key: WindowAward(membership_id=key[0], rule_version_id=key[1], window_start=key[2])
        for key in keys
        if key not in windows
    }
    if missing:
        insert_rows(list(missing.values()))
        windows |= missing
    begun = [windows[key] for key in keys]
    columns = zip(*((given.order_id, _amount(given)) for given in new), strict=True)
    run_prepared(_KEEP_PARTS, [[window.pk for window in begun], *map(list, columns)])
    return begun


def _window_of(given: Contribution) -> tuple[int, int, dt.date]:
    start = window_start(_body(given), given.placed_at, given.program.zone)
    return given.member.membership_id, given.award.version.id, start


def _amount(given: Contribution) -> Decimal:
    return given.award.counted or Decimal(0)


def _judge(
    window: WindowAward,
    given: Contribution,
    book: CapBook,
    now: dt.datetime,
    transfer_source: str,
) -> list[Movement]:
    version, body = given.award.version, _body(given)
    if isinstance(body, StreakBody):
        reached = progress(body, _parts(window, given))
    else:
        [(reached,)] = run_prepared(_REACHED, [window.pk])
    deserved, steps = bonus(body, reached, version.scale)
    units, short, left = _within_budget(window, given, deserved, book)
    for at, more in _worth_when(window, given, units - window.units):
        book.take_from_budget(version, given.member.membership_id, more, at)
    if short:
        steps = (*steps, short_of_budget(version, units, left))
    found = _difference(given, window, Award(version, units, steps), now, transfer_source)
    if found or short != window.short:
        window.units, window.movements = units, window.movements + bool(found)
        window.short = short
        update_row(window, "units", "movements", "short")
    return found


def _within_budget(
    window: WindowAward, given: Contribution, deserved: int, book: CapBook
) -> tuple[int, int, Room]:
    """What of all that it has come to it gets, what it does not for want of budget, and the room
    there was for more. What that did not leave then is not given later either; where it has come to
    less, it goes first."""
    more = deserved - window.units - window.short
    if more >= 0:
        [(at, _more)] = _worth_when(window, given, more)
        got, left = book.of_budget(given.award.version, more, at)
        return window.units + got, window.short + more - got, left
    short = max(window.short + more, 0)
    return deserved - short, short, NO_LIMIT


def _worth_when(
    window: WindowAward, given: Contribution, more: int
) -> list[tuple[dt.datetime, int]]:
    """By which moment units that it gets more, or loses, are worth how much: as it was when they
    were given. Only a budget in money asks."""
    if given.award.version.body.caps.budget_money is None:
        return [(given.placed_at, more)]
    if more >= 0:
        return [(_reached_at(window, _body(given), given), more)]
    lost = list(spread_over(-more, _correctable(window)))
    accruals = Transfer.objects.filter(pk__in=[pk for pk, _units in lost])
    at = dict(accruals.values_list("pk", "occurred_at"))
    return [(at[pk], -units) for pk, units in lost]


def short_of_budget(version: RuleVersion, units: int, left: Room) -> Step:
    """Why it is no more than that. `left`: the room that there was, where it was asked for."""
    decided = budget_that_decides(left)
    in_money = version.body.caps.budget is None
    code = decided[1][0] if decided else "capped_money" if in_money else "capped_budget"
    return (code, f"{Decimal(units).scaleb(-version.scale):f}")


def _body(given: Contribution) -> WindowedBody:
    body = given.award.version.body
    assert isinstance(body, WindowedBody)
    return body


def _parts(window: WindowAward, given: Contribution) -> list[Part]:
    """What was brought to a window, when, in the program's time zone."""
    zone = given.program.zone
    found = run_prepared(_BROUGHT, [window.pk])
    return [(placed_at.astimezone(zone), amount) for placed_at, amount in found]


def _reached_at(window: WindowAward, body: WindowedBody, given: Contribution) -> dt.datetime:
    """When the order was placed that reached what the window deserves, in the order of business
    time, whatever came when."""
    reached = reached_by(body, _parts(window, given))
    return reached[-1] if reached else given.placed_at


def _difference(
    given: Contribution,
    window: WindowAward,
    deserved: Award,
    now: dt.datetime,
    transfer_source: str,
) -> list[Movement]:
    more = deserved.units - window.units
    key = f"window:{window.pk}:{window.movements}"
    program = given.program
    explanation = explain_award(
        deserved, currency=given.currency, window=window.window_start.isoformat(),
        was=window.units, now=deserved.units,
    )  # fmt: skip
    if more > 0:
        # It belongs to no order, so it waits for none: only so many days.
        at = _reached_at(window, _body(given), given)
        return [
            accrual(
                deserved, units=more, member=given.member, terms=program,
                times=OrderTimes(at, at, at, at), recorded_at=now, key=key,
                source=transfer_source, order_id=None, explanation=explanation,
            )
        ]  # fmt: skip
    return [
        clawback(
            deserved, units=units, member=given.member, terms=program, occurred_at=given.at,
            key=f"{key}:{number}" if number else key, source=transfer_source,
            explanation=explanation, refund_id=given.refund_id, corrects=transfer_id,
        )
        for number, (transfer_id, units) in enumerate(
            spread_over(-more, _correctable(window)) if more < 0 else ()
        )
    ]  # fmt: skip


def _correctable(window: WindowAward) -> Sequence[tuple[int, int]]:
    """The accruals of the window, and of those that were merged into it, with what of each can
    still be taken back, oldest first."""
    keys = [
        f"window:{item.pk}:{number}"
        for item in (window, *window.duplicates.all())
        for number in range(item.movements)
    ]
    accruals = Transfer.objects.filter(key__in=keys, kind=Transfer.Kind.ACCRUAL).order_by("pk")
    corrected = dict(
        Transfer.objects.filter(corrects__in=accruals)
        .values_list("corrects")
        .annotate(Sum("amount"))
    )
    return [(item.pk, item.amount - corrected.get(item.pk, 0)) for item in accruals]
