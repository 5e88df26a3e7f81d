"""A program's pauses and its end, as they are decided now."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import QuerySet

from loyalty.models import Program, ProgramEnding, ProgramPause
from loyalty.rules.calendar import end_of_day
from loyalty.rules.program_times import EndTimes, PauseTimes, ProgramTimes
from loyalty.selectors.ending_conversions import conversions_in
from loyalty.time_definitions import ConversionDefinition, EndingDefinition, PauseDefinition

NOT_LIVE = (Program.Status.DRAFT, Program.Status.ARCHIVED)


@dataclass(frozen=True, slots=True)
class ProgramState:
    """How a program stands at an instant. `state` is one of those of `ProgramTimes`, or that of a
    program that is not live. `pause`: the one that is, or the next; `ending`: what is planned."""

    program: Program
    at: dt.datetime
    times: ProgramTimes
    pause: ProgramPause | None = None
    ending: ProgramEnding | None = None

    @property
    def state(self) -> str:
        status = Program.Status(self.program.status)
        return status.value if status in NOT_LIVE else self.times.state_at(self.at)

    @property
    def is_over(self) -> bool:
        """Whether nothing is earned any more."""
        return self.state in {"ending", "ended", "archived"}

    @property
    def is_told(self) -> bool:
        """Whether members are told of the end by now."""
        today = self.at.astimezone(self.program.zone).date()
        return self.ending is not None and self.ending.announced_on <= today


def program_times(programs: Collection[Program]) -> dict[int, ProgramTimes]:
    """By program, each; two queries at most."""
    decided = _decided(programs)
    return {program.pk: _times(program, *decided[program.pk]) for program in programs}


def program_states(programs: Collection[Program], at: dt.datetime) -> dict[int, ProgramState]:
    """By program, each; two queries at most."""
    decided = _decided(programs)
    return {
        program.pk: ProgramState(
            program, at, _times(program, *decided[program.pk]),
            _unfinished(decided[program.pk][0], at), decided[program.pk][1],
        )
        for program in programs
    }  # fmt: skip


def program_state(program: Program, at: dt.datetime) -> ProgramState:
    return program_states([program], at)[program.pk]


def taking_members(now: dt.datetime) -> QuerySet[Program]:
    """Live programs that people can still join: not those in which nothing is earned any more."""
    live = Program.objects.filter(status=Program.Status.LIVE)
    over = [pk for pk, found in program_states(list(live), now).items() if found.is_over]
    return live.exclude(pk__in=over)


def pause_definition(pause: ProgramPause | None) -> PauseDefinition | None:
    """As a program file says it."""
    if pause is None:
        return None
    return PauseDefinition(
        starts_at=pause.starts_at, ends_at=pause.ends_at, spending=pause.spending
    )


def ending_definition(ending: ProgramEnding | None) -> EndingDefinition | None:
    """As a program file says it."""
    if ending is None:
        return None
    return EndingDefinition(
        announced_on=ending.announced_on,
        last_earning_day=ending.last_earning_day,
        last_spending_day=ending.last_spending_day,
        conversions=tuple(
            ConversionDefinition(
                wallet_type=item.wallet_type.code, program=item.to_wallet_type.program.code,
                to_wallet_type=item.to_wallet_type.code, take=item.take, give=item.give,
            )
            for item in conversions_in(ending)
        ),
    )  # fmt: skip


def end_times(program: Program, ending: ProgramEnding) -> EndTimes:
    """A plan's days as instants."""
    return EndTimes(
        end_of_day(ending.last_earning_day, program.zone),
        end_of_day(ending.last_spending_day, program.zone),
    )


def _decided(
    programs: Collection[Program],
) -> dict[int, tuple[list[ProgramPause], ProgramEnding | None]]:
    """Nothing is asked of programs that never had any."""
    ids = [program.pk for program in programs if program.has_times]
    if not ids:
        return {program.pk: ([], None) for program in programs}
    pauses: defaultdict[int, list[ProgramPause]] = defaultdict(list)
    for pause in ProgramPause.objects.filter(program__in=ids).order_by("starts_at"):
        pauses[pause.program_id].append(pause)
    planned = ProgramEnding.objects.filter(program__in=ids, called_off_at=None)
    endings = {ending.program_id: ending for ending in planned}
    return {program.pk: (pauses[program.pk], endings.get(program.pk)) for program in programs}


def _times(
    program: Program, pauses: Iterable[ProgramPause], ending: ProgramEnding | None
) -> ProgramTimes:
    return ProgramTimes(
        tuple(PauseTimes(pause.starts_at, pause.ends_at, pause.spending) for pause in pauses),
        end_times(program, ending) if ending else None,
    )


def _unfinished(pauses: Iterable[ProgramPause], at: dt.datetime) -> ProgramPause | None:
    return next((item for item in pauses if item.ends_at is None or item.ends_at > at), None)
