"""Reading conditions: what is taken, what is refused, and at which node."""

import pytest

from members.conditions.fields import CUSTOMER, LINE, ORDER
from members.conditions.sentences import sentence
from members.conditions.tree import ALWAYS, ConditionError, at, dump, parse

EVERYTHING = frozenset({CUSTOMER, LINE, ORDER})


def read(data, **how):
    return parse(data, scopes=how.pop("scopes", EVERYTHING), **how)


def test_no_condition_always_holds():
    assert read({}) == read(None) == ALWAYS
    assert sentence(ALWAYS) == ""


@pytest.mark.parametrize(
    "data",
    [
        {"field": "order.total", "op": "at_least", "value": "50"},
        {"field": "customer.country", "op": "one_of", "value": ["CY", "GR"]},
        {"field": "customer.birthday", "op": "in_next_days", "value": 30},
        {"field": "customer.birthday", "op": "this_month"},
        {"field": "order.time", "op": "between", "value": ["22:00", "02:00"]},
        {"field": "order.weekday", "op": "one_of", "value": ["saturday", "sunday"]},
        {"all": [{"not": {"field": "customer.tags", "op": "empty"}}]},
        {"any": [{"field": "customer.attributes.shoe size", "op": "is", "value": "42"}]},
        {"lines": "any", "where": {"field": "line.category", "op": "is", "value": "Tea"}},
        {"lines": "count", "op": "at_least", "value": "3"},
        {"lines": "total", "where": {"field": "line.brand", "op": "is", "value": "Ah"},
         "op": "more_than", "value": "9.5"},
    ],
)  # fmt: skip
def test_what_is_read_is_written_back(data):
    assert dump(read(data)) == data
    assert read(dump(read(data))) == read(data)


WRONG = [
    ({"field": "order.totl", "op": "is", "value": 1}, "field", "unknown_field"),
    ({"field": "order.total", "op": "contains", "value": 1}, "op", "unknown_operator"),
    ({"field": "order.total", "op": "at_least", "value": "much"}, "value", "wrong_value"),
    ({"field": "order.total", "op": "at_least"}, "value", "wrong_value"),
    ({"field": "order.total", "op": "at_least", "value": True}, "value", "wrong_value"),
    ({"field": "order.total", "op": "at_least", "value": "1.00001"}, "value", "wrong_value"),
    ({"field": "order.total", "op": "at_least", "value": "NaN"}, "value", "wrong_value"),
    ({"field": "order.total", "op": "between", "value": [5, 2]}, "value", "wrong_value"),
    ({"field": "order.day", "op": "on", "value": "31.12.2026"}, "value", "wrong_value"),
    ({"field": "order.time", "op": "between", "value": ["6pm", "7pm"]}, "value", "wrong_value"),
    ({"field": "order.weekday", "op": "one_of", "value": ["Saturday"]}, "value", "wrong_value"),
    ({"field": "order.paid_with", "op": "has_any", "value": ["shells"]}, "value",
     "wrong_value"),
    ({"field": "customer.country", "op": "one_of", "value": []}, "value", "wrong_value"),
    ({"field": "customer.birthday", "op": "this_month", "value": 3}, "value", "wrong_value"),
    ({"field": "customer.country", "op": "is", "value": "GR", "or": 1}, "or", "unknown_key"),
    ({"all": [{"field": "order.total", "op": "is", "value": 1}, {"fild": 1}]}, "all[1].fild",
     "unknown_key"),
    ({"all": []}, "all", "invalid"),
    ({"any": {"field": "order.total"}}, "any", "invalid"),
    ({"not": [1]}, "not", "invalid"),
    ({"lines": "any"}, "where", "invalid"),
    ({"lines": "some"}, "lines", "invalid"),
    ({"lines": "any", "where": {"field": "order.total", "op": "is", "value": 1}},
     "where.field", "field_out_of_place"),
    ("order.total > 50", "", "invalid"),
]  # fmt: skip


def test_what_is_wrong_is_named_by_its_node():
    assert [row for row in WRONG if row[1:] not in named(row[0])] == []


def named(data):
    """What is said to be wrong of it, by its node."""
    with pytest.raises(ConditionError) as caught:
        read(data)
    return [(error.field, error.code) for error in caught.value.errors]


def test_everything_that_is_wrong_is_named_at_once():
    with pytest.raises(ConditionError) as caught:
        parse(
            {"all": [{"field": "x", "op": "is"}, {"field": "order.total", "op": "like"}]},
            scopes=EVERYTHING,
            path="when",
        )
    assert [error.field for error in caught.value.errors] == ["when.all[0].field", "when.all[1].op"]


def test_a_field_is_refused_where_its_facts_are_missing():
    with pytest.raises(ConditionError):
        read({"field": "order.total", "op": "is", "value": 1}, scopes=frozenset({CUSTOMER}))
    with pytest.raises(ConditionError):
        read({"lines": "count", "op": "is", "value": 1}, scopes=frozenset({CUSTOMER}))


def test_groups_are_not_nested_without_end():
    data: dict = {"field": "order.total", "op": "is", "value": 1}
    for _level in range(7):
        data = {"not": data}
    with pytest.raises(ConditionError, match="too deeply"):
        read(data)


def test_a_condition_has_a_hundred_questions_at_most():
    question = {"field": "order.total", "op": "is", "value": 1}
    with pytest.raises(ConditionError, match="100 questions"):
        read({"any": [question] * 101})


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"field": "order.total", "op": "at_least", "value": 50}, "Order total is at least 50.00"),
        (
            {"all": [
                {"field": "customer.country", "op": "one_of", "value": ["GR", "CY"]},
                {"any": [
                    {"field": "customer.birthday", "op": "in_next_days", "value": 7},
                    {"not": {"field": "order.channel", "op": "is", "value": "till"}},
                ]},
            ]},
            "Country is one of CY, GR and (birthday is in the next 7 days or not: channel is till)",
        ),
        (
            {"lines": "total", "where": {"field": "line.category", "op": "is", "value": "Tea"},
             "op": "at_least", "value": 20},
            "Sum of prices where category is Tea is at least 20.00",
        ),
        (
            {"field": "order.weekday", "op": "one_of", "value": ["sunday", "saturday"]},
            "Weekday is one of Saturday, Sunday",
        ),
        (
            {"field": "order.weekday", "op": "one_of", "value": ["friday"]},
            "Weekday is Friday",
        ),
        (
            {"field": "customer.country", "op": "none_of", "value": ["GR"]},
            "Country is not GR",
        ),
        (
            {"field": "customer.tags", "op": "has_any", "value": list("abcdefgh")},
            "Tags include one of a, b, c, d, e, 3 more",
        ),
        ({"field": "customer.tags", "op": "has_any", "value": ["student"]}, "Tags include student"),
        (
            {"field": "customer.tags", "op": "has_none", "value": ["student"]},
            "Tags do not include student",
        ),
        ({"field": "customer.tags", "op": "empty"}, "Tags are empty"),
    ],
)  # fmt: skip
def test_a_condition_reads_as_a_sentence(data, words):
    assert sentence(read(data)) == words


def test_a_place_leads_to_its_node():
    tree = read(
        {"all": [{"field": "order.total", "op": "is", "value": 1},
                 {"not": {"field": "order.items", "op": "is", "value": 2}}]}
    )  # fmt: skip
    assert at(tree, "1.0").field.name == "order.items"
    assert at(tree, "") == tree
