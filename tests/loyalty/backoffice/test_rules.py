"""Earning rules in the browser: written, tried out, compared, published, scheduled, retired."""

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone

from loyalty.backoffice.rule_comparisons import compare
from loyalty.backoffice.rule_kind_forms import FORMS
from loyalty.backoffice.rule_templates import KINDS, TEMPLATES, template_named
from loyalty.models import EarningRule, Program
from loyalty.rule_definitions import RULE_KINDS
from loyalty.selectors.rules import row_of, rule_rows
from loyalty.services.rules import publish_draft, set_four_eyes
from members.services.audit import SYSTEM
from tests.loyalty.backoffice.conftest import queries_of, url
from tests.loyalty.factories import line, make_program, make_type, order, record

BIG = {"all": [{"field": "order.total", "op": "at_least", "value": "50"}]}
NEVER = {
    "all": [
        {"field": "order.total", "op": "at_least", "value": "50"},
        {"field": "order.total", "op": "less_than", "value": "20"},
    ]
}


def form_of(client: Client, address: str) -> dict[str, Any]:
    """What a browser without scripts would send back of a rule's form, unchanged."""
    form = client.get(address).context["form"]
    values = {name: form[name].value() for name in form.fields}
    values["when"] = json.dumps(values["when"] or {}, default=str)
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in values.items()
        if value not in (None, False, (), [])
    }


def write(client: Client, program: Program, template: str, **changes: Any) -> EarningRule:
    address = url("rule_create", program.code, template)
    values = form_of(client, address) | {"name": "New one"} | changes
    before = set(program.earning_rules.values_list("pk", flat=True))
    response = client.post(address, values)
    assert response.status_code == 302, response.context["form"].errors
    return program.earning_rules.exclude(pk__in=before).get()


def edit(client: Client, rule: EarningRule, **changes: Any) -> Any:
    address = url("rule_edit", rule.program.code, rule.code)
    return client.post(address, form_of(client, address) | changes)


def base(program: Program) -> EarningRule:
    return program.earning_rules.get(code="base")


def said(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def in_days(number: int) -> str:
    return (timezone.now() + dt.timedelta(days=number)).date().isoformat()


@pytest.fixture
def administrator(client_of: Callable[[str], Client]) -> Client:
    return client_of("administrator")


@pytest.fixture
def analyst(client_of: Callable[[str], Client]) -> Client:
    return client_of("analyst")


def test_there_is_a_form_and_a_blank_start_for_every_kind() -> None:
    assert set(FORMS) == set(KINDS) == {*RULE_KINDS, "discount"}


@pytest.mark.parametrize(
    "template", [each.code for each in TEMPLATES] + [f"blank-{kind}" for kind in KINDS]
)
def test_what_a_template_begins_with_can_be_saved_as_it_is(
    manager: Client, program: Program, template: str
) -> None:
    make_type("review")
    rule = write(manager, program, template)
    start = template_named(template)
    assert start is not None
    draft = rule.versions.get()
    wanted = start.body(program.currency).model_dump(mode="json")
    assert draft.status == "draft"
    assert {name: draft.body[name] for name in ("kind", "when")} == {
        name: wanted[name] for name in ("kind", "when")
    }
    assert row_of(rule, timezone.now()).state == "draft"


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


def test_saving_unchanged_keeps_what_no_field_asks(manager: Client) -> None:
    own = {"kind": "days", "length": 30}
    program = make_program(earning_rules=[{"expiry": own, "exclude": {"skus": ["MUG"]}}])
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


def test_cashback_rows_become_categories_and_brackets(manager: Client, program: Program) -> None:
    rule = write(
        manager, program, "cashback-by-category", category_0="Coffee", category_percent_0="5",
        category_2="Tea", category_percent_2="2.5",
    )  # fmt: skip
    assert rule.versions.get().body["by_category"] == [
        {"category": "Coffee", "percent": "5"}, {"category": "Tea", "percent": "2.5"},
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


def tried(client: Client, program: Program, template: str, **changes: Any) -> Any:
    address = url("rule_create", program.code, template)
    values = form_of(client, address) | {"name": "New one"} | changes
    kind = client.get(address).context["form"].kind
    response = client.post(url("rule_preview", program.code, kind), values)
    return response.context["trial"]


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
    program = make_program(status="draft")
    trial = tried(manager, program, "blank-fixed", units="5", **{"try-goods": "10"})
    assert [(now, then) for _unit, now, then in trial.totals] == [(10, 15)]


def publish(client: Client, address: str, times: dict[str, str] | None = None) -> Any:
    """Read what the dialog says, and agree."""
    return client.post(address, {"seen": client.get(address).context["seen"], **(times or {})})


def test_publishing_says_what_happens_and_then_it_counts(manager: Client, program: Program) -> None:
    edit(manager, base(program), units="3")
    address = url("rule_publish", program.code, "base")
    assert "version 1, which is live" in manager.get(address).content.decode()
    response = publish(manager, address)
    assert "is live" in said(response)[-1]
    assert row_of(base(program), timezone.now()).live.body["units"] == "3"


def test_a_rule_is_scheduled_and_the_schedule_is_undone(manager: Client, program: Program) -> None:
    edit(manager, base(program), units="3")
    address = url("rule_publish", program.code, "base")
    response = publish(manager, address, {"starts_at": in_days(5), "start_time": "10:30"})
    assert "is scheduled" in said(response)[-1]
    row = row_of(base(program), timezone.now())
    assert row.scheduled[0].starts_at.strftime("%H:%M") == "10:30"
    page = manager.get(url("rule_page", program.code, "base")).content.decode()
    undo = url("rule_undo", program.code, "base", row.scheduled[0].number)
    assert undo in page
    manager.post(undo)
    row = row_of(base(program), timezone.now())
    assert (row.scheduled, row.live.ends_at, row.draft.body["units"]) == ((), None, "3")


def test_a_last_day_is_a_whole_day(manager: Client, program: Program) -> None:
    rule = write(manager, program, "blank-fixed")
    publish(manager, url("rule_publish", program.code, rule.code), {"ends_at": in_days(3)})
    ends_at = rule.versions.get().ends_at
    assert ends_at.date().isoformat() == in_days(4)
    assert (ends_at.hour, ends_at.minute) == (0, 0)


def test_what_is_refused_stays_a_draft_and_says_why(manager: Client, program: Program) -> None:
    edit(manager, base(program), when=json.dumps(NEVER))
    response = publish(manager, url("rule_publish", program.code, "base"))
    assert response.status_code == 422
    assert "It can never award" in response.content.decode()
    assert row_of(base(program), timezone.now()).draft is not None


@pytest.mark.parametrize(
    ("times", "field"),
    [
        ({"starts_at": "2020-01-01"}, "starts_at"),
        ({"start_time": "10:00"}, "starts_at"),
        ({"starts_at": "2199-01-05", "ends_at": "2199-01-01"}, "ends_at"),
    ],
)
def test_times_that_make_no_sense_are_said_at_their_field(
    manager: Client, program: Program, times: dict[str, str], field: str
) -> None:
    edit(manager, base(program), units="3")
    response = publish(manager, url("rule_publish", program.code, "base"), times)
    assert list(response.context["form"].errors) == [field]


def test_a_second_person_publishes_what_the_first_has_asked_for(
    manager: Client, administrator: Client, program: Program
) -> None:
    set_four_eyes(program=program, on=True, actor=SYSTEM)
    edit(manager, base(program), units="3")
    address = url("rule_publish", program.code, "base")
    assert "Ask to publish" in manager.get(address).content.decode()
    publish(manager, address)
    assert row_of(base(program), timezone.now()).live.number == 1
    approvals = administrator.get(url("approval_list"))
    assert [(draft.rule.code, own) for draft, own in approvals.context["rules"]] == [
        ("base", False)
    ]
    publish(administrator, address)
    live = row_of(base(program), timezone.now()).live
    assert live.number == 2
    assert live.written_by != live.published_by


def test_what_was_changed_since_it_was_read_is_not_published(
    manager: Client, administrator: Client, program: Program
) -> None:
    edit(manager, base(program), units="3")
    address = url("rule_publish", program.code, "base")
    read = administrator.get(address)
    assert f'name="seen" value="{read.context["seen"]}"' in read.content.decode()
    edit(manager, base(program), units="30")
    for seen in (read.context["seen"], ""):
        response = administrator.post(address, {"seen": seen})
        assert response.status_code == 422
        assert "Somebody has changed the draft since you read it" in response.content.decode()
    assert row_of(base(program), timezone.now()).live.number == 1
    # The answer shows what it says now: that one may be published.
    assert administrator.post(address, {"seen": response.context["seen"]}).status_code == 302
    assert row_of(base(program), timezone.now()).live.body["units"] == "30"


def test_what_was_changed_since_it_was_read_is_not_asked_for(
    manager: Client, administrator: Client, program: Program
) -> None:
    set_four_eyes(program=program, on=True, actor=SYSTEM)
    edit(manager, base(program), units="3")
    address = url("rule_publish", program.code, "base")
    seen = manager.get(address).context["seen"]
    edit(administrator, base(program), units="30")
    assert manager.post(address, {"seen": seen}).status_code == 422
    assert row_of(base(program), timezone.now()).draft.asked_at is None


def test_a_draft_is_sent_back_with_a_reason(
    manager: Client, administrator: Client, program: Program
) -> None:
    set_four_eyes(program=program, on=True, actor=SYSTEM)
    edit(manager, base(program), units="3")
    publish(manager, url("rule_publish", program.code, "base"))
    address = url("rule_send_back", program.code, "base")
    assert administrator.post(address, {"note": ""}).status_code == 422
    administrator.post(address, {"note": "Far too much."})
    page = manager.get(url("rule_page", program.code, "base")).content.decode()
    assert "Far too much." in page


def test_only_administrators_change_who_publishes(
    manager: Client, administrator: Client, program: Program
) -> None:
    address = url("rule_settings", program.code)
    assert manager.post(address, {"four_eyes": "1"}).status_code == 403
    administrator.post(address, {"four_eyes": "1"})
    program.refresh_from_db()
    assert program.four_eyes


def test_a_rule_retires_and_an_end_to_come_is_called_off(manager: Client, program: Program) -> None:
    manager.post(url("rule_retire", program.code, "base"), {"ends_at": in_days(3)})
    page = manager.get(url("rule_page", program.code, "base")).content.decode()
    assert "It retires on" in page
    manager.post(url("rule_keep", program.code, "base"))
    assert row_of(base(program), timezone.now()).live.ends_at is None
    manager.post(url("rule_retire", program.code, "base"), {})
    assert row_of(base(program), timezone.now()).state == "ended"
    assert "Retired" in manager.get(url("rule_list", program.code)).content.decode()


def test_a_draft_is_discarded_and_a_rule_that_was_only_one_goes_with_it(
    manager: Client, program: Program
) -> None:
    edit(manager, base(program), units="3")
    rule = write(manager, program, "stamp-card")
    response = manager.post(url("rule_discard", program.code, "base"))
    assert response.url == url("rule_page", program.code, "base")
    response = manager.post(url("rule_discard", program.code, rule.code))
    assert response.url == url("rule_list", program.code)
    assert [each.code for each in program.earning_rules.all()] == ["base"]


def test_rules_are_listed_as_they_are_evaluated_and_moved_within_their_stage(
    manager: Client,
) -> None:
    program = make_program(
        earning_rules=[
            {"code": "stamps", "name": "Stamps", "kind": "stamps", "full_at": 10},
            {"code": "double", "name": "Double", "kind": "multiplier", "factor": 2},
            {"code": "one", "name": "One"},
            {"code": "two", "name": "Two"},
        ]
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


def test_those_who_only_look_see_no_buttons(analyst: Client, program: Program) -> None:
    for page in (url("rule_list", program.code), url("rule_page", program.code, "base")):
        text = analyst.get(page).content.decode()
        assert "Create rule" not in text
        assert "/edit/" not in text
