"""What a template of a program is: what it says of itself, what it asks, and what it builds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from babel.numbers import get_currency_precision
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from pydantic import ValidationError

from loyalty.definitions import ProgramDefinition
from loyalty.program_templates.answers import Answers
from loyalty.program_templates.questions import ALWAYS, QUESTIONS, AskedQuestion
from members.errors import DomainError, FieldError

Family = Literal[
    "points", "stamps", "cashback", "discount", "gifts", "hybrid", "values", "plan", "companies",
    "games", "referrals", "partners", "experiences",
]  # fmt: skip
# Answers that are money, in whole or in part, whatever asks for them.
MONEY = (
    "earn_per", "reward_worth", "brackets", "tiers", "plan_price", "plan_shipping_from",
    "thing_price", "pledge_least", "game_least", "friend_least", "partners",
)  # fmt: skip
# Which answers, if they are asked, a definition's fields are made from.
MADE_FROM: Mapping[str, tuple[str, ...]] = {
    "code": ("code",), "name": ("program_name",), "least": ("reward_units",),
    "spending": ("reward_units",), "step": ("spend_step",), "unit_value": ("reward_worth",),
    "length": ("expiry_months",), "tiers": ("tiers",), "language": ("unit_language",),
    "percent": ("percent", "brackets"), "brackets": ("brackets",), "by_category": ("categories",),
    "issued": ("partners",), "partners": ("partners",), "pledges": ("pledge_budget",),
    "games": ("prizes",), "event": ("event_on",), "content": ("content_link",),
    "credits": ("plan_credits",), "plan": ("plan_price", "plan_credits"), "price": ("plan_price",),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ProgramTemplate:
    """A kind of program to start from.

    `asks`: names of `Answers`, in order, besides those that every template asks; `starter`: those
    of them that a short version asks too. `defaults`: answers where nobody gives any, in dollars;
    `money`: which of them are money besides those that always are. `words`: label and help of
    questions that it asks in words of its own. `make`: the program of valid answers. A default that
    depends on the day is a function.
    """

    code: str
    name: Promise
    summary: Promise
    suits: Promise
    icon: str
    family: Family
    asks: Sequence[str]
    starter: Sequence[str]
    make: Callable[[Answers], ProgramDefinition]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    words: Mapping[str, tuple[Promise, Promise]] = field(default_factory=dict)
    money: Sequence[str] = ()

    def start(self, currency: str) -> dict[str, Any]:
        """Its defaults, all of `Answers`. In a currency without coins a dollar is a hundred."""
        said = Answers.model_validate(
            {
                "program_name": str(self.name), "code": self.code, "currency": "USD",
                **_told(self.defaults),
            }
        ).model_dump() | {"currency": currency}  # fmt: skip
        if not get_currency_precision(currency):
            said |= {name: _hundredfold(said[name]) for name in (*MONEY, *self.money)}
        return said

    def questions(self, currency: str) -> list[AskedQuestion]:
        """What it asks, in order, each with its default."""
        start = self.start(currency)
        return [self._ask(name, start[name]) for name in (*ALWAYS, *self.asks)]

    def _ask(self, name: str, default: Any) -> AskedQuestion:
        question = QUESTIONS[name]
        label, help_text = self.words.get(name, (question.label, question.help))
        starter = name in ("program_name", *self.starter)
        return AskedQuestion(question, label, help_text, default, "starter" if starter else "full")


def read_answers(template: ProgramTemplate, given: Mapping[str, Any]) -> Answers:
    """The answers to a template's questions: what is not given has its default. `given` has the
    program's name, code and currency at least.

    Raises DomainError with a FieldError for each answer that is not right, or not asked.
    """
    asked = {*ALWAYS, *template.asks}
    stray = [
        FieldError(name, _("This kind of program does not ask it."))
        for name in given
        if name not in asked
    ]
    if stray:
        raise _invalid(stray)
    currency = given.get("currency")
    known = template.start(currency if isinstance(currency, str) else "USD")
    said = {name: value for name, value in known.items() if name not in ALWAYS} | dict(given)
    try:
        answers = Answers.model_validate(said)
    except ValidationError as error:
        raise _invalid([FieldError(_path(loc), words) for loc, words in _wrong(error)]) from error
    try:
        template.make(answers)
    except ValidationError as error:
        raise _invalid(
            [FieldError(_said_by(template, loc, words), words) for loc, words in _wrong(error)]
        ) from error
    return answers


def build(template: ProgramTemplate, answers: Answers) -> ProgramDefinition:
    """The program, as a draft, that the answers make."""
    return template.make(answers)


def _told(said: Any) -> Any:
    """Names among defaults in the reader's language, and days from today."""
    if isinstance(said, Promise):
        return str(said)
    if callable(said):
        return said()
    if isinstance(said, Mapping):
        return {name: _told(value) for name, value in said.items()}
    return tuple(map(_told, said)) if isinstance(said, tuple) else said


Loc = tuple[int | str, ...]


def _wrong(error: ValidationError) -> list[tuple[Loc, str]]:
    """Where something is wrong, and what."""
    return [
        (item["loc"], item["msg"].removeprefix("Value error, "))
        for item in error.errors(include_url=False)
    ]


def _path(loc: Loc) -> str:
    """ "brackets[1].percent" """
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)[1:]


def _said_by(template: ProgramTemplate, loc: Loc, words: str) -> str:
    """The answer that makes a program impossible: by the field, or by what the message names."""
    for part in (*reversed(loc), words.partition(":")[0]):
        for name in MADE_FROM.get(str(part), ()):
            if name in (*ALWAYS, *template.asks):
                return name
    return ""


def _invalid(errors: list[FieldError]) -> DomainError:
    return DomainError(_("Some answers are not right."), code="invalid_answers", errors=errors)


_MONEY_IN_ROWS = ("above", "threshold", "issued", "taken_in")


def _hundredfold(said: Any) -> Any:
    """An amount, or rows that begin with one."""
    if isinstance(said, Sequence):
        return tuple(
            {name: value * 100 if name in _MONEY_IN_ROWS else value
             for name, value in row.items()}
            for row in said
        )  # fmt: skip
    return said * 100
