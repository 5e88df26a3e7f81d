"""docs/programs.md: its example applies, its refusals are refused, its reference is in step."""

import copy
import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from config.documents.parts import part_of
from config.documents.program_reference import NAME, PAGE, program_reference
from loyalty.definitions import ProgramDefinition
from loyalty.program_files import dump_program, load_program
from loyalty.services.order_inputs import CustomerRef, OrderInput
from loyalty.services.orders import record_orders
from loyalty.services.programs import apply_definition
from members.errors import ConflictError, DomainError
from members.services.audit import SYSTEM
from tests.docs.tables import DOCS, code_blocks, executed_tables, parse

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
EXAMPLE = code_blocks(DOCS / PAGE, "yaml")[0]
REFUSED = [table for table in executed_tables(PAGE) if table.name == "refused"]


def apply(definition: ProgramDefinition) -> Any:
    return apply_definition(definition, actor=SYSTEM, now=NOW)


def test_the_reference_is_in_step() -> None:
    assert part_of(PAGE, NAME) == program_reference().strip(), "run: manage.py program_reference"


@pytest.mark.django_db
def test_the_example_applies_and_reads_back_unchanged() -> None:
    program = apply(load_program(EXAMPLE)).program
    assert apply(load_program(EXAMPLE)).changes == []
    assert apply(load_program(dump_program(program, timezone.now()))).changes == []


@pytest.mark.django_db
@pytest.mark.parametrize("row", REFUSED[0].rows, ids=lambda row: row["change"])
def test_what_would_rewrite_the_past_is_refused(row: dict[str, str]) -> None:
    definition = load_program(EXAMPLE)
    apply(definition)
    order = OrderInput("A", NOW, "USD", Decimal(10), CustomerRef(external_id="C1"))
    record_orders([order], now=NOW, transfer_source="api")
    data = copy.deepcopy(definition.model_dump(mode="json")) | parse(row["change"])
    with pytest.raises(ConflictError) as refused:
        apply(ProgramDefinition.model_validate(data))
    assert refused.value.code == "would_rewrite_the_past"
    assert [wrong.field for wrong in refused.value.errors] == [row["refused at"]]


def test_the_mistake_shown_is_reported_as_shown() -> None:
    with pytest.raises(DomainError) as refused:
        load_program(EXAMPLE.replace("currency: USD", "currency: usd"))
    wrong = refused.value.errors[0]
    assert f"  {wrong.field}: {wrong.message}\n" in (DOCS / PAGE).read_text(encoding="utf-8")
