"""A program file says when a program rests and how it ends."""

import datetime as dt
from typing import Any

import pytest

from loyalty.models import ProgramPause
from loyalty.program_files import dump_program, load_program
from loyalty.services.program_endings import EndingDays, plan_ending
from loyalty.services.program_pauses import pause_program
from loyalty.services.programs import apply_definition
from members.errors import ConflictError
from members.services.audit import SYSTEM
from tests.loyalty.factories import NOW, day, define


def applied(*, at: dt.datetime, **changes: Any) -> list[str]:
    """What a file changes."""
    return apply_definition(define(**changes), actor=SYSTEM, now=at).changes


def test_a_file_pauses_a_program_and_applying_it_again_changes_nothing(program):
    pause = {"starts_at": day(2).isoformat(), "ends_at": day(9).isoformat(), "spending": False}
    assert applied(pause=pause, at=NOW)
    assert applied(pause=pause, at=day(1)) == []
    # What has begun has begun, and what is over is over.
    assert applied(pause=pause | {"starts_at": day(1).isoformat()}, at=day(3)) == []
    assert applied(pause=pause | {"ends_at": None}, at=day(4))
    assert applied(pause=pause | {"ends_at": None}, at=day(5)) == []
    assert applied(at=day(6))
    assert applied(pause=pause | {"ends_at": day(6).isoformat()}, at=day(7)) == []
    assert list(ProgramPause.objects.values_list("starts_at", "ends_at")) == [(day(2), day(6))]


def test_a_file_plans_an_end_and_calls_it_off_while_that_is_possible(program):
    ending = {
        "announced_on": day(1).date(), "last_earning_day": day(3).date(),
        "last_spending_day": day(9).date(),
    }  # fmt: skip
    assert applied(ending=ending, at=NOW)
    assert applied(ending=ending, at=day(1)) == []
    assert applied(at=day(2))
    assert applied(ending=ending, at=day(2))
    with pytest.raises(ConflictError) as refused:
        applied(at=day(5))
    assert refused.value.code == "ending_begun"
    assert applied(ending=ending, at=day(5)) == []


def test_what_is_exported_of_a_pause_and_an_end_is_what_is_read(program):
    pause_program(program=program, actor=SYSTEM, now=NOW, ends_at=day(30))
    days = EndingDays(day(1).date(), day(30).date(), day(90).date())
    plan_ending(program=program, days=days, actor=SYSTEM, now=NOW)
    text = dump_program(program, day(1))
    assert apply_definition(load_program(text), actor=SYSTEM, now=day(1)).changes == []
