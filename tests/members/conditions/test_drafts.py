"""The builder's inputs and conditions are two ways to write the same."""

from typing import Any

import pytest
from django.http import QueryDict

from members.backoffice.condition_builder import ConditionField
from members.conditions.draft_steps import take_step
from members.conditions.drafts import Draft, draft_of, numbered, parts_of, read_draft, written
from members.conditions.fields import BEHAVIOR, CUSTOMER, LINE, ORDER, SEGMENTS
from members.conditions.tree import dump, parse

SCOPES = frozenset({ORDER, LINE, CUSTOMER, BEHAVIOR, SEGMENTS})
QUESTION = {"field": "behavior.orders", "op": "at_least", "value": "3"}
OTHER = {"field": "customer.country", "op": "one_of", "value": ["CY", "GR"]}

CONDITIONS: list[dict[str, Any]] = [
    {},
    {"all": [QUESTION]},
    {"any": [QUESTION, {"all": [OTHER, QUESTION]}]},
    {"not": QUESTION},
    {"all": [QUESTION, {"not": {"any": [OTHER, QUESTION]}}]},
    {"not": {"all": [OTHER, {"not": {"not": QUESTION}}]}},
    {"all": [{"field": "customer.attributes.club", "op": "empty"}]},
    {"all": [{"field": "order.time", "op": "between", "value": ["22:00", "02:00"]}]},
    {"all": [{"field": "customer.birthday", "op": "in_next_days", "value": 7}]},
    {"all": [{"lines": "none", "where": {"all": [
        {"field": "line.sku", "op": "is", "value": "A, B"}]}}]},
    {"all": [{"lines": "total", "op": "at_least", "value": "30"}]},
    {"any": [{"lines": "count", "where": {"not": {"field": "line.tags", "op": "has_any",
              "value": ["new"]}}, "op": "between", "value": ["1", "3"]}, QUESTION]},
]  # fmt: skip


def inputs_of(draft: Draft, name: str = "when") -> QueryDict:
    """What the page would send for a draft."""
    sent = QueryDict(mutable=True)
    for part in parts_of(draft):
        at = f"{name}.{part.place}" if part.place else name
        sent[f"{at}.kind"] = part.kind
        sent[f"{at}.mode"] = part.mode
        sent[f"{at}.field"], sent[f"{at}.rest"] = part.named, part.rest
        sent[f"{at}.op"] = part.op
        sent.setlist(f"{at}.value", part.values)
    return sent


def simple(condition: dict[str, Any]) -> Any:
    """A condition without doubled negations and groups of one, which mean the same."""
    return dump(parse(condition, scopes=SCOPES))


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_condition_comes_back_from_the_builder_as_it_was(condition: dict[str, Any]) -> None:
    draft = read_draft(inputs_of(draft_of(condition)), "when")
    said = written(draft)
    if condition and set(condition) & {"field", "lines"}:
        said = said["all"][0]
    assert simple(said) == simple(condition)


def test_the_field_answers_with_the_condition_that_was_put_together() -> None:
    field = ConditionField(scopes=SCOPES)
    sent = inputs_of(draft_of(CONDITIONS[2]))
    value = field.widget.value_from_datadict(sent, {}, "when")
    assert field.clean(value) == CONDITIONS[2]


def test_json_under_the_field_s_own_name_goes_before_the_builder() -> None:
    field = ConditionField(scopes=SCOPES)
    sent = inputs_of(draft_of({"all": [OTHER]}))
    sent["when"] = '{"not": {"field": "behavior.orders", "op": "at_least", "value": 3}}'
    value = field.widget.value_from_datadict(sent, {}, "when")
    assert field.clean(value) == CONDITIONS[3]


@pytest.mark.parametrize("text", ["{", "[]x", '{"field": "nothing", "op": "is"}', "3"])
def test_json_that_cannot_be_read_is_refused_and_shown_again(text: str) -> None:
    field = ConditionField(scopes=SCOPES)
    with pytest.raises(Exception, match=r"JSON|no field|Write"):
        field.clean(text)
    assert text.replace('"', "&quot;") in field.widget.render("when", text)


def test_errors_stand_at_the_part_that_they_are_about() -> None:
    field = ConditionField(scopes=SCOPES)
    broken = {"any": [QUESTION, {"not": {"any": [
        OTHER, {"field": "behavior.spend", "op": "at_least", "value": "much"}]}}]}  # fmt: skip
    sent = inputs_of(draft_of(broken))
    with pytest.raises(Exception, match="one part needs"):
        field.clean(field.widget.value_from_datadict(sent, {}, "when"))
    page = field.widget.render("when", field.widget.value_from_datadict(sent, {}, "when"))
    assert 'id="when.1.1-errors"' in page
    assert page.count("field-errors") == 1


def test_an_unfinished_question_asks_to_be_finished() -> None:
    field = ConditionField(scopes=SCOPES)
    sent = QueryDict("when.kind=group&when.0.kind=question&when.0.field=")
    with pytest.raises(Exception, match="one part needs"):
        field.clean(field.widget.value_from_datadict(sent, {}, "when"))
    page = field.widget.render("when", field.widget.value_from_datadict(sent, {}, "when"))
    assert "Choose what to ask about." in page


def test_what_must_not_be_empty_asks_for_a_question() -> None:
    field = ConditionField(scopes=SCOPES, required=True)
    with pytest.raises(Exception, match="at least one question"):
        field.clean(field.widget.value_from_datadict(QueryDict("when.kind=group"), {}, "when"))


def test_parts_are_added_and_removed_where_one_asks() -> None:
    draft = draft_of({"all": [QUESTION]})
    assert take_step(draft, "group:") == "1.0.field"
    assert take_step(draft, "question:1") == "1.1.field"
    assert take_step(draft, "lines:1") == "1.2.mode"
    assert [part.place for part in parts_of(draft)] == [
        "", "0", "1", "1.0", "1.1", "1.2", "1.2.0", "1.2.0.0",
    ]  # fmt: skip
    assert take_step(draft, "remove:1.0") == "1.add"
    assert take_step(draft, "remove:0") == "add"
    assert [part.kind for part in parts_of(draft)] == [
        "group", "group", "question", "lines", "group", "question",
    ]  # fmt: skip


@pytest.mark.parametrize("step", ["remove:", "remove:7", "group:0", "drop:0:9", "explode:0", "::"])
def test_a_step_that_makes_no_sense_changes_nothing(step: str) -> None:
    draft = draft_of({"all": [QUESTION]})
    take_step(draft, step)
    assert written(numbered(draft)) == {"all": [QUESTION]}


def test_another_kind_of_field_begins_with_its_first_question_and_no_value() -> None:
    sent = inputs_of(draft_of({"all": [OTHER]}))
    sent["when.0.field"], sent["when.0.was"] = "behavior.spend", "text"
    draft = read_draft(sent, "when")
    assert (draft.parts[0].op, draft.parts[0].values) == ("at_least", [])
