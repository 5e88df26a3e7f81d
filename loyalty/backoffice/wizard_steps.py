"""Which steps the wizard has for a draft, in their order, and how far it has come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from loyalty.drafted_programs import template_of
from loyalty.models import ProgramDraft
from loyalty.program_templates.kinds import ProgramTemplate
from loyalty.program_templates.questions import AskedQuestion

# What the short way offers: one of each family, in a sentence each.
STARTERS = (
    "points", "stamps-visit", "cashback", "discount-card", "pledge", "games", "referrals",
    "coalition", "experiences",
)  # fmt: skip
# What is asked together with a question of the short way.
TOGETHER: Mapping[str, tuple[str, ...]] = {
    "earn_units": ("unit_singular", "unit_plural", "earn_units", "earn_per"),
    "reward_units": ("reward_units", "reward_worth"),
    "unit_singular": ("unit_singular", "unit_plural", "reward_worth"),
    "charity_name": (
        "charity_name",
        "thing_singular",
        "thing_plural",
        "thing_price",
        "pledge_event",
        "pledge_things",
    ),
    "prizes": ("game_kind", "game_plays", "game_least", "game_price", "prizes"),
    "advocate_percent": ("advocate_gift", "advocate_units", "advocate_percent"),
    "friend_units": ("friend_gift", "friend_units", "friend_percent"),
    "experience_name": ("experience_name", "reward_units"),
    "event_name": ("event_name", "event_on", "event_place", "event_seats", "event_units"),
}
# Asked for few programs: behind “More”.
RARELY = ("unit_language", "unit_few", "unit_many", "spend_step", "spend_share")


@dataclass(frozen=True, slots=True)
class Step:
    """A screen with one job. `lead` says what it is about; `names`: the questions it asks."""

    code: str
    title: Promise
    lead: Promise
    icon: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """A step in the list of all: `url` where it can be gone to already."""

    step: Step
    number: int
    current: bool
    done: bool
    url: str


_SITUATION = Step(
    "situation", _("Your shop"),
    _("What your orders say about your customers. The next step reads the kind of program off it."),
    "building-store",
)  # fmt: skip
_KIND = Step(
    "kind", _("Kind of program"),
    _("What fits your shop, and why. Choose any: it can be changed as long as it is a draft."),
    "compass",
)  # fmt: skip
_NAME = Step(
    "program", _("Name"), _("What members read everywhere."), "typography",
)  # fmt: skip
_EARNING = Step(
    "earning", _("Earning and reward"),
    _("How fast the first reward comes decides whether members stay."), "coins",
)  # fmt: skip
_EXPIRY = Step(
    "expiry", _("How long it lasts"),
    _("What is never used is owed for ever, unless it expires."), "hourglass",
)  # fmt: skip
_TIERS = Step(
    "tiers", _("Tiers"), _("Where your own customers would stand. Drag a line, or type."),
    "stairs-up",
)  # fmt: skip
_PLAN = Step(
    "plan", _("The paid plan"),
    _("What it costs, and what it brings: worth more to whoever buys often than it costs them."),
    "credit-card",
)  # fmt: skip
_COMPANIES = Step(
    "companies", _("Companies"),
    _("What companies pay less, and who decides what their buyers use."), "building",
)  # fmt: skip
_PLEDGE = Step(
    "pledge", _("What you give"),
    _("A tree for each order, a meal for each friend: members see what came of it."), "plant-2",
)  # fmt: skip
_GAME = Step(
    "game", _("The game"),
    _("What can be won, and how likely. Members read the odds, and can check each draw."),
    "dice",
)  # fmt: skip
_FRIENDS = Step(
    "friends", _("Friends"),
    _("What both sides get once the friend has bought. Who is no customer can bring people too,"
      " as an affiliate."), "user-plus",
)  # fmt: skip
_PARTNERS = Step(
    "partners", _("Partners"), _("Where members earn and spend besides, and who owes whom."),
    "affiliate",
)  # fmt: skip
_EXPERIENCES = Step(
    "experiences", _("Beyond the price"),
    _("What cannot be bought. The first of each; more follow on the program’s own pages."),
    "confetti",
)  # fmt: skip
_BASE = Step(
    "base", _("What earns"), _("Which parts of an order count. The usual is chosen."), "receipt",
)  # fmt: skip
_TERMS = Step(
    "terms", _("Terms"), _("What members will read, word for word."), "file-text",
)  # fmt: skip
_COST = Step(
    "cost", _("What it costs"), _("Your own last year, had this program been there."), "scale",
)  # fmt: skip
_LAUNCH = Step(
    "launch", _("Launch"), _("Who takes part, and when it begins."), "rocket",
)  # fmt: skip
_REVIEW = Step(
    "review", _("Confirm"), _("What will happen when you press the button."), "checks",
)  # fmt: skip
# Asked by the kinds that have any of it, each in a step of its own: the group is called as it.
_OF_THEIR_KIND = (_COMPANIES, _PLEDGE, _GAME, _FRIENDS, _PARTNERS, _EXPERIENCES)
_WHAT = Step(
    "what", _("What they get"), _("Question 1 of 3: what do members get, and what is it called?"),
    "gift",
)  # fmt: skip
_RATE = Step("rate", _("The rate"), _("Question 2 of 3: one rate, for everybody."), "coins")
_REWARD = Step(
    "reward", _("The reward"), _("Question 3 of 3: one reward, close enough to be wanted."),
    "trophy",
)  # fmt: skip
# The second and the third question of kinds that are not about one rate and one reward. They are
# called as those, so that another kind can be chosen on the way.
_STARTER: Mapping[str, tuple[Step, Step]] = {
    "pledge": (
        Step(
            "rate",
            _("What you give"),
            _("Question 2 of 3: what do you give, and for what?"),
            "plant-2",
        ),
        Step(
            "reward",
            _("What they collect"),
            _("Question 3 of 3: what do members collect?"),
            "coins",
        ),
    ),
    "games": (
        _RATE,
        Step(
            "reward",
            _("The game"),
            _("Question 3 of 3: what can be won, and how likely is it?"),
            "dice",
        ),
    ),
    "referrals": (
        Step(
            "rate",
            _("For the member"),
            _("Question 2 of 3: what does it bring to bring a friend?"),
            "user-plus",
        ),
        Step(
            "reward",
            _("For the friend"),
            _("Question 3 of 3: and what does the friend get?"),
            "gift",
        ),
    ),
    "coalition": (
        _RATE,
        Step(
            "reward",
            _("Partners"),
            _("Question 3 of 3: who takes part, and who pays whom?"),
            "affiliate",
        ),
    ),
    "experiences": (
        Step(
            "rate", _("The experience"), _("Question 2 of 3: what do they collect for?"), "confetti"
        ),
        Step(
            "reward", _("The event"), _("Question 3 of 3: when do you meet them?"), "calendar-event"
        ),
    ),
}


def steps_of(draft: ProgramDraft) -> list[Step]:
    """Only those that the chosen kind needs."""
    template = template_of(draft)
    if draft.mode == ProgramDraft.Mode.STARTER:
        return _starter(template)
    return _full(template)


def _starter(template: ProgramTemplate | None) -> list[Step]:
    names = template.starter if template else ("earn_units", "reward_units")
    asked = [_asked_with(name, template) for name in names]
    pair = _STARTER.get(template.code if template else "", (_RATE, _REWARD))
    steps = [_with(step, found) for step, found in zip(pair, asked, strict=False)]
    return [_WHAT, *steps, _REVIEW]


def _asked_with(name: str, template: ProgramTemplate | None) -> tuple[str, ...]:
    together = TOGETHER.get(name, (name,))
    return tuple(item for item in together if template is None or item in template.asks)


def _full(template: ProgramTemplate | None) -> list[Step]:
    asked = _by_group(template) if template else {}
    program = ("program_name", *asked.get("units", ()))
    earning = (*asked.get("earning", ()), *asked.get("discount", ()), *asked.get("spending", ()))
    plan = asked.get("plan", ())
    if template is not None and template.family == "plan":
        # Whatever its members have is for the fee: asked together.
        plan, earning = (*plan, *earning), ()
    steps = [_SITUATION, _KIND, _with(_NAME, program)]
    if earning or template is None:
        steps.append(_with(_EARNING, earning))
    steps += [
        _with(step, names)
        for step, names in (
            (_PLAN, plan), *((step, asked.get(step.code, ())) for step in _OF_THEIR_KIND),
        )
        if names
    ]  # fmt: skip
    if asked.get("expiry") or template is None:
        steps.append(_with(_EXPIRY, asked.get("expiry", ())))
    if asked.get("tiers"):
        steps.append(_with(_TIERS, asked["tiers"]))
    if template is None or template.family not in ("discount", "plan"):
        steps.append(_BASE)
    return [*steps, _TERMS, _COST, _LAUNCH, _REVIEW]


def _by_group(template: ProgramTemplate) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for item in template.questions("USD"):
        if item.name in template.asks:
            group = item.question.group
            found[group] = (*found.get(group, ()), item.name)
    return found


def _with(step: Step, names: Sequence[str]) -> Step:
    return Step(step.code, step.title, step.lead, step.icon, tuple(names))


def questions_of(step: Step, draft: ProgramDraft, currency: str) -> list[AskedQuestion]:
    """The questions of a step, in the words of the draft's kind."""
    template = template_of(draft)
    asked = {item.name: item for item in template.questions(currency)} if template else {}
    return [asked[name] for name in step.names if name in asked]


def step_named(draft: ProgramDraft, code: str) -> Step | None:
    return next((step for step in steps_of(draft) if step.code == code), None)


def next_step(draft: ProgramDraft, step: Step) -> Step | None:
    """The one after it; None after the last."""
    steps = steps_of(draft)
    place = _index(steps, step.code)
    return steps[place + 1] if place + 1 < len(steps) else None


def step_before(draft: ProgramDraft, step: Step) -> Step | None:
    steps = steps_of(draft)
    place = _index(steps, step.code)
    return steps[place - 1] if place else None


def reachable(draft: ProgramDraft, step: Step) -> bool:
    """Whether everything before it was answered."""
    steps = steps_of(draft)
    return _index(steps, step.code) <= _furthest(steps, draft)


def further(draft: ProgramDraft, step: Step) -> str:
    """The furthest step, once this one was come to."""
    steps = steps_of(draft)
    return steps[max(_index(steps, step.code), _furthest(steps, draft))].code


def places(draft: ProgramDraft, current: Step) -> list[Place]:
    """All steps for the list beside them."""
    steps = steps_of(draft)
    here, furthest = _index(steps, current.code), _furthest(steps, draft)
    return [
        Place(
            step, number + 1, number == here, number < here or number < furthest,
            step_url(draft, step.code) if number <= furthest and number != here else "",
        )
        for number, step in enumerate(steps)
    ]  # fmt: skip


def step_url(draft: ProgramDraft, code: str) -> str:
    return reverse("loyalty_backoffice:wizard_step", args=[draft.public_id, code])


def resume_url(draft: ProgramDraft) -> str:
    """Where one was; with another kind the steps may be others."""
    steps = steps_of(draft)
    return step_url(draft, steps[_furthest(steps, draft)].code)


def _furthest(steps: Sequence[Step], draft: ProgramDraft) -> int:
    return next((n for n, step in enumerate(steps) if step.code == draft.step), 0)


def _index(steps: Sequence[Step], code: str) -> int:
    return next(n for n, step in enumerate(steps) if step.code == code)
