"""Earning rules in the browser: written, tried out, listed, compared."""

import datetime as dt
import json
from collections.abc import Callable

import pytest
from django.test import Client, RequestFactory
from django.utils import timezone

from loyalty.backoffice import rule_editing
from loyalty.backoffice.rule_comparisons import compare
from loyalty.backoffice.rule_kind_forms import FORMS
from loyalty.backoffice.rule_templates import KINDS, TEMPLATES, template_named
from loyalty.models import Program
from loyalty.rule_definitions import RULE_KINDS
from loyalty.selectors.rules import row_of, rule_rows
from loyalty.services.rules import create_rule, publish_draft
from members.services.audit import SYSTEM
from tests.loyalty.backoffice.conftest import queries_of, url
from tests.loyalty.backoffice.rules import base, edit, form_of, publish, sent_back, tried, write
from tests.loyalty.factories import line, make_program, make_type, order, record

pytestmark = pytest.mark.usefixtures("program_for_all")
BIG = {"all": [{"field": "order.total", "op": "at_least", "value": "50"}]}
NEVER = {
    "all": [
        {"field": "order.total", "op": "at_least", "value": "50"},
        {"field": "order.total", "op": "less_than", "value": "20"},
    ]
}


@pytest.fixture
def administrator(client_of: Callable[[str], Client]) -> Client:
    return client_of("administrator")


@pytest.fixture
def analyst(client_of: Callable[[str], Client]) -> Client:
    return client_of("analyst")


def test_there_is_a_form_and_a_blank_start_for_every_kind() -> None:
    assert set(FORMS) == set(KINDS) == {*RULE_KINDS, "discount"}


def test_what_a_template_begins_with_can_be_saved_as_it_is(program: Program) -> None:
    """The page of each kind is opened in test_rule_editor.py: here their forms are asked."""
    make_type("review")
    for code in [each.code for each in TEMPLATES] + [f"blank-{kind}" for kind in KINDS]:
        start = template_named(code)
        assert start is not None
        body = start.body(program.currency)
        shown = rule_editing._form(RequestFactory().get("/"), program, body, name="New one")
        form = rule_editing._form(
            RequestFactory().post("/", sent_back(shown)), program, body, name=""
        )
        assert form.is_valid(), (code, form.errors)
        definition = form.definition(code.replace("_", "-"))
        assert definition is not None, (code, form.errors)
        now = timezone.now()
        rule = create_rule(program=program, definition=definition, actor=SYSTEM, now=now)
        draft = rule.versions.get()
        wanted = body.model_dump(mode="json")
        assert draft.status == "draft"
        assert {name: draft.body[name] for name in ("kind", "when")} == {
            name: wanted[name] for name in ("kind", "when")
        }, code
        assert row_of(rule, now).state == "draft"


def test_a_currency_without_coins_begins_with_larger_sums() -> None:
    start = template_named("bonus-over-50")
    assert start is not None
    assert (start.body("USD").reach, start.body("JPY").reach) == (50, 5000)


def test_changing_a_live_rule_writes_a_draft_beside_it(manager: Client, program: Program) -> None:
    response = edit(manager, base(program), units="3", when=json.dumps(BIG))
    assert response.status_code == 302
    row = row_of(base(program), timezone.now())
    assert (row.live.body["units"], row.draft.body["units"]) == ("1", "3")
    assert row.draft.body["when"] == BIG
    page = manager.get(url("rule_page", program.code, "base")).content.decode()
    assert "Side by side" in page
    assert "<ins>3\N{NO-BREAK SPACE}points for each $1.00 spent.</ins>" in page


def test_what_tiers_bring_stands_beside_the_rules(manager: Client, program: Program) -> None:
    assert "They count as well." not in manager.get(url("rule_list", program.code)).content.decode()
    rungs = [
        {"code": "base", "name": "Member"},
        {"code": "silver", "name": "Silver", "threshold": 500,
         "benefits": [{"kind": "multiplier", "factor": "1.25"}]},
    ]  # fmt: skip
    tiered = make_program("tiered", tiers={"tiers": rungs, "window": "rolling_12_months"})
    page = manager.get(url("rule_list", tiered.code))
    (brought,) = page.context["brought"]
    assert brought.row.rule.name in page.content.decode()
    place = url("rule_by_id", brought.row.rule.pk)
    assert place in page.content.decode()
    assert manager.get(place)["Location"] == url("tier_set_page", tiered.code)


def test_saving_unchanged_keeps_what_no_field_asks(manager: Client) -> None:
    own = {"kind": "days", "length": 30}
    program = make_program("own", earning_rules=[{"expiry": own, "exclude": {"skus": ["MUG"]}}])
    edit(manager, base(program))
    row = row_of(base(program), timezone.now())
    assert row.draft.body == row.live.body
    assert row.draft.lot_policy == row.live.lot_policy


def test_a_form_that_is_wrong_says_where(manager: Client, program: Program) -> None:
    response = edit(manager, base(program), units="0", name="")
    assert response.status_code == 422
    assert set(response.context["form"].errors) == {"units", "name"}


def test_a_condition_that_is_half_written_is_not_saved(manager: Client, program: Program) -> None:
    response = edit(manager, base(program), when='{"field": "order.total", "op": "at_least"}')
    assert response.status_code == 422
    assert "when" in response.context["form"].errors


def test_somebody_elses_draft_is_not_written_over(manager: Client, program: Program) -> None:
    address = url("rule_edit", program.code, "base")
    stale = form_of(manager, address)
    edit(manager, base(program), units="3")
    response = manager.post(address, stale | {"units": "4"})
    assert response.status_code == 422
    assert "Somebody else" in response.content.decode()
    assert base(program).versions.get(status="draft").body["units"] == "3"


def test_cashback_rows_become_categories_margins_and_brackets(
    manager: Client, program: Program
) -> None:
    rule = write(
        manager, program, "cashback-by-category", category_0="Coffee", category_percent_0="5",
        category_2="Tea", category_percent_2="2.5",
    )  # fmt: skip
    assert rule.versions.get().body["by_category"] == [
        {"category": "Coffee", "percent": "5"}, {"category": "Tea", "percent": "2.5"},
    ]  # fmt: skip
    margins = write(manager, program, "cashback-by-margin", margin_1="40.5", margin_percent_1="8")
    assert margins.versions.get().body["by_margin"] == [
        {"at_least": "20", "percent": "2"}, {"at_least": "40.5", "percent": "8"},
    ]  # fmt: skip
    brackets = write(
        manager, program, "cashback", percent="", bracket_0="0", bracket_percent_0="1",
        bracket_1="500", bracket_percent_1="3",
    )  # fmt: skip
    assert [item["above"] for item in brackets.versions.get().body["brackets"]] == ["0", "500"]


def test_half_a_row_of_cashback_is_refused_at_its_field(manager: Client, program: Program) -> None:
    address = url("rule_create", program.code, "cashback")
    values = form_of(manager, address) | {"category_0": "Coffee", "bracket_percent_1": "3"}
    form = manager.post(address, values).context["form"]
    assert set(form.errors) >= {"category_percent_0", "bracket_1"}


def test_more_rows_can_be_had_without_losing_what_was_typed(
    manager: Client, program: Program
) -> None:
    address = url("rule_create", program.code, "cashback")
    values = form_of(manager, address) | {
        "category_0": "Coffee", "category_percent_0": "5", "more": "category",
    }  # fmt: skip
    response = manager.post(address, values)
    assert len(response.context["form"].category_rows()) > 4
    assert 'value="Coffee"' in response.content.decode()
    assert program.earning_rules.count() == 1


def test_the_sentence_follows_what_is_typed(manager: Client, program: Program) -> None:
    values = form_of(manager, url("rule_edit", program.code, "base")) | {
        "rule": "base", "units": "7", "when": json.dumps(BIG),
    }  # fmt: skip
    page = manager.post(url("rule_preview", program.code, "rate"), values).content.decode()
    assert "7\N{NO-BREAK SPACE}points for each $1.00 spent." in page
    assert "Only when: Order total is at least 50.00." in page
    assert not base(program).versions.filter(status="draft").exists()


def test_a_preview_of_half_a_rule_asks_for_the_rest(manager: Client, program: Program) -> None:
    page = manager.post(url("rule_preview", program.code, "rate"), {"units": ""}).content.decode()
    assert "Complete the rule" in page


def test_a_preview_says_what_speaks_against_the_rule(manager: Client, program: Program) -> None:
    values = form_of(manager, url("rule_edit", program.code, "base")) | {
        "rule": "base", "when": json.dumps(NEVER),
    }  # fmt: skip
    page = manager.post(url("rule_preview", program.code, "rate"), values).content.decode()
    assert "It can never award" in page


def test_an_order_that_is_made_up_earns_by_the_draft_and_by_what_is_live(
    manager: Client, program: Program
) -> None:
    saturday = {"try-goods": "40", "try-day": "2026-06-06"}
    trial = tried(manager, program, "double-weekend", **saturday)
    assert [(now, then) for _unit, now, then in trial.totals] == [(40, 80)]
    assert any("adds" in step.text for step in trial.rows[-1].why)
    monday = tried(manager, program, "double-weekend", **saturday | {"try-day": "2026-06-08"})
    assert [(now, then) for _unit, now, then in monday.totals] == [(40, 40)]
    assert monday.rows[-1].why[0].text == "Its condition is not met"


def test_a_real_order_is_tried_with_what_is_known_of_its_customer(
    manager: Client, program: Program
) -> None:
    at = timezone.now() - dt.timedelta(days=2)
    record(order("A1", "30", at=at, lines=(line(1, "30", category="Tea"),)), now=at)
    second = at + dt.timedelta(days=1)
    record(order("A2", "50", at=second, lines=(line(1, "50", category="Tea"),)), now=second)
    known = {"all": [{"field": "behavior.orders", "op": "at_least", "value": "1"}]}
    when = json.dumps(known)
    extra = {"kind": "fixed", "when": when, "units": "9"}
    first = tried(manager, program, "blank-fixed", **extra | {"try-number": "a1"})
    later = tried(manager, program, "blank-fixed", **extra | {"try-number": "#A2"})
    assert [(now, then) for _unit, now, then in first.totals] == [(30, 30)]
    assert [(now, then) for _unit, now, then in later.totals] == [(50, 59)]


def test_a_number_that_no_order_has_is_said(manager: Client, program: Program) -> None:
    values = form_of(manager, url("rule_edit", program.code, "base")) | {"try-number": "nope"}
    page = manager.post(url("rule_preview", program.code, "rate"), values).content.decode()
    assert "There is no order nope" in page


def test_rules_of_a_program_that_is_not_live_can_be_tried(manager: Client) -> None:
    program = make_program("drafted", status="draft")
    trial = tried(manager, program, "blank-fixed", units="5", **{"try-goods": "10"})
    assert [(now, then) for _unit, now, then in trial.totals] == [(10, 15)]


def test_rules_are_listed_as_they_are_evaluated_and_moved_within_their_stage(
    manager: Client,
) -> None:
    program = make_program(
        "staged",
        earning_rules=[
            {"code": "stamps", "name": "Stamps", "kind": "stamps", "full_at": 10},
            {"code": "double", "name": "Double", "kind": "multiplier", "factor": 2},
            {"code": "one", "name": "One"},
            {"code": "two", "name": "Two"},
        ],
    )
    groups = manager.get(url("rule_list", program.code)).context["groups"]
    assert [[item.row.rule.code for item in group.rules] for group in groups] == [
        ["one", "two"], ["double"], ["stamps"],
    ]  # fmt: skip
    manager.post(url("rule_order", program.code), {"rule": "two", "way": "up"})
    codes = [row.rule.code for row in rule_rows(program, timezone.now())]
    assert codes == ["stamps", "double", "two", "one"]
    manager.post(url("rule_order", program.code), {"rule": "two", "way": "up"})
    assert [row.rule.code for row in rule_rows(program, timezone.now())] == codes


def test_the_list_takes_the_same_queries_for_many_rules(manager: Client) -> None:
    few = make_program("few", earning_rules=[{"code": "r1"}])
    many = make_program("many", earning_rules=[{"code": f"r{number}"} for number in range(12)])
    counts = [queries_of(manager, url("rule_list", program.code)) for program in (few, many)]
    assert counts[0] == counts[1]


def test_the_calendar_has_a_bar_and_a_row_for_each_wording(
    manager: Client, program: Program
) -> None:
    edit(manager, base(program), units="3")
    publish_draft(
        rule=base(program), actor=SYSTEM, now=timezone.now(),
        starts_at=timezone.now() + dt.timedelta(days=10),
    )  # fmt: skip
    context = manager.get(url("rule_calendar", program.code)).context
    spans = context["timeline"].spans
    assert [(round(span.first), round(span.last)) for span in spans][1][1] == 90
    assert spans[0].last == spans[1].first
    assert [entry.state for entry in context["entries"]] == ["live", "scheduled"]


def test_any_two_versions_stand_side_by_side(manager: Client, program: Program) -> None:
    edit(manager, base(program), units="3")
    publish(manager, url("rule_publish", program.code, "base"))
    page = manager.get(url("rule_page", program.code, "base"), {"left": "1", "right": "2"})
    comparison = page.context["comparison"]
    assert (comparison.left.number, comparison.right.number, comparison.changes) == (1, 2, 1)


def test_sentences_that_are_the_same_stand_beside_each_other() -> None:
    rows = compare(["a", "b", "c"], ["a", "x", "y", "c"])
    assert [(row.left, row.right) for row in rows] == [
        ("a", "a"), ("b", "x"), ("", "y"), ("c", "c"),
    ]  # fmt: skip


def test_the_audit_logs_link_leads_to_the_rule(manager: Client, program: Program) -> None:
    response = manager.get(url("rule_by_id", base(program).pk))
    assert response.url == url("rule_page", program.code, "base")


def test_those_who_only_look_see_no_buttons(
    analyst: Client, manager: Client, program: Program
) -> None:
    rules = manager.get(url("rule_list", program.code)).content.decode()
    assert "New rule" in rules
    assert url("rule_gallery", program.code) in rules
    for page in (url("rule_list", program.code), url("rule_page", program.code, "base")):
        text = analyst.get(page).content.decode()
        assert "New rule" not in text
        assert "/edit/" not in text
