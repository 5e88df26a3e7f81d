"""Staff ask questions about people, change them, and see and write down what was answered."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from members.models import Customer, ProfileQuestion
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db
PAGE = "/backoffice/questions/"


def test_a_page_without_questions_says_what_they_are_for(
    browser_of: Callable[[str], Client],
) -> None:
    assert "Nothing is asked yet" in browser_of("analyst").get(PAGE).text


def test_a_question_is_asked_renamed_translated_and_put_away(
    browser_of: Callable[[str], Client],
) -> None:
    manager = browser_of("marketing_manager")
    manager.post(
        f"{PAGE}new/",
        {"code": "taste", "kind": "many", "text": "What do you like?",
         "choices": "Dark chocolate\nMilk\nnutty | With nuts"},
    )  # fmt: skip
    question = ProfileQuestion.objects.get()
    assert [item["code"] for item in question.choices] == ["dark-chocolate", "milk", "nutty"]
    form = manager.get(f"{PAGE}of/taste/").context["form"]
    assert form["choices"].value().splitlines()[0] == "dark-chocolate | Dark chocolate"
    manager.post(
        f"{PAGE}of/taste/",
        {"text": "What do you like?", "choices": "dark-chocolate | Dark\nmilk | Milk",
         "text_el": "Τι σας αρέσει;", "choices_el": "milk | Γάλακτος", "is_away": "on"},
    )  # fmt: skip
    question.refresh_from_db()
    assert question.choices == [
        {"code": "dark-chocolate", "text": "Dark", "offered": True},
        {"code": "milk", "text": "Milk", "offered": True},
        {"code": "nutty", "text": "With nuts", "offered": False},
    ]
    assert question.texts["el"] == {"text": "Τι σας αρέσει;", "choices": {"milk": "Γάλακτος"}}
    assert question.archived_at is not None
    assert "Not asked" in manager.get(PAGE).text


def test_what_is_wrong_is_said_on_the_form(browser_of: Callable[[str], Client]) -> None:
    data = {"code": "taste", "kind": "one", "text": "What?", "choices": "Only one"}
    answer = browser_of("marketing_manager").post(f"{PAGE}new/", data)
    assert answer.status_code == 422
    assert "at least two different choices" in answer.text


@pytest.mark.parametrize("line", ["Γάλακτος", "white | Λευκή"])
def test_words_in_another_language_that_are_of_no_choice_are_refused_where_they_are(
    browser_of: Callable[[str], Client], line: str
) -> None:
    manager = browser_of("marketing_manager")
    data = {"text": "What do you like?", "choices": "dark | Dark\nmilk | Milk"}
    manager.post(f"{PAGE}new/", data | {"code": "taste", "kind": "many"})
    answer = manager.post(f"{PAGE}of/taste/", data | {"choices_el": f"dark | Μαύρη\n{line}"})
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["choices_el"]
    # A choice may get its code and its words in one go.
    more = {"choices": f"{data['choices']}\nwhite | White", "choices_el": "white | Λευκή"}
    manager.post(f"{PAGE}of/taste/", data | more)
    assert ProfileQuestion.objects.get().texts["el"]["choices"] == {"white": "Λευκή"}


def test_staff_see_and_write_down_what_was_answered(browser_of: Callable[[str], Client]) -> None:
    ProfileQuestion.objects.create(
        code="taste", kind="many", text="What do you like?",
        choices=[{"code": "dark", "text": "Dark", "offered": True},
                 {"code": "milk", "text": "Milk", "offered": True}],
    )  # fmt: skip
    anna = CustomerFactory(given_name="Anna", answers={"taste": ["dark"]})
    agent = browser_of("support_agent")
    page = f"/backoffice/customers/{anna.public_id}/"
    assert "What do you like?" in agent.get(f"{page}details/").text
    form = agent.get(f"{page}edit/").context["form"]
    data = {name: form[name].value() or "" for name in form.fields}
    data |= {f"initial-{name}": data[name] for name in form.fields}
    agent.post(f"{page}edit/", data | {"answer_taste": ["dark", "milk"]})
    assert Customer.objects.get().answers == {"taste": ["dark", "milk"]}
