"""The form of a program: what is typed is kept, checked, and shown before it counts."""

from decimal import Decimal
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from loyalty.backoffice.program_forms import ProgramForm
from loyalty.models import EarningRuleVersion, Program
from loyalty.selectors.programs import definition_of
from loyalty.services.program_starts import suggest_code
from members.models import AuditEntry
from tests.loyalty.backoffice.conftest import Member, url
from tests.loyalty.factories import make_program, order, record, spendable

FORM: dict[str, Any] = {
    "name": "Bean Club",
    "code": "bean-club",
    "description": "",
    "currency": "EUR",
    "time_zone": "Europe/Athens",
    "enrollment": "automatic",
    "unlinked_returns": "own_amount",
    "singular": "Bean",
    "plural": "Beans",
    "decimals": "0",
    "unit_value": "0.01",
    "pending_from": "placed",
    "pending_days": "14",
    "expiry_counted_from": "earning",
    "expiry_restored_days": "0",
    "linked_returns": "reconcile",
    "debt_policy": "carry",
    "clawback_order": "own_first",
    "multiplying": "add",
    "discounting": "in_turn",
    "foreign_orders": "refuse",
    "expiry_kind": "months",
    "expiry_length": "12",
    "expiry_last_day": "end_of_day",
    "gifts_to_members": "on",
    "gifts_least": "10",
    "gifts_most_per_day": "500",
    "measure": "money",
    "units": "1",
    "per": "1",
    "after_discounts": "on",
    "paid_with_stored_value": "on",
    "include_categories": ["Coffee"],
    "exclude_skus_add": "MUG",
    "rounding_mode": "down",
    "rounding_per": "order",
}


def sent(values: dict[str, Any]) -> QueryDict:
    """As a browser sends it."""
    data = QueryDict(mutable=True)
    for name, value in values.items():
        data.setlist(name, value if isinstance(value, list) else [value])
    return data


def form_of(client: Client, code: str) -> dict[str, Any]:
    """What a browser would send back of a program's form, unchanged."""
    form = client.get(url("program_edit", code)).context["form"]
    values = {name: form[name].value() for name in form.fields}
    empty = (None, False, ())
    return {
        name: value
        for name, value in values.items()
        if not any(value is nothing for nothing in empty)
    }


def test_a_new_program_is_a_draft_with_everything_that_was_typed(manager: Client) -> None:
    response = manager.post(url("program_create"), FORM)
    assert response.url == url("program_page", "bean-club")
    program = Program.objects.get(code="bean-club")
    definition = definition_of(program, timezone.now())
    assert program.status == "draft"
    assert definition.wallet_types[0].plural == "Beans"
    assert definition.wallet_types[0].expiry.length == 12
    gifts = definition.wallet_types[0].gifts
    assert (gifts.to_members, gifts.to_charities, gifts.least) == (True, False, 10)
    assert (gifts.most_per_day, gifts.most_received_per_day) == (500, None)
    rule = definition.earning_rules[0]
    assert (definition.multiplying, definition.discounting) == ("add", "in_turn")
    assert definition.foreign_orders == "refuse"
    assert rule.include.categories == ("Coffee",)
    assert rule.exclude.skus == ("MUG",)
    assert rule.base.paid_with_stored_value
    assert not rule.base.include_tax
    assert AuditEntry.objects.filter(action="program.created").exists()


def test_the_short_name_comes_from_the_name(manager: Client) -> None:
    manager.post(url("program_create"), FORM | {"code": ""})
    assert Program.objects.filter(code="bean-club").exists()
    assert suggest_code("Bean Club") == "bean-club-2"
    assert suggest_code("豆子") == "program"
    html = manager.get(url("program_code"), {"name": "Tea & Co", "code": "", "suggested": ""})
    assert 'value="tea-co"' in html.content.decode()
    typed = {"name": "Tea & Co", "code": "mine", "suggested": "tea-co"}
    assert 'value="mine"' in manager.get(url("program_code"), typed).content.decode()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"code": "Bean Club"}, "code"),
        ({"currency": "XXX"}, "currency"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"units": "0"}, "units"),
        ({"per": "-1"}, "per"),
        ({"unit_value": "-0.01"}, "unit_value"),
        ({"expiry_length": ""}, "expiry_length"),
        ({"expiry_length": "121"}, "expiry_length"),
        ({"pending_days": "366"}, "pending_days"),
        ({"decimals": "5"}, "decimals"),
        ({"gifts_least": "0"}, "gifts_least"),
        ({"gifts_most_per_day": "9"}, "gifts_least"),
        ({"include_tags_add": "x" * 129}, "include_tags"),
    ],
)
@pytest.mark.django_db
def test_what_is_wrong_is_said_at_its_field(changes: dict[str, str], field: str) -> None:
    form = ProgramForm(sent(FORM | changes))
    assert not form.is_valid() or form.definition() is None
    assert field in form.errors


def test_while_something_is_wrong_the_form_comes_back_and_nothing_is_saved(
    manager: Client,
) -> None:
    # Two kinds of mistakes: of a field, and of the definition that the fields make.
    for changes, field in (({"name": ""}, "name"), ({"units": "0"}, "units")):
        response = manager.post(url("program_create"), FORM | changes)
        assert response.status_code == 422
        assert field in response.context["form"].errors
    assert not Program.objects.exists()


def test_a_taken_short_name_never_changes_the_other_program(manager: Client) -> None:
    make_program("bean-club", name="Old")
    response = manager.post(url("program_create"), FORM)
    assert response.status_code == 422
    assert Program.objects.get(code="bean-club").name == "Old"


def test_a_draft_is_saved_at_once(manager: Client) -> None:
    make_program("beans", status="draft")
    values = form_of(manager, "beans") | {"units": "3"}
    assert manager.post(url("program_edit", "beans"), values).status_code == 302
    version = EarningRuleVersion.objects.get()
    assert version.status == "draft"
    assert Decimal(version.body["units"]) == 3


def test_a_form_sent_back_unchanged_changes_nothing(manager: Client, beans: Program) -> None:
    before = beans.revision
    response = manager.post(url("program_edit", "beans"), form_of(manager, "beans"))
    assert response.url == url("program_page", "beans")
    beans.refresh_from_db()
    assert beans.revision == before


def test_a_live_program_shows_its_changes_before_they_are_made(
    manager: Client, ana: Member
) -> None:
    values = form_of(manager, "beans") | {
        "units": "2", "unit_value": "0.02", "name": "Beans+", "gifts_to_members": "on",
        "gifts_most_per_day": "500",
    }  # fmt: skip
    shown = manager.post(url("program_edit", "beans"), values).content.decode()
    for text in (
        "2\N{NO-BREAK SPACE}Beans for each $1.00 spent.",
        "For orders placed from now on.",
        "100\N{NO-BREAK SPACE}Beans are worth $2.00.",
        "and for what members hold already",
        "In a day a member may give 100\N{NO-BREAK SPACE}Beans at most.",
        "In a day a member may give 500\N{NO-BREAK SPACE}Beans at most.",
        "Beans+",
    ):
        assert text in shown
    assert Program.objects.get(code="beans").name == "Bean Club"
    manager.post(url("program_edit", "beans"), values | {"confirmed": "1"})
    assert Program.objects.get(code="beans").name == "Beans+"
    assert spendable() == 150
    record(order("N-1", "10", at=timezone.now()))
    assert spendable(at=timezone.now()) == 170


def test_back_to_editing_keeps_what_was_typed(manager: Client, beans: Program) -> None:
    values = form_of(manager, "beans") | {"name": "Almost", "edit": "1"}
    html = manager.post(url("program_edit", "beans"), values).content.decode()
    assert 'value="Almost"' in html
    assert Program.objects.get(code="beans").name == "Bean Club"


def test_two_people_do_not_overwrite_one_another(manager: Client, beans: Program) -> None:
    first = form_of(manager, "beans")
    second = form_of(manager, "beans")
    manager.post(url("program_edit", "beans"), first | {"name": "First", "confirmed": "1"})
    response = manager.post(
        url("program_edit", "beans"), second | {"name": "Second", "confirmed": "1"}
    )
    assert response.status_code == 422
    assert "Somebody else changed this program" in response.content.decode()
    assert Program.objects.get(code="beans").name == "First"


def test_what_would_rewrite_the_past_is_refused_at_its_field(manager: Client, ana: Member) -> None:
    values = form_of(manager, "beans")
    decimals = manager.post(url("program_edit", "beans"), values | {"decimals": "2"})
    assert "decimals" in decimals.context["form"].errors
    currency = manager.post(url("program_edit", "beans"), values | {"currency": "EUR"})
    assert "currency" in currency.context["form"].errors


def test_further_units_and_rules_survive_the_form(manager: Client) -> None:
    make_program(
        "two",
        wallet_types=[{}, {"code": "stars", "singular": "star", "plural": "stars"}],
        earning_rules=[{}, {"code": "extra", "name": "Extra", "wallet_type": "stars"}],
    )
    assert "further kinds" in manager.get(url("program_edit", "two")).content.decode()
    values = form_of(manager, "two") | {"units": "5", "confirmed": "1"}
    manager.post(url("program_edit", "two"), values)
    definition = definition_of(Program.objects.get(code="two"), timezone.now())
    assert [rule.units for rule in definition.earning_rules] == [5, 1]
    assert [item.plural for item in definition.wallet_types] == ["points", "stars"]


def test_the_example_is_worked_out_by_the_engine(manager: Client) -> None:
    example = {
        "example-goods": "49.90",
        "example-shipping": "5.00",
        "example-rest": "0",
        "example-discount": "9.90",
    }
    html = manager.post(url("program_example"), FORM | example).content.decode()
    assert "An order of €49.90 with €5.00 shipping earns" in html
    assert ">40 " in html
    assert "Share of the order" in html
    assert "Only these earn: category Coffee." in html
    rest = manager.post(url("program_example"), FORM | example | {"example-rest": "9.90"})
    assert ">32 " in rest.content.decode()
    broken = manager.post(url("program_example"), FORM | example | {"units": "x"})
    assert "Complete the names and the rule" in broken.content.decode()
    assert not Program.objects.exists()


def test_what_the_page_of_the_rules_decides_survives_the_form(manager: Client) -> None:
    rules = [{"kind": "cashback", "percent": 5}]
    make_program("back", multiplying="add", four_eyes=True, earning_rules=rules)
    page = manager.get(url("program_edit", "back"))
    assert "How it is earned" not in page.content.decode()
    values = form_of(manager, "back") | {"name": "Another", "confirmed": "1"}
    assert manager.post(url("program_edit", "back"), values).status_code == 302
    definition = definition_of(Program.objects.get(code="back"), timezone.now())
    assert (definition.name, definition.multiplying, definition.four_eyes) == (
        "Another", "add", True,
    )  # fmt: skip
    assert [rule.body().kind for rule in definition.earning_rules] == ["cashback"]


def test_the_form_does_not_publish_a_rule_where_a_second_person_does(manager: Client) -> None:
    program = make_program("club", four_eyes=True)
    values = form_of(manager, "club") | {"units": "9", "confirmed": "1"}
    response = manager.post(url("program_edit", "club"), values)
    assert "A second person publishes the rules" in response.content.decode()
    assert definition_of(program, timezone.now()).earning_rules[0].units == 1


def test_taking_a_draft_live_shows_every_rule_in_its_own_units(manager: Client) -> None:
    make_program("draft", status="draft", earning_rules=[{}, {"code": "two", "units": 7}])
    text = manager.get(url("program_publish", "draft")).content.decode()
    assert "7\N{NO-BREAK SPACE}points" in text


def test_what_has_pages_of_its_own_stays_when_the_form_is_saved(manager: Client) -> None:
    tiers = {"tiers": [{"code": "base", "name": "Base"},
                       {"code": "gold", "name": "Gold", "threshold": 100}]}  # fmt: skip
    card = {"code": "card", "name": "Card", "percent": 5}
    program = make_program(status="draft", discount_rules=[card], tiers=tiers)
    before = definition_of(program, timezone.now())
    manager.post(url("program_edit", "club"), form_of(manager, "club") | {"name": "Klub"})
    after = definition_of(Program.objects.get(), timezone.now())
    assert after == before.model_copy(update={"name": "Klub"})


def test_how_units_are_called_and_used_is_typed_and_told(manager: Client) -> None:
    typed = {
        "singular": "\u0437\u0432\u0435\u0437\u0434\u0430", "icon": "star", "plural_language": "ru",
        "plural_few": "\u0437\u0432\u0435\u0437\u0434\u044b",
        "plural_many": "\u0437\u0432\u0451\u0437\u0434",
        "spending_least": "100", "spending_step": "50", "spending_share": "30",
    }  # fmt: skip
    assert manager.post(url("program_create"), FORM | typed).status_code == 302
    [unit] = definition_of(Program.objects.get(), timezone.now()).wallet_types
    assert (unit.icon, unit.plural_forms.language) == ("star", "ru")
    assert unit.plural_forms.forms == {"few": typed["plural_few"], "many": typed["plural_many"]}
    page = manager.get(url("program_page", "bean-club")).content.decode()
    assert f"They can be used from 100\N{NO-BREAK SPACE}{typed['plural_many']} on." in page
    assert "They pay 30% of an order at most." in page
    sent = form_of(manager, "bean-club")
    assert manager.post(url("program_edit", "bean-club"), sent).url == url(
        "program_page", "bean-club"
    )
    wrong = manager.post(url("program_edit", "bean-club"), sent | {"spending_least": "75"})
    assert wrong.context["form"].errors["spending_least"] == ["a multiple of step."]
    foreign = manager.post(url("program_edit", "bean-club"), sent | {"plural_two": "x"})
    assert "plural_language" in foreign.context["form"].errors


def test_other_terms_of_use_are_shown_before_they_count(manager: Client) -> None:
    make_program(unit={"unit_value": "0.01"})
    sent = form_of(manager, "club") | {"spending_step": "50", "icon": "heart"}
    text = manager.post(url("program_edit", "club"), sent).content.decode()
    assert "Any number, for all of an order." in text
    assert "They are used in multiples of 50" in text
    assert "point, points, Heart" in text


def test_what_units_pay_in_a_tier_is_asked_tier_by_tier(manager: Client) -> None:
    ladder = [
        {"code": "base", "name": "Member"}, {"code": "gold", "name": "Gold", "threshold": 500},
    ]  # fmt: skip
    make_program(
        "beans", name="Bean Club", tiers={"tiers": ladder},
        unit={"singular": "Bean", "plural": "Beans", "unit_value": "0.01"},
    )  # fmt: skip
    html = manager.get(url("program_edit", "beans")).content.decode()
    assert "Worth in Member" in html
    assert "Worth in Gold" in html
    values = form_of(manager, "beans") | {"value_gold": "0.015"}
    shown = manager.post(url("program_edit", "beans"), values).content.decode()
    assert "What they pay by tier" in shown
    assert "In Gold 100\N{NO-BREAK SPACE}Beans pay $1.50." in shown
    manager.post(url("program_edit", "beans"), values | {"confirmed": "1"})
    unit = Program.objects.get(code="beans").wallet_types.get()
    assert unit.tier_values == {"gold": "0.015"}
    page = manager.get(url("program_page", "beans")).content.decode()
    assert "In Gold 100\N{NO-BREAK SPACE}Beans pay $1.50." in page
    again = form_of(manager, "beans")
    assert again["value_gold"] == "0.015"
    manager.post(url("program_edit", "beans"), again | {"value_gold": "", "confirmed": "1"})
    unit.refresh_from_db()
    assert unit.tier_values == {}
    refused = manager.post(url("program_edit", "beans"), again | {"value_gold": "-1"})
    assert refused.status_code == 422
