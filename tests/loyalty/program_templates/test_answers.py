"""Templates of programs without a database: what they ask, and what answers make."""

from __future__ import annotations

from typing import Any

import pytest

from loyalty.program_templates.answers import Answers
from loyalty.program_templates.kinds import ProgramTemplate, build, read_answers
from loyalty.program_templates.questions import ALWAYS, GROUPS, QUESTIONS
from loyalty.program_templates.registry import TEMPLATES, template_named
from members.errors import DomainError
from members.icons import icon_shapes

NAMED = {"program_name": "Bean Club", "code": "bean-club", "currency": "USD"}


def template(code: str) -> ProgramTemplate:
    found = template_named(code)
    assert found is not None
    return found


def refused(code: str, **given: Any) -> dict[str, str]:
    with pytest.raises(DomainError) as caught:
        read_answers(template(code), NAMED | given)
    assert caught.value.code == "invalid_answers"
    return {error.field: str(error.message) for error in caught.value.errors}


@pytest.mark.parametrize("item", TEMPLATES, ids=lambda item: item.code)
class TestEveryTemplate:
    @pytest.mark.parametrize("currency", ["USD", "JPY", "KWD"])
    def test_makes_a_draft_of_its_defaults(self, item: ProgramTemplate, currency: str) -> None:
        answers = read_answers(item, NAMED | {"currency": currency})
        definition = build(item, answers)
        assert definition.status == "draft"
        assert (definition.code, definition.currency) == ("bean-club", currency)
        assert definition.earning_rules or definition.discount_rules

    def test_asks_what_answers_have_and_says_what_is_right(self, item: ProgramTemplate) -> None:
        questions = item.questions("USD")
        names = [question.name for question in questions]
        assert len(set(names)) == len(names)
        assert set(names) <= set(Answers.model_fields)
        assert set(item.words) <= set(names)
        for asked in questions:
            assert all(map(str, (asked.label, asked.help, asked.question.rule)))
            assert asked.question.group in GROUPS
        icon_shapes(item.icon)

    def test_takes_its_own_defaults_as_answers(self, item: ProgramTemplate) -> None:
        defaults = {question.name: question.default for question in item.questions("USD")}
        read_answers(item, defaults | NAMED)

    def test_asks_three_questions_in_starter_mode(self, item: ProgramTemplate) -> None:
        starter = [asked for asked in item.questions("USD") if asked.mode == "starter"]
        assert 2 <= len(starter) <= 3
        assert starter[0].name == "program_name"


def test_every_question_is_asked_by_a_template() -> None:
    assert set(QUESTIONS) == {*ALWAYS, *(name for item in TEMPLATES for name in item.asks)}


def test_codes_are_unique() -> None:
    codes = [item.code for item in TEMPLATES]
    assert len(set(codes)) == len(codes)


def test_what_is_wrong_names_the_answer_and_the_fix() -> None:
    assert refused("cashback", percent="120")["percent"].startswith("Input should be")
    assert refused("cashback", stamps=3) == {"stamps": "This kind of program does not ask it."}
    assert refused("stars", reward_units=15) == {
        "spend_step": "The first reward costs a multiple of it."
    }
    brackets = [{"above": 10, "percent": 5}, {"above": 0, "percent": 1}]
    assert refused("progressive-card", brackets=brackets) == {
        "brackets": "List them from the lowest to the highest, each once."
    }
    wrong_row = [{"above": 0, "percent": 101}]
    assert list(refused("progressive-card", brackets=wrong_row)) == ["brackets[0].percent"]


def test_what_no_program_can_be_names_the_answer_that_says_so() -> None:
    assert list(refused("points", reward_units="10.5", spend_step="0.5")) == ["reward_units"]
    assert list(refused("points", unit_few="stelle")) == ["unit_language"]
    assert list(refused("progressive-card", brackets=[])) == ["brackets"]
    assert list(refused("cashback-by-spend", brackets=[])) == ["brackets"]


def test_in_a_currency_without_coins_a_dollar_is_a_hundred() -> None:
    in_yen = build(
        template("discount-by-purchase"),
        read_answers(template("discount-by-purchase"), NAMED | {"currency": "JPY"}),
    )
    assert [item.above for item in in_yen.discount_rules[0].brackets] == [0, 500000, 1000000]


def test_names_of_a_language_with_several_plurals_are_kept() -> None:
    answers = read_answers(
        template("stars"),
        NAMED
        | {
            "unit_singular": "звезда", "unit_plural": "звёзды", "unit_language": "ru",
            "unit_few": "звезды", "unit_many": "звёзд",
        },
    )  # fmt: skip
    unit = build(template("stars"), answers).wallet_types[0]
    assert unit.plural_forms.forms == {"few": "звезды", "many": "звёзд"}
