"""The page on which a rule is written: it asks for every field of its form, and says what is wrong
where it was typed."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from loyalty.definitions import ProgramDefinition
from loyalty.models import Program
from loyalty.rule_definitions import RULE_KINDS
from loyalty.selectors.programs import definition_of, rule_definition
from loyalty.selectors.rules import row_of
from loyalty.unit_definitions import ExpiryDefinition, PendingDefinition
from tests.loyalty.backoffice.conftest import url
from tests.loyalty.backoffice.rules import edit, form_of, write
from tests.loyalty.backoffice.test_program_form import form_of as program_form_of
from tests.loyalty.backoffice.test_rule_fields import DEED, choices
from tests.loyalty.factories import make_program, make_type

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("kind", list(RULE_KINDS))
def test_every_field_of_the_form_is_on_the_page(manager: Client, kind: str) -> None:
    program = make_program(wallet_types=[{"code": "points"}, {"code": "miles", "plural": "miles"}])
    make_type("review")
    page = manager.get(url("rule_create", program.code, f"blank-{kind}"))
    html = page.content.decode()
    for name in page.context["form"].fields:
        assert f'name="{name}' in html, name


def test_a_rules_own_terms_become_a_policy_and_go_again(manager: Client, program: Program) -> None:
    terms = {
        "own_pending": "on", "pending_from": "fulfilled", "pending_days": "14",
        "own_expiry": "on", "expiry_kind": "days", "expiry_length": "30",
    }  # fmt: skip
    rule = write(manager, program, "blank-fixed", code="welcome", **terms)
    assert rule.code == "welcome"
    said = rule_definition(rule, rule.versions.get())
    assert said.pending == PendingDefinition(pending_from="fulfilled", pending_days=14)
    assert said.expiry == ExpiryDefinition(kind="days", length=30)
    page = manager.get(url("rule_page", program.code, rule.code)).content.decode()
    assert "They can be spent 14 days after the order was fulfilled." in page
    assert "They expire 30 days after they were earned." in page
    values = form_of(manager, url("rule_edit", program.code, rule.code))
    assert values["expiry_length"] == 30
    del values["own_pending"], values["own_expiry"]
    manager.post(url("rule_edit", program.code, rule.code), values)
    assert rule.versions.get().lot_policy is None


def test_a_short_name_that_is_taken_is_said_at_its_field(manager: Client, program: Program) -> None:
    address = url("rule_create", program.code, "blank-fixed")
    response = manager.post(address, form_of(manager, address) | {"name": "New", "code": "base"})
    assert list(response.context["form"].errors) == ["code"]


def test_terms_that_are_half_said_are_said_at_their_field(
    manager: Client, program: Program
) -> None:
    address = url("rule_create", program.code, "blank-fixed")
    values = form_of(manager, address) | {
        "name": "New", "own_expiry": "on", "expiry_kind": "months", "expiry_length": "",
    }  # fmt: skip
    assert list(manager.post(address, values).context["form"].errors) == ["expiry_length"]
    # Without terms of its own nobody asks for them.
    del values["own_expiry"]
    assert manager.post(address, values).status_code == 302


def test_units_that_expire_by_inactivity_expire_together(manager: Client) -> None:
    idle = {"kind": "inactivity", "length": 12}
    program = make_program(unit={"expiry": idle})
    address = url("rule_create", program.code, "blank-fixed")
    values = form_of(manager, address) | {
        "name": "New", "own_expiry": "on", "expiry_kind": "inactivity", "expiry_length": "6",
    }  # fmt: skip
    form = manager.post(address, values).context["form"]
    assert "expire together" in str(form.errors["expiry_length"])
    assert manager.post(address, values | {"expiry_length": "12"}).status_code == 302


@pytest.mark.parametrize("how", choices(ProgramDefinition, "multiplying"))
def test_how_multipliers_work_together_is_chosen_on_the_programs_form(
    manager: Client, program: Program, how: str
) -> None:
    address = url("program_edit", program.code)
    values = program_form_of(manager, program.code) | {"multiplying": how}
    manager.post(address, values | {"confirmed": "1"})
    program.refresh_from_db()
    assert definition_of(program, timezone.now()).multiplying == how


def test_a_rule_of_a_file_for_activities_is_changed_in_the_browser(manager: Client) -> None:
    make_type("review")
    program = make_program(
        earning_rules=[
            {"code": "review", "kind": "activity", "activity": "review", "units": 50,
             "when": DEED, "caps": {"per_member": 200, "period": "year"}}
        ]
    )  # fmt: skip
    rule = program.earning_rules.get()
    assert edit(manager, rule, units="75").status_code == 302
    row = row_of(rule, timezone.now())
    assert row.live is not None
    assert row.draft is not None
    assert row.draft.body == row.live.body | {"units": "75"}
