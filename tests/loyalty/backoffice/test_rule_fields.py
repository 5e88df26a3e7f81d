"""Nothing that a program file can say of a rule is out of reach in the browser: the fields of the
definitions are walked, and each is typed into the form."""

from __future__ import annotations

import json
import typing
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from loyalty.backoffice.rule_editor_forms import RuleEditorForm
from loyalty.backoffice.rule_kind_forms import FORMS, own_terms_initial, rule_initial, unasked
from loyalty.definitions import ProgramDefinition
from loyalty.models import Program, WalletType
from loyalty.rule_definitions import RULE_KINDS, EarningRuleDefinition
from loyalty.rules.bodies import MultiplierBody, RateBody
from loyalty.rules.engine import RuleVersion, evaluate
from loyalty.rules.facts import Basket, Line, Occasion
from loyalty.selectors.programs import definition_of, rule_definition
from loyalty.selectors.rules import row_of
from loyalty.unit_definitions import ExpiryDefinition, PendingDefinition
from members.conditions.moments import Moment
from tests.loyalty.backoffice.conftest import url
from tests.loyalty.backoffice.rules import edit, form_of, write
from tests.loyalty.backoffice.test_program_form import form_of as program_form_of
from tests.loyalty.factories import NOW, make_program, make_type

pytestmark = pytest.mark.django_db

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


@pytest.mark.parametrize(("kind", "path"), list(every_place()))
def test_everything_that_a_choice_offers_is_tried(kind: str, path: str) -> None:
    offered = choices(RULE_KINDS[kind], path)
    if offered and path != "kind":
        usual = field_at(RULE_KINDS[kind], path).default
        assert set(offered) - {"", usual} <= set(SAID[named(kind, path)])


@pytest.mark.parametrize(("kind", "path"), list(every_place()))
def test_whatever_a_file_can_say_of_a_rule_can_be_typed(kind: str, path: str) -> None:
    first = path.split(".", maxsplit=1)[0]
    if (kind, first) == ("multiplier", "base"):
        pytest.skip("means nothing: see the test of it below")
    alone = kind in WINDOWED and not path.startswith("caps.budget")
    if alone and first in ("caps", "group", "stops"):
        for value in SAID[path]:
            with pytest.raises(ValidationError):
                definition(kind, path, value)
        return
    offered = set(choices(RULE_KINDS[kind], path))
    for value in SAID[named(kind, path)]:
        if offered and value not in offered:
            continue
        wanted = definition(kind, path, value)
        form = typed(wanted)
        assert form.is_valid(), (value, form.errors)
        assert form.definition(wanted.code) == wanted


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
