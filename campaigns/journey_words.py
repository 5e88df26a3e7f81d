"""The steps of a journey in words."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.journey_definitions import (
    CheckStep,
    ClockStep,
    JourneyDefinition,
    MessageStep,
    RewardStep,
    Step,
    UnitsStep,
    WaitStep,
    read_audience,
)
from campaigns.occasions import occasion_named
from members.conditions.sentences import sentence

ICONS = {
    "message": "mail", "wait": "hourglass", "clock": "clock", "check": "git-branch",
    "units": "coins", "reward": "gift", "end": "flag",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ShownStep:
    """A step in its place. `people`: how many are at it now, `share` of the most, in percent."""

    number: int
    key: str
    icon: str
    words: str
    more: str = ""
    people: int = 0
    share: int = 0
    last: bool = False


def shown_steps(definition: JourneyDefinition, people: dict[str, int]) -> list[ShownStep]:
    most = max(people.values(), default=0)
    numbers = {step.key: number for number, step in enumerate(definition.steps, 1)}
    return [
        ShownStep(
            number, step.key, ICONS[step.kind], step_words(step), _more(step, numbers),
            people.get(step.key, 0), 100 * people.get(step.key, 0) // most if most else 0,
            number == len(definition.steps),
        )
        for number, step in enumerate(definition.steps, 1)
    ]  # fmt: skip


def step_words(step: Step) -> str:
    match step:
        case MessageStep():
            occasion = occasion_named(step.message)
            return _("Tell: %s") % (occasion.label if occasion else step.message)
        case WaitStep():
            return _("Wait %s") % _time(step)
        case ClockStep():
            return _("Wait until it is %s for them") % step.time.strftime("%H:%M")
        case CheckStep():
            return _("Go on if: %s") % sentence(read_audience(step.when).root)
        case UnitsStep():
            return _("Give %s units") % step.units.normalize().to_eng_string()
        case RewardStep():
            return _("Give the reward %s") % step.reward
    return _("End")


def _time(step: WaitStep) -> str:
    days = ngettext("%s day", "%s days", step.days) % step.days if step.days else ""
    hours = ngettext("%s hour", "%s hours", step.hours) % step.hours if step.hours else ""
    return " ".join(part for part in (days, hours) if part)


def _more(step: Step, numbers: dict[str, int]) -> str:
    if not isinstance(step, CheckStep):
        return ""
    if step.otherwise:
        return _("Else go to step %s") % numbers[step.otherwise]
    return _("Else it ends")
