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
    for given in contributions:
        window = _contribute(given)
        if window is not None:
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


def _contribute(given: Contribution) -> WindowAward | None:
    """Keep what an order brings; its window, if that is something else than before."""
    version, amount = given.award.version, given.award.counted or Decimal(0)
    part = (
        WindowPart.objects.select_related("award")
        .filter(order=given.order_id, award__rule_version=version.id)
        .first()
    )
    if part is None:
        if not amount:
            return None
        window, _created = WindowAward.objects.get_or_create(
            membership_id=given.member.membership_id,
            rule_version_id=version.id,
            window_start=window_start(_body(given), given.placed_at, given.program.zone),
        )
        WindowPart.objects.create(award=window, order_id=given.order_id, amount=amount)
        return window
    if part.amount == amount:
        return None
    part.amount = amount
    part.save(update_fields=["amount"])
    return part.award


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
        reached = window.parts.aggregate(sum=Sum("amount", default=Decimal(0)))["sum"]
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
        window.save(update_fields=["units", "movements", "short"])
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
    found = window.parts.order_by("order__placed_at", "order_id")
    return [
        (placed_at.astimezone(zone), amount)
        for placed_at, amount in found.values_list("order__placed_at", "amount")
    ]


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
