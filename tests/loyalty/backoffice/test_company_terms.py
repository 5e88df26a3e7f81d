"""What new companies of a program begin with, changed in the browser."""

from __future__ import annotations

from django.test import Client

from loyalty.models import Program
from loyalty.selectors.programs import company_terms_of
from tests.loyalty.backoffice.conftest import url

SAID = {"most_at_once": "500", "most_in_period": "", "period": "day", "answer_days": "3"}


def test_what_new_companies_begin_with_is_changed(manager: Client, program: Program) -> None:
    page = manager.get(url("company_list")).content.decode()
    assert url("company_terms", program.code) in page
    form = manager.get(url("company_terms", program.code)).context["form"]
    assert form["answer_days"].value() == 7
    manager.post(url("company_terms", program.code), SAID)
    program.refresh_from_db()
    terms = company_terms_of(program)
    assert (terms.most_at_once, terms.most_in_period) == (500, None)
    assert (terms.period, terms.answer_days) == ("day", 3)


def test_days_that_nobody_could_keep_are_refused(manager: Client, program: Program) -> None:
    answer = manager.post(url("company_terms", program.code), SAID | {"answer_days": "0"})
    assert answer.status_code == 422
    assert "answer_days" in answer.context["form"].errors
    assert company_terms_of(Program.objects.get(pk=program.pk)).answer_days == 7
