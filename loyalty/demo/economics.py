"""What the demonstration's marketing manager has worked out of the program."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from django.utils import timezone

from loyalty.economics import Inputs
from loyalty.models import EconomicScenario, Program
from loyalty.selectors.economics import inputs_of_data, program_data
from loyalty.services.economics import Assumed, keep_assumptions, save_scenario
from members.models import User
from members.services.audit import Actor

# What is said of the shop; without the program members would spend nine tenths of what they do.
MARGIN, ADMINISTRATION, PLATFORM = Decimal(32), Decimal(2), Decimal(2400)
SUPPORT, MESSAGING = Decimal(3), Decimal(15)
WITHOUT = Decimal("0.9")


def people_reckon(program: Program) -> None:
    """Once, however often the demonstration is loaded."""
    mia = User.objects.filter(staff_member__role="marketing_manager").first()
    if mia is None or EconomicScenario.objects.filter(program=program).exists():
        return
    now, actor = timezone.now(), Actor.of_user(mia)
    data = program_data(program, now)
    if data.spend is None:
        return
    assumed = Assumed(
        margin=MARGIN, spend_without=round(data.spend * WITHOUT, 0), administration=ADMINISTRATION,
        platform_fee=PLATFORM, support=SUPPORT, messaging=MESSAGING,
    )  # fmt: skip
    kept = keep_assumptions(program=program, assumed=assumed, actor=actor, now=now)
    inputs = inputs_of_data(data, kept)
    if inputs is None:
        return
    for name, scenario in _scenarios(inputs):
        save_scenario(program=program, name=name, inputs=scenario, actor=actor, now=now)


def _scenarios(inputs: Inputs) -> list[tuple[str, Inputs]]:
    half = (inputs.spend_with + inputs.spend_without) / 2
    return [
        ("As it is", inputs),
        ("Half the lift", replace(inputs, spend_with=half)),
        ("Half a percent more", replace(inputs, reward_rate=inputs.reward_rate + Decimal("0.5"))),
    ]
