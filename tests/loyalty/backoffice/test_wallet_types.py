"""Kinds of units: listed, added, changed and taken away in the browser."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from loyalty.models import Program, Wallet, WalletType
from loyalty.selectors.programs import definition_of
from members.models import AuditEntry
from tests.loyalty.backoffice.conftest import Member, url
from tests.loyalty.factories import make_program, make_wallet

pytestmark = pytest.mark.usefixtures("program_for_all")
STARS: dict[str, Any] = {
    "sort": "earned",
    "code": "stars",
    "singular": "Star",
    "plural": "Stars",
    "icon": "star",
    "decimals": "1",
    "unit_value": "0",
    "pending_from": "placed",
    "pending_days": "0",
    "expiry_kind": "months",
    "expiry_length": "12",
    "expiry_counted_from": "earning",
    "expiry_last_day": "end_of_day",
    "expiry_restored_days": "0",
    "gifts_least": "1",
}
CREDIT = STARS | {
    "sort": "stored",
    "code": "credit",
    "singular": "dollar of credit",
    "plural": "dollars of credit",
    "expiry_kind": "never",
    # Hidden, and of no consequence.
    "decimals": "",
    "unit_value": "",
    "gifts_least": "",
    "gifts_to_charities": "on",
}


def form_of(client: Client, name: str, *args: str) -> dict[str, Any]:
    """What a browser would send back of a form, unchanged."""
    form = client.get(url(name, *args)).context["form"]
    values = {name: form[name].value() for name in form.fields}
    empty = (None, False, ())
    return {
        name: value
        for name, value in values.items()
        if not any(value is nothing for nothing in empty)
    }


def put(client: Client, program: Program, fields: dict[str, Any]) -> Any:
    said = fields | {"revision": Program.objects.get(pk=program.pk).revision, "confirmed": "1"}
    return client.post(url("wallet_type_create", program.code), said)


def test_all_kinds_are_listed_with_their_terms(manager: Client, ana: Member) -> None:
    page = manager.get(url("wallet_type_list", ana.program.code)).content.decode()
    assert "Units exist with so many" in page
    assert "Kinds of units" in page
    # What was given stays, and is not offered for removal.
    assert url("wallet_type_remove", ana.program.code, "points") not in page


def test_a_second_kind_is_shown_first_and_then_everybody_has_a_wallet(
    manager: Client, program: Program
) -> None:
    account = make_wallet(program).account_id
    fields = STARS | {"revision": program.revision}
    shown = manager.post(url("wallet_type_create", program.code), fields)
    assert "New kind: Stars" in shown.content.decode()
    assert program.wallet_types.count() == 1
    saved = put(manager, program, STARS)
    assert saved.url == url("wallet_type_list", program.code)
    made = WalletType.objects.get(program=program, code="stars")
    assert (made.plural, made.scale, made.stored_value) == ("Stars", 1, False)
    assert Wallet.objects.filter(account=account, wallet_type=made).exists()
    entry = AuditEntry.objects.filter(action="program.changed").latest("pk")
    assert "Stars can be collected" in str(entry.after)


def test_stored_value_asks_for_its_names_and_is_money_by_itself(
    manager: Client, program: Program
) -> None:
    put(manager, program, CREDIT)
    said = definition_of(program, timezone.now()).wallet_types[1]
    assert (said.stored_value, said.decimals, said.unit_value) == (True, 2, 1)
    assert not said.gifts.to_charities
    page = manager.get(url("wallet_type_create", program.code)).content.decode()
    assert 'name="sort"' not in page  # a program has one of them
    edit = manager.get(url("wallet_type_edit", program.code, "credit")).content.decode()
    assert 'name="unit_value"' not in edit
    assert 'name="gifts_to_members"' not in edit


def test_stored_value_is_changed_without_what_it_has_not(manager: Client, program: Program) -> None:
    put(manager, program, CREDIT)
    fields = form_of(manager, "wallet_type_edit", program.code, "credit")
    fields |= {"plural": "euros of credit", "confirmed": "1"}
    manager.post(url("wallet_type_edit", program.code, "credit"), fields)
    assert WalletType.objects.get(code="credit").plural == "euros of credit"


def test_a_kind_that_is_saved_unchanged_changes_nothing(manager: Client, program: Program) -> None:
    fields = form_of(manager, "wallet_type_edit", program.code, "points")
    manager.post(url("wallet_type_edit", program.code, "points"), fields)
    program.refresh_from_db()
    assert program.revision == int(fields["revision"])


def test_a_further_kind_is_changed_and_the_first_stays(manager: Client, program: Program) -> None:
    put(manager, program, STARS)
    before = definition_of(program, timezone.now()).wallet_types[0]
    fields = form_of(manager, "wallet_type_edit", program.code, "stars")
    fields |= {"unit_value": "0.5", "spending_least": "10"}
    shown = manager.post(url("wallet_type_edit", program.code, "stars"), fields)
    assert "Worth" in shown.content.decode()
    manager.post(url("wallet_type_edit", program.code, "stars"), fields | {"confirmed": "1"})
    points, stars = definition_of(program, timezone.now()).wallet_types
    assert points == before
    assert (float(stars.unit_value), stars.spending.least) == (0.5, 10)


def test_the_decimals_of_units_that_exist_are_not_asked(manager: Client, ana: Member) -> None:
    fields = form_of(manager, "wallet_type_edit", ana.program.code, "points")
    fields |= {"decimals": "3", "plural": "Acorns", "confirmed": "1"}
    manager.post(url("wallet_type_edit", ana.program.code, "points"), fields)
    found = WalletType.objects.get(program=ana.program, code="points")
    assert (found.plural, found.scale) == ("Acorns", 0)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"code": "points"}, "code"),
        ({"code": ""}, "code"),
        ({"singular": ""}, "singular"),
        ({"spending_share": "50"}, "unit_value"),
        ({"gifts_least": "0.01"}, "gifts_least"),
        ({"expiry_length": ""}, "expiry_length"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    manager: Client, program: Program, wrong: dict[str, str], field: str
) -> None:
    answer = put(manager, program, STARS | wrong)
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert program.wallet_types.count() == 1


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(
    manager: Client, program: Program
) -> None:
    fields = STARS | {"revision": program.revision}
    put(manager, program, CREDIT)
    answer = manager.post(url("wallet_type_create", program.code), fields | {"confirmed": "1"})
    assert "Somebody else changed this program" in answer.content.decode()
    assert program.wallet_types.count() == 2


def test_a_kind_that_was_never_used_is_taken_away(manager: Client, program: Program) -> None:
    put(manager, program, STARS)
    make_wallet(program)
    asked = manager.get(url("wallet_type_remove", program.code, "stars"))
    assert "None were ever given" in asked.content.decode()
    manager.post(url("wallet_type_remove", program.code, "stars"))
    assert program.wallet_types.count() == 1


def test_a_kind_that_a_rule_gives_says_why_it_stays(manager: Client, program: Program) -> None:
    put(manager, program, STARS)
    asked = manager.get(url("wallet_type_remove", program.code, "points"))
    assert "names the wallet type points, which is missing" in asked.content.decode()
    refused = manager.post(url("wallet_type_remove", program.code, "points"))
    assert refused.status_code == 422
    assert program.wallet_types.count() == 2


def test_looking_at_what_could_be_removed_removes_nothing(manager: Client) -> None:
    plan = {"code": "plus", "name": "Plus", "price": "5",
            "credits": {"wallet_type": "stars", "units": 5}}  # fmt: skip
    program = make_program(
        "draft", status="draft", wallet_types=[{}, {"code": "stars"}], plans=[plan]
    )
    manager.get(url("wallet_type_remove", program.code, "stars"))
    assert definition_of(program, timezone.now()).plans[0].credits is not None
