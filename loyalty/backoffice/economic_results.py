"""What follows from a scenario, as pages show it: figures, tables and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from loyalty.economic_sentences import Sayer, days_of, measured_sentence, percent, times
from loyalty.economics import Economics, Inputs, Lift, Moved, Step, what_follows
from loyalty.models import EconomicScenario, Program
from loyalty.selectors.economics import inputs_of_scenario
from members.charts import Chart, Series
from members.formatting import format_money, format_number

MOVED: tuple[Moved, ...] = ("lift", "rate")


@dataclass(frozen=True, slots=True)
class StepRow:
    """What follows of another lift or rate, in words."""

    value: str
    now: bool
    cost: str
    gain: str
    net: str
    roi: str
    total: str
    loses: bool


def result_context(
    program: Program, inputs: Inputs, holdout: tuple[str, str] | None
) -> dict[str, Any]:
    """`holdout`: name and address of the one that measured the lift."""
    found = Economics(inputs)
    sayer = Sayer(found, program.currency)
    return {
        "outcome": found,
        "roi": times(found.roi),
        "groups": [
            (_("What a member costs"), "receipt", list(sayer.cost_lines())),
            (_("What a member brings"), "coins", list(sayer.gain_lines())),
            (_("When it breaks even"), "scale", list(sayer.break_even_lines())),
            (_("What is owed"), "hourglass", list(sayer.liability_lines())),
        ],
        "break_even": next(sayer.break_even_lines()),
        "holdout": holdout,
        "measured": measured_sentence(inputs, found, program.currency),
        "assumed": format_money(inputs.spend_without, program.currency),
        "moves": [
            (
                _title(moved), _note(moved, inputs.lift), _chart(moved, steps, program),
                _rows(moved, steps, program),
            )
            for moved, steps in steps_of(inputs)
        ],
    }  # fmt: skip


def steps_of(inputs: Inputs) -> list[tuple[Moved, list[Step]]]:
    return [(moved, what_follows(inputs, moved)) for moved in MOVED]


def compared_rows(
    scenarios: Sequence[EconomicScenario],
) -> list[tuple[str, list[tuple[str, list[str]]]]]:
    """What each says, and what follows; rows that are nothing in all of them are left out."""
    currency = scenarios[0].program.currency
    inputs = [inputs_of_scenario(item) for item in scenarios]
    outcomes = [Economics(item) for item in inputs]

    def money(values: Sequence[Decimal]) -> list[str]:
        return [format_money(value, currency) for value in values]

    said: list[tuple[str, list[str]]] = [
        (_("Members"), [format_number(item.members) for item in inputs]),
        (_("Spend without the program"), money([item.spend_without for item in inputs])),
        (_("Where that is from"), [
            _("Holdout, %s") % days_of(item.lift) if item.lift else _("Assumption")
            for item in inputs
        ]),
        (_("Spend with the program"), money([item.spend_with for item in inputs])),
    ]  # fmt: skip
    for name, label, is_share in (
        ("margin", _("Margin"), True), ("reward_rate", _("Reward rate"), True),
        ("bonuses", _("Bonuses per member"), False), ("redemption", _("Redemption rate"), True),
        ("breakage", _("Breakage"), True),
        ("administration", _("Administration per member"), False),
        ("platform_fee", _("Platform fee"), False), ("support", _("Support, on top"), True),
        ("messaging", _("Messaging, on top"), True), ("owed", _("Liability now"), False),
    ):  # fmt: skip
        values = [getattr(item, name) for item in inputs]
        if any(values):
            texts = [percent(value) for value in values] if is_share else money(values)
            said.append((label, texts))
    follows = [
        (_("Cost per member"), money([item.cost for item in outcomes])),
        (_("Gain per member"), money([item.gain for item in outcomes])),
        (_("Net per member"), money([item.net for item in outcomes])),
        (_("Return on investment"), [times(item.roi) for item in outcomes]),
        (_("Net of all members"), money([item.total_net for item in outcomes])),
    ]
    lines = [list(Sayer(item, currency).break_even_lines()) for item in outcomes]
    follows += [
        (parts[0].label, [part.text for part in parts]) for parts in zip(*lines, strict=True)
    ]
    follows.append(
        (_("Liability at the end of the year"), money([item.liability for item in outcomes]))
    )
    return [(_("What each says"), said), (_("What follows"), follows)]


def _rows(moved: Moved, steps: Sequence[Step], program: Program) -> list[StepRow]:
    def money(amount: Decimal) -> str:
        return format_money(amount, program.currency)

    return [
        StepRow(
            _value(moved, step.value, program), step.now, money(step.outcome.cost),
            money(step.outcome.gain), money(step.outcome.net), times(step.outcome.roi),
            money(step.outcome.total_net), step.outcome.net < 0,
        )
        for step in steps
    ]  # fmt: skip


def _chart(moved: Moved, steps: Sequence[Step], program: Program) -> Chart:
    nets = [round(step.outcome.net, 2) for step in steps]
    return Chart(
        id=f"economics-{moved}",
        title=_("Net per member"),
        labels=[_value(moved, step.value, program) for step in steps],
        series=[Series(_("Net per member"), nets)],
        unit=program.currency,
        summary=_("From %(least)s to %(most)s.")
        % {
            "least": format_money(min(nets), program.currency),
            "most": format_money(max(nets), program.currency),
        },
        x_label=_("Lift") if moved == "lift" else _("Reward rate"),
        height="sm",
    )


def _value(moved: Moved, value: Decimal, program: Program) -> str:
    return format_money(value, program.currency) if moved == "lift" else percent(value)


def _title(moved: Moved) -> str:
    return _("If members spend more or less") if moved == "lift" else _("If the rate changes")


def _note(moved: Moved, lift: Lift | None) -> str:
    if moved == "lift" and lift is not None:
        return _(
            "The lift is what a member spent more than those kept aside, in %s: not in a year."
        ) % days_of(lift)
    if moved == "lift":
        return _("The lift is what a member spends more than without the program, in a year.")
    return _(
        "All else stays: whether members spend more at a higher rate is not known until it is"
        " tried."
    )
