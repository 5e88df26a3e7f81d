"""Nothing that a program file can say of a rule is out of reach in the browser: the fields of the
definitions are walked, and each is typed into the form."""

from __future__ import annotations

import json
import typing
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from loyalty.backoffice.rule_editor_forms import RuleEditorForm
from loyalty.backoffice.rule_kind_forms import FORMS, own_terms_initial, rule_initial, unasked
from loyalty.models import WalletType
from loyalty.rule_definitions import RULE_KINDS, EarningRuleDefinition
from loyalty.rules.bodies import MultiplierBody, RateBody
from loyalty.rules.engine import RuleVersion, evaluate
from loyalty.rules.facts import Basket, Line, Occasion
from loyalty.unit_definitions import ExpiryDefinition, PendingDefinition
from members.conditions.moments import Moment
from tests.loyalty.factories import NOW

ORDER = {"all": [{"field": "order.total", "op": "at_least", "value": "50"}]}
DEED = {"all": [{"field": "activity.subject", "op": "is", "value": "MUG"}]}
MEMBER = {"all": [{"field": "behavior.orders", "op": "at_least", "value": "1"}]}

# The least that a rule of each kind says.
LEAST: dict[str, dict[str, Any]] = {
    "rate": {},
    "cashback": {"percent": "5"},
    "fixed": {"units": "10"},
    "multiplier": {"factor": "2"},
    "threshold_bonus": {"reach": "50"},
    "nth_purchase": {"number": 5},
    "stamps": {"full_at": 10},
    "streak": {"length": 4},
    "activity": {"activity": "review", "units": "50"},
    "occasion": {"units": "200"},
}
# What each field may say besides what it says without: at least one thing, of a choice everything.
SAID: dict[str, list[Any]] = {
    "code": ["own-code"],
    "name": ["Another name"],
    "wallet_type": ["miles"],
    "when": [ORDER],
    "kind": [],
    "base.include_tax": [True],
    "base.include_shipping": [True],
    "base.after_discounts": [False],
    "base.paid_with_stored_value": [False],
    "base.paid_with_units": [True],
    **{
        f"{part}.{name}": [["Tea", "Coffee & cake"]]
        for part in ("include", "exclude")
        for name in ("categories", "skus", "tags")
    },
    "rounding.per": ["line"],
    "rounding.mode": ["nearest", "up"],
    "caps.per_order": ["100.5"],
    **{
        f"caps.per_member.{period}": ["200", "0.5"]
        for period in ("day", "week", "month", "year", "lifetime")
    },
    "caps.budget": ["10000"],
    "caps.budget_money": ["2500.5"],
    "group": ["best"],
    "stops": [True],
    "measure": ["quantity"],
    "units": ["0.0001", "1234567890"],
    "per": ["0.25"],
    "percent": ["2.5", "100"],
    "by_category": [[{"category": "Tea", "percent": "0"}, {"category": "Mugs", "percent": "7.25"}]],
    "by_margin": [[{"at_least": "-5.5", "percent": "0"}, {"at_least": "40", "percent": "7.25"}]],
    "brackets": [[{"above": "0", "percent": "1"}, {"above": "500.5", "percent": "3"}]],
    "factor": ["1.0001", "1000"],
    "of": [["base", "other"]],
    "reach": ["0.5"],
    "window": ["order", "day", "week", "month", "quarter", "year", "lifetime"],
    "repeats": [True, False],
    "number": [1, 10_000],
    "least": ["20.5"],
    "stamp_per": ["quantity", "money"],
    "each": ["2.5"],
    "full_at": [2, 1000],
    "length": [2, 366],
    "of_streak": ["day", "month"],
    "activity": ["survey"],
    "times": ["run.kilometers"],
    "fractions": ["nearest", "up"],
    "day": ["enrollment", "first_purchase"],
    "days_before": [60],
    "pending.pending_from": ["paid", "fulfilled", "completed"],
    "pending.pending_days": [0, 365],
    "expiry.kind": ["never", "days", "months", "years", "end_of_period", "fixed_date",
                    "inactivity"],
    "expiry.length": [1, 120],
    "expiry.period": ["month", "quarter", "half_year", "year"],
    "expiry.month_day": ["02-28"],
    "expiry.counted_from": ["maturity"],
    "expiry.last_day": ["start_of_day"],
    "expiry.renewed_by": [["accrual"], ["gift", "redemption"], ["pool"]],
    "expiry.restored_days": [30],
    "expiry.warned_days": [14],
}  # fmt: skip
# They belong to several orders: no file can give them limits, or a place among others.
WINDOWED = ("nth_purchase", "stamps", "streak")
EXPIRY_OF = {
    "days": {"length": 10}, "months": {"length": 12}, "years": {"length": 2}, "never": {},
    "end_of_period": {"length": 0, "period": "year"}, "fixed_date": {"month_day": "12-31"},
    "inactivity": {"length": 18},
}  # fmt: skip


@pytest.fixture(autouse=True)
def _coherent() -> None:
    """Forms alone: nothing is booked."""


def leaves(model: type[BaseModel], path: str = "") -> Iterator[str]:
    """Every place at which a definition says something, those within others too."""
    for name, field in model.model_fields.items():
        inner = [
            part
            for part in (field.annotation, *typing.get_args(field.annotation))
            if isinstance(part, type) and issubclass(part, BaseModel)
        ]
        if inner and typing.get_origin(field.annotation) is not tuple:
            yield from leaves(inner[0], f"{path}{name}.")
        else:
            yield f"{path}{name}"


def field_at(model: type[BaseModel], path: str) -> FieldInfo:
    *outer, name = path.split(".")
    for part in outer:
        annotation = model.model_fields[part].annotation
        model = next(
            each for each in (annotation, *typing.get_args(annotation))
            if isinstance(each, type) and issubclass(each, BaseModel)
        )  # fmt: skip
    return model.model_fields[name]


def choices(model: type[BaseModel], path: str) -> tuple[Any, ...]:
    """What a place can be chosen to say, where it is a choice."""
    annotation = field_at(model, path).annotation
    return typing.get_args(annotation) if typing.get_origin(annotation) is typing.Literal else ()


def named(kind: str, path: str) -> str:
    return "of_streak" if (kind, path) == ("streak", "of") else path


def definition(kind: str, path: str, value: Any) -> EarningRuleDefinition:
    """The least of its kind, with this said too, and what has to be said with it."""
    said: dict[str, Any] = {"kind": kind, "name": "Rule", **LEAST[kind]}
    if path == "brackets":
        del said["percent"]
    if path.startswith("expiry."):
        name = path.removeprefix("expiry.")
        of = {
            "kind": value, "period": "end_of_period", "month_day": "fixed_date",
            "renewed_by": "inactivity",
        }.get(name, "months")  # fmt: skip
        said["expiry"] = {"kind": of, **EXPIRY_OF[of]}
    if path == "fractions":
        said["times"] = "kilometers"
    if path == "when":
        value = {"activity": DEED, "occasion": MEMBER}.get(kind, ORDER)
    place = said
    *outer, last = path.split(".")
    for part in outer:
        place = place.setdefault(part, {})
    place[last] = value
    return EarningRuleDefinition.model_validate(said)


def options() -> dict[str, Any]:
    return {
        "wallet_types": [
            WalletType(code=code, singular=code, plural=code) for code in ("points", "miles")
        ],
        "multiplied": [("base", "Base"), ("other", "Other")],
        "activity_types": [("review", "Review"), ("survey", "Survey")],
    }


def typed(wanted: EarningRuleDefinition) -> RuleEditorForm:
    """The form with the rule in its fields, sent as a browser sends it."""
    body = wanted.body()
    initial = {
        **rule_initial(wanted.name, wanted.wallet_type, body),
        **own_terms_initial(wanted, PendingDefinition(), ExpiryDefinition()),
        "code": wanted.code,
    }
    form = FORMS[body.kind](initial=initial, **options())
    sent = {name: form[name].value() for name in form.fields}
    sent["when"] = json.dumps(sent["when"] or {})
    sent = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in sent.items()
        if value is not None and value is not False
    }
    return FORMS[body.kind](sent, **options())


def every_place() -> Iterator[tuple[str, str]]:
    for kind, model in RULE_KINDS.items():
        for path in leaves(model):
            yield kind, path


def test_no_field_of_a_rule_is_forgotten_here() -> None:
    places = {named(kind, path) for kind, path in every_place()}
    assert places == set(SAID)


def test_everything_that_a_choice_offers_is_tried() -> None:
    for kind, path in every_place():
        offered = choices(RULE_KINDS[kind], path)
        if offered and path != "kind":
            usual = field_at(RULE_KINDS[kind], path).default
            assert set(offered) - {"", usual} <= set(SAID[named(kind, path)]), (kind, path)


@pytest.mark.parametrize("kind", RULE_KINDS)
def test_whatever_a_file_can_say_of_a_rule_can_be_typed(kind: str) -> None:
    wrong: list[tuple[str, Any, Any]] = []
    for path in leaves(RULE_KINDS[kind]):
        first = path.split(".", maxsplit=1)[0]
        if (kind, first) == ("multiplier", "base"):
            continue  # means nothing: see the test of it below
        alone = kind in WINDOWED and not path.startswith("caps.budget")
        if alone and first in ("caps", "group", "stops"):
            wrong += [(path, value, "taken") for value in SAID[path] if takes(kind, path, value)]
            continue
        offered = set(choices(RULE_KINDS[kind], path))
        for value in SAID[named(kind, path)]:
            if not offered or value in offered:
                wanted = definition(kind, path, value)
                form = typed(wanted)
                if not form.is_valid() or form.definition(wanted.code) != wanted:
                    wrong.append((path, value, form.errors))
    assert wrong == []


def takes(kind: str, path: str, value: Any) -> bool:
    """Whether a file can say it."""
    try:
        definition(kind, path, value)
    except ValidationError:
        return False
    return True


def test_what_a_multiplier_says_of_money_means_nothing_and_is_kept() -> None:
    """It multiplies what others give, whatever counted for them."""
    basket = Basket((Line(1, Decimal(10), discount=Decimal(5)),), shipping_total=Decimal(3))
    order = Occasion(basket, Moment(NOW, NOW.tzinfo))  # type: ignore[arg-type]
    usual = MultiplierBody(kind="multiplier", factor=Decimal(2))
    other = MultiplierBody.model_validate(
        {"kind": "multiplier", "factor": 2,
         "base": {"after_discounts": False, "include_shipping": True}}
    )  # fmt: skip
    given = [
        evaluate(
            (RuleVersion(1, "rate", 1, 1, 0, RateBody()), RuleVersion(2, "x", 1, 1, 0, body)), order
        ).units()
        for body in (usual, other)
    ]
    assert given[0] == given[1] == {1: 10, 2: 10}
    wanted = EarningRuleDefinition.model_validate({**other.model_dump(), "name": "Rule"})
    form = typed(wanted)
    assert form.is_valid()
    assert form.definition(wanted.code, unasked(other)) == wanted
