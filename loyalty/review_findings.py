"""What the facts of a quarter say of a program: rules that turn numbers into findings. Pure, and
without a word: `loyalty.review_sentences` has those."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Literal

from loyalty.review_registry import Opinion, Use
from loyalty.target_bands import Band, state_in

Part = Literal["works", "weak", "unused", "costly", "said", "goals"]
Tone = Literal["good", "bad", "news"]
Direction = Literal["up", "down"]
Facts = Mapping[str, str | None]

# A figure without a band is worth a word once it differs from a quarter ago by such a part.
MOVED = Decimal("0.1")
# What could be used for fewer days of a quarter, and still can, is not called unused yet.
LEAST_DAYS = 30
# Fewer answers tell nothing, and might tell of somebody.
LEAST_ANSWERS = 5
# From where on a score is good, and below what it is bad: of NPS, and of a mean as a part of all.
GOOD_NPS, BAD_NPS = Decimal(30), Decimal(0)
GOOD_MEAN, BAD_MEAN = Decimal("0.8"), Decimal("0.6")
# Figures that are about money which is given away or owed.
COSTS = frozenset({"liability_share", "cost_share"})
PARTS: Sequence[Part] = ("weak", "costly", "unused", "said", "goals", "works")
TONES: Sequence[Tone] = ("bad", "news", "good")


@dataclass(frozen=True, slots=True)
class FigureFact:
    """A key figure at the end of the quarter, and a quarter before. Of a tier: who is at it and no
    higher one."""

    code: str
    direction: Direction
    value: Decimal | None
    before: Decimal | None
    band: Band | None = None
    tier_code: str = ""
    tier_name: str = ""


@dataclass(frozen=True, slots=True)
class GoalFact:
    """`state`: on_track, behind, overdue or reached of an open one, else how it ended."""

    key: str
    metric: str
    tier_name: str
    state: str
    target: Decimal
    value: Decimal | None
    due_on: str


@dataclass(frozen=True, slots=True)
class Quarterly:
    """All that a review looks at. `answered`: members said something, be it without a scale;
    `asking`: the name of the page on which they are asked."""

    program: str
    figures: Sequence[FigureFact] = ()
    uses: Sequence[Use] = ()
    opinions: Sequence[Opinion] = ()
    answered: bool = False
    goals: Sequence[GoalFact] = ()
    asking: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """`key`: what it is about; `facts`: its numbers, and names."""

    key: str
    rule: str
    part: Part
    tone: Tone
    facts: Facts = field(default_factory=dict)
    place: str = ""
    place_key: str = ""


def findings_of(quarter: Quarterly) -> list[Finding]:
    """The parts in their order, in each what is to be changed first."""
    found = [
        *_of_figures(quarter),
        *_of_uses(quarter.uses),
        *_of_opinions(quarter),
        *_of_goals(quarter),
    ]
    return sorted(found, key=lambda item: (PARTS.index(item.part), TONES.index(item.tone)))


def _of_figures(quarter: Quarterly) -> Iterator[Finding]:
    for figure in quarter.figures:
        found = _of_figure(figure)
        if found is not None:
            yield replace(found, place_key=quarter.program)


def _of_figure(figure: FigureFact) -> Finding | None:
    """None: nothing was measured, or it has no band and is much as it was."""
    if figure.value is None:
        return None
    state = state_in(figure.band, figure.value)
    if state == "inside":
        return _figure(figure, "figure_inside", "works", "good")
    if state == "free":
        moved = change_of(figure.value, figure.before)
        if moved is None or abs(moved) < MOVED:
            return None
        better = (moved > 0) == (figure.direction == "up")
        return (
            _figure(figure, "figure_better", "works", "good")
            if better
            else _figure(figure, "figure_worse", _worse(figure), "bad")
        )
    worse = state == ("below" if figure.direction == "up" else "above")
    # Of tiers either end is wrong: one that nearly everybody reaches is none.
    if worse or figure.tier_code:
        return _figure(figure, f"figure_{state}", _worse(figure), "bad")
    return _figure(figure, f"figure_{state}", "works", "good")


def _worse(figure: FigureFact) -> Part:
    return "costly" if figure.code in COSTS else "weak"


def change_of(value: Decimal, before: Decimal | None) -> Decimal | None:
    """How much more it is, as a part of what it was; None: there was nothing to compare with."""
    return (value - before) / abs(before) if before else None


def _figure(figure: FigureFact, rule: str, part: Part, tone: Tone) -> Finding:
    band = figure.band
    facts = {
        "metric": figure.code, "tier_code": figure.tier_code, "tier": figure.tier_name,
        "value": text(figure.value), "before": text(figure.before),
        "low": text(band.low) if band else None, "high": text(band.high) if band else None,
    }  # fmt: skip
    key = ":".join(bit for bit in ("figure", figure.code, figure.tier_code) if bit)
    place = "tier_set_page" if figure.tier_code else "overview"
    return Finding(key, rule, part, tone, facts, f"loyalty_backoffice:{place}")


def _of_uses(uses: Iterable[Use]) -> Iterator[Finding]:
    for use in uses:
        if not use.used and use.days >= (1 if use.ended else LEAST_DAYS):
            yield _use(use, "unused", "unused", "bad")
        if use.used and use.cost is not None and use.limit is not None and use.cost > use.limit:
            yield _use(use, "dear", "costly", "bad")


def _use(use: Use, rule: str, part: Part, tone: Tone) -> Finding:
    facts = {
        "kind": use.kind, "name": use.name, "used": str(use.used), "days": str(use.days),
        "cost": text(use.cost), "limit": text(use.limit),
        "measured": "yes" if use.measured else None,
    }  # fmt: skip
    return Finding(
        f"{rule}:{use.kind}:{use.key}", rule, part, tone, facts, use.place, use.place_key
    )


def _of_opinions(quarter: Quarterly) -> Iterator[Finding]:
    if not quarter.answered and quarter.asking:
        yield Finding(
            "said:nobody", "said_nobody", "said", "bad", {}, quarter.asking, quarter.program
        )
    for said in quarter.opinions:
        few = said.answers < LEAST_ANSWERS
        facts = {
            "survey": said.survey, "question": said.question, "scale": said.scale,
            "score": None if few else text(said.score), "answers": str(said.answers),
            "most": str(said.most),
        }  # fmt: skip
        yield Finding(
            f"said:{said.key}", "said_few" if few else "said", "said",
            "news" if few else opinion_tone(said), facts, said.place, said.place_key,
        )  # fmt: skip


def opinion_tone(said: Opinion) -> Tone:
    if said.scale == "nps":
        good, bad = GOOD_NPS, BAD_NPS
    else:
        good, bad = GOOD_MEAN * said.most, BAD_MEAN * said.most
    return "good" if said.score >= good else "bad" if said.score < bad else "news"


def _of_goals(quarter: Quarterly) -> Iterator[Finding]:
    if not quarter.goals:
        yield Finding(
            "goal:none", "goal_none", "goals", "news", {}, "loyalty_backoffice:goal_create",
            quarter.program,
        )  # fmt: skip
    for goal in quarter.goals:
        facts = {
            "metric": goal.metric, "tier": goal.tier_name, "state": goal.state,
            "target": text(goal.target), "value": text(goal.value), "due_on": goal.due_on,
        }  # fmt: skip
        yield Finding(
            f"goal:{goal.key}", "goal", "goals", _GOAL_TONES.get(goal.state, "news"), facts,
            "loyalty_backoffice:goals_of", quarter.program,
        )  # fmt: skip


_GOAL_TONES: Mapping[str, Tone] = {
    "reached": "good", "on_track": "good", "behind": "bad", "overdue": "bad", "missed": "bad",
}  # fmt: skip


def text(value: Decimal | None) -> str | None:
    """As it is kept: exact, without zeros that say nothing."""
    return None if value is None else f"{value.normalize():f}"
