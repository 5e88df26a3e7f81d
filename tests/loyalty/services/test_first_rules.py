"""Rules of a new program are checked beside each other without being read again."""

import datetime as dt

import pytest

from loyalty.program_templates.kinds import ProgramTemplate, build, read_answers
from loyalty.program_templates.registry import TEMPLATES
from loyalty.selectors.rules import first_rows, judged_rows, standings
from loyalty.services.programs import apply_definition
from members.services.audit import SYSTEM

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2024, 3, 15, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.code)
def test_what_was_written_stands_as_it_is_read(template: ProgramTemplate) -> None:
    named = {"program_name": "Bean Club", "code": "bean-club", "currency": "USD"}
    definition = build(template, read_answers(template, named)).model_copy(
        update={"status": "live"}
    )
    applied = apply_definition(definition, actor=SYSTEM, now=NOW)
    written = first_rows(version for _field, version in applied.written)
    read = judged_rows(applied.program, NOW)
    assert standings(written, NOW) == standings(read, NOW)
    assert [row.rule for row in written] == [row.rule for row in read]
