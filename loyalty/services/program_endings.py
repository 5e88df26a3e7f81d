"""The plan by which a program ends: until when units are earned and can be spent, what then lapses,
and what that would take from whom.

The days hold without anything having to run. Once the last day to earn is over, a job gives the
units that would last longer their last day, so that they expire like all others.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.ledger.posting import Retiming, lock_wallets, retime
from loyalty.models import LotChange, Program, ProgramEnding, WalletType
from loyalty.program_words import ending_in_words
from loyalty.selectors.balances import worth_of
from loyalty.selectors.ending_conversions import conversions_in
from loyalty.selectors.member_tallies import members_in
from loyalty.selectors.program_times import ProgramState, end_times
from loyalty.services.ending_conversions import (
    ConversionEffect,
    ConversionTerms,
    conversions_of,
    preview_conversion,
)
from loyalty.services.program_pauses import hold_program, times_changed
from members.errors import ConflictError, FieldError
from members.formatting import format_number
from members.jobs import Work
from members.models import Job
from members.services.audit import Actor
from members.services.job_runs import Step, run_in_chunks
from members.services.transactions import run_atomically

KIND = "program_endings"
CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class EndingDays:
    """The days of a plan, each whole, in the program's time zone, and what units become that are
    left then."""

    announced_on: dt.date
    last_earning_day: dt.date
    last_spending_day: dt.date
    conversions: tuple[ConversionTerms, ...] = ()


@dataclass(frozen=True, slots=True)
class UnitEffect:
    """Of one kind of unit as members and pools hold it now: what would lapse with the program if
    nobody spent any (`lapse`, of how many members: `holders`), what of that could not be spent
    before (`pending`), and what expires earlier anyway (`sooner`)."""

    wallet_type: WalletType
    holders: int
    lapse: int
    pending: int
    sooner: int

    @property
    def worth(self) -> Decimal | None:
        return worth_of(self.lapse, self.wallet_type)


@dataclass(frozen=True, slots=True)
class EndingPreview:
    members: int
    holders: int
    units: Sequence[UnitEffect]
    conversions: Sequence[ConversionEffect] = ()


_HELD = """
    SELECT w.wallet_type_id, count(DISTINCT m.id) FILTER (WHERE x.lapses),
           coalesce(sum(l.remaining) FILTER (WHERE x.lapses), 0)::bigint,
           coalesce(sum(l.remaining)
                    FILTER (WHERE x.lapses AND l.spendable_at >= %(until)s), 0)::bigint,
           coalesce(sum(l.remaining) FILTER (WHERE NOT x.lapses), 0)::bigint
      FROM loyalty_lot l
      JOIN loyalty_wallet w ON w.id = l.wallet_id
      JOIN loyalty_wallettype t ON t.id = w.wallet_type_id
      LEFT JOIN loyalty_membership m ON m.account_id = w.account_id
     CROSS JOIN LATERAL (
           SELECT coalesce(l.expires_at, CASE WHEN l.renewable THEN w.active_until END,
                           l.planned_expires_at, 'infinity') > %(until)s AS lapses) x
     WHERE t.program_id = %(program)s AND NOT t.stored_value AND l.due_at > %(now)s
     GROUP BY 1
"""
_HOLDERS = """
    SELECT count(DISTINCT m.id)
      FROM loyalty_lot l JOIN loyalty_wallet w ON w.id = l.wallet_id
      JOIN loyalty_membership m ON m.account_id = w.account_id
      JOIN loyalty_wallettype t ON t.id = w.wallet_type_id
     WHERE t.program_id = %(program)s AND NOT t.stored_value AND l.due_at > %(now)s
"""
_LATER = """
    FROM loyalty_lot l JOIN loyalty_wallet w ON w.id = l.wallet_id
    JOIN loyalty_wallettype t ON t.id = w.wallet_type_id
   WHERE t.program_id = %(program)s AND NOT t.stored_value
     AND l.due_at > greatest(%(until)s, %(now)s)
"""


def preview_ending(program: Program, days: EndingDays, now: dt.datetime) -> EndingPreview:
    """What the plan would take, as things stand; nothing is changed. Raises as planning it does."""
    _check(program, days, now)
    plan = ProgramEnding(program=program, **_values(days))
    until = end_times(program, plan).spend_until
    conversions = conversions_of(program, days.conversions, plan)
    asked: dict[str, Any] = {"program": program.pk, "now": now, "until": until}
    with connection.cursor() as cursor:
        cursor.execute(_HELD, asked)
        held = {row[0]: row[1:] for row in cursor.fetchall()}
        cursor.execute(_HOLDERS, asked)
        holders = int(cursor.fetchone()[0])
    kinds = program.wallet_types.filter(stored_value=False).select_related("program").order_by("pk")
    return EndingPreview(
        members=members_in(program),
        holders=holders,
        units=[UnitEffect(kind, *held.get(kind.pk, (0, 0, 0, 0))) for kind in kinds],
        conversions=[preview_conversion(item, until, now) for item in conversions],
    )


def plan_ending(
    *, program: Program, days: EndingDays, actor: Actor, now: dt.datetime, note: str = ""
) -> ProgramEnding:
    """Decide how the program ends; a plan that there is already is called off for this one. The
    same plan again is the one that there is. Raises ConflictError once its first day is over."""

    def plan() -> ProgramEnding:
        state = hold_program(program, now)
        if state.ending is not None:
            if days_of(state.ending) == days:
                return state.ending
            _call_off(state, state.ending, actor, now)
        _check(state.program, days, now)
        ending = ProgramEnding.objects.create(
            program=state.program, **_values(days), note=note, decided_by=actor.user,
            decided_at=now,
        )  # fmt: skip
        for item in conversions_of(state.program, days.conversions, ending):
            item.save()
        times_changed(program, actor, "program.ending_planned", ending_in_words(ending), note)
        return ending

    return run_atomically(plan)


def call_off_ending(*, program: Program, actor: Actor, now: dt.datetime, note: str = "") -> None:
    """Let the program go on. Without a plan nothing is done. Raises ConflictError once the last day
    to earn is over: members may have relied on it."""

    def call_off() -> None:
        state = hold_program(program, now)
        if state.ending is not None:
            _call_off(state, state.ending, actor, now)
            words = _("The program goes on: its end was called off.")
            times_changed(program, actor, "program.ending_called_off", words, note)

    run_atomically(call_off)


def find_endings(now: dt.datetime) -> Work | None:
    """Programs in which nothing is earned any more, with units that would outlast them."""
    programs = [pk for pk, _until in _over(now)]
    if not programs or _first_later(now) is None:
        return None
    return Work(_("Programs that end"), params={"now": now.isoformat()})


def run_endings(job_id: int) -> Job | None:
    """Give units their last day; None when another run has it."""
    return run_in_chunks(job_id, _end_chunk)


def ending_job_words(job: Job) -> str:
    lots = job.result.get("lots", 0)
    words = ngettext("%s lot ends with its program.", "%s lots end with their program.", lots)
    return words % format_number(lots)


def end_units(now: dt.datetime, *, most: int = CHUNK) -> int:
    """One chunk of the units that outlast a program that ends: they expire with it. Returns how
    many lots; 0: there are no more."""
    found = _first_later(now, most)
    if found is None:
        return 0
    lots, until = found
    lock_wallets(sorted({wallet_id for _lot, wallet_id, _spendable, _planned in lots}))
    retime(
        [
            Retiming(
                lot_id=lot_id, spendable_at=spendable_at,
                # Nothing could be spent since; what is told late is gone from the moment on.
                expires_at=max(until, now), planned_expires_at=planned,
                reason=LotChange.Reason.ENDING, occurred_at=now,
            )
            for lot_id, _wallet, spendable_at, planned in lots
        ],
        now=now,
    )  # fmt: skip
    return len(lots)


def _end_chunk(job: Job) -> Step | None:
    done = run_atomically(lambda: end_units(dt.datetime.fromisoformat(job.params["now"])))
    if not done:
        return None
    lots = job.result.get("lots", 0) + done
    return Step(checkpoint={}, done=lots, total=max(job.total, lots), result={"lots": lots})


def _over(now: dt.datetime) -> list[tuple[int, dt.datetime]]:
    """Programs whose plan cannot be called off any more, with the end of their units."""
    planned = ProgramEnding.objects.filter(called_off_at=None).select_related("program")
    found = [(ending.program_id, end_times(ending.program, ending)) for ending in planned]
    return [(pk, times.spend_until) for pk, times in found if times.earn_until <= now]


def _first_later(
    now: dt.datetime, most: int = 1
) -> tuple[list[tuple[int, int, dt.datetime, dt.datetime | None]], dt.datetime] | None:
    """The next lots of the first program that has any, and its end."""
    for program_id, until in _over(now):
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT l.id, w.id, l.spendable_at, l.planned_expires_at {_LATER}"
                " ORDER BY l.id LIMIT %(most)s",
                {"program": program_id, "until": until, "now": now, "most": most},
            )
            lots = cursor.fetchall()
        if lots:
            return lots, until
    return None


def _call_off(state: ProgramState, ending: ProgramEnding, actor: Actor, now: dt.datetime) -> None:
    if end_times(state.program, ending).earn_until <= now:
        raise ConflictError(
            _("The last day to earn is over: the end cannot be called off any more."),
            code="ending_begun",
        )
    ending.called_off_at, ending.called_off_by = now, actor.user
    ending.save(update_fields=["called_off_at", "called_off_by"])


def _check(program: Program, days: EndingDays, now: dt.datetime) -> None:
    today = now.astimezone(program.zone).date()
    if days.last_earning_day < today:
        raise _refused("last_earning_day", _("Choose today or a later day."))
    if days.last_spending_day < days.last_earning_day:
        raise _refused("last_spending_day", _("Let members spend for as long as they earn."))
    if days.announced_on > days.last_earning_day:
        raise _refused("announced_on", _("Tell members before they earn for the last time."))
    if days.last_spending_day.year > 2200:
        raise _refused("last_spending_day", _("Choose an earlier day."))


def _refused(field: str, message: str) -> ConflictError:
    return ConflictError(
        message, code="invalid_request", status=422, errors=[FieldError(field, message)]
    )


def _values(days: EndingDays) -> dict[str, dt.date]:
    return {
        "announced_on": days.announced_on,
        "last_earning_day": days.last_earning_day,
        "last_spending_day": days.last_spending_day,
    }


def days_of(ending: ProgramEnding) -> EndingDays:
    """What a plan says."""
    return EndingDays(
        ending.announced_on, ending.last_earning_day, ending.last_spending_day,
        conversion_terms(ending),
    )  # fmt: skip


def conversion_terms(ending: ProgramEnding) -> tuple[ConversionTerms, ...]:
    """What units become by a plan, as it was said."""
    return tuple(
        ConversionTerms(
            item.wallet_type.code, item.to_wallet_type.program.code, item.to_wallet_type.code,
            item.take, item.give,
        )
        for item in conversions_in(ending)
    )  # fmt: skip
