"""Why a birthday or an anniversary brought nothing, in a sentence, and when the next comes."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from loyalty.models import Membership, Program, Transfer
from loyalty.occasion_verdicts import OccasionVerdict
from loyalty.selectors.occasion_reasons import has_occasion_rules, occasion_verdicts
from loyalty.services.leaving import leave_program
from loyalty.services.occasion_reversals import undo_occasion
from loyalty.services.occasions import give_occasions
from loyalty.services.suspensions import resume_membership, suspend_membership
from members.formatting import format_day
from members.models import AuditEntry, Customer
from members.services.audit import SYSTEM
from members.services.customers import update_customer
from tests.loyalty.factories import day, make_program, make_wallet, order, record

pytestmark = pytest.mark.django_db
# The program is live since 15 March 2024, NOW of the factories; the birthday is 17 days later.
BIRTHDAY = "1990-04-01"


def club(**changes: Any) -> Program:
    rule = {"code": "day", "name": "Day", "kind": "occasion", "units": 100} | changes
    return make_program(earning_rules=[{}, rule])


def ana(program: Program, birthday: str | None = BIRTHDAY, at: float = 0) -> Customer:
    make_wallet(program, "c1", day(at))
    Customer.objects.filter(external_id="c1").update(birthday=birthday)
    return Customer.objects.get(external_id="c1")


def verdict(customer: Customer, at: float) -> OccasionVerdict:
    [found] = occasion_verdicts(customer, day(at))
    return found


def said(customer: Customer, at: float) -> str:
    found = verdict(customer, at)
    assert not found.given
    return found.said


def test_what_was_given_is_said_with_the_next_one() -> None:
    anna = ana(club(days_before=7))
    give_occasions(day(10))
    found = verdict(anna, 20)
    assert (found.given, found.occasion, found.rule) == (True, "Birthday", "Day")
    assert found.said == "100\N{NO-BREAK SPACE}points were given on Mar 25, 2024."
    assert found.coming == "Next: Mar 25, 2025, for Apr 1, 2025."


def test_nothing_is_known_yet() -> None:
    anna = ana(club(), None)
    found = verdict(anna, 20)
    assert found.said.startswith("No birthday is known.")
    assert found.coming == ""


def test_the_first_one_is_still_to_come() -> None:
    anna = ana(club(day="enrollment"))
    found = verdict(anna, 20)
    assert (found.said, found.coming) == ("The first one is still to come.", "Next: Mar 15, 2025.")


def test_somebody_who_bought_nothing_has_no_day_of_it() -> None:
    anna = ana(club(day="first_purchase"))
    assert said(anna, 20) == "They have not bought anything yet."
    record(order("A", "10", at=day(5)))
    assert verdict(anna, 20).coming == "Next: Mar 20, 2025."


def test_it_is_due_and_comes() -> None:
    anna = ana(club())
    assert said(anna, 18) == "It is due since Apr 1, 2024, and comes within the hour."


def test_a_birthday_that_was_told_too_late() -> None:
    anna = ana(club(), None)
    anna = update_customer(customer=anna, actor=SYSTEM, changes={"birthday": BIRTHDAY})
    told = AuditEntry.objects.get(after__has_key="birthday").at
    give_occasions(day(60))
    assert said(anna, 61) == (
        f"The birthday was told on {format_day(told.date())}. It was due on Apr 1, 2024, and is"
        " given for at most 30 days after that."
    )
    assert verdict(anna, 61).coming == "Next: Apr 1, 2025."


def test_a_birthday_of_which_nobody_knows_when_it_was_told() -> None:
    anna = ana(club())
    assert said(anna, 61).startswith("It was due on Apr 1, 2024, and was not given within 30 days")


def test_a_corrected_birthday_brings_no_second_one() -> None:
    anna = ana(club())
    give_occasions(day(17))
    Customer.objects.update(birthday="1990-05-20")
    anna.refresh_from_db()
    found = verdict(anna, 70)
    assert found.given
    assert "for Apr 1, 2024. A day that is corrected" in found.said
    assert found.coming == "Next: May 20, 2025."


def test_a_program_or_a_rule_that_was_not_there_then() -> None:
    program = club()
    anna = ana(program, "1990-03-10", at=-100)
    assert said(anna, 1) == "The program was not live yet on Mar 10, 2024."
    Customer.objects.update(birthday=BIRTHDAY)
    anna.refresh_from_db()
    rule = {"code": "day", "name": "Day", "kind": "occasion", "units": 100}
    new = rule | {"code": "new", "name": "New"}
    make_program(earning_rules=[{}, rule, new], at=day(17.2))
    found = {one.rule: one.said for one in occasion_verdicts(anna, day(20))}
    assert found["New"] == (
        "The rule was not in force as Apr 1, 2024 began: it came on Apr 1, 2024."
    )
    make_program(earning_rules=[{}], at=day(18))
    later = {one.rule: one for one in occasion_verdicts(anna, day(400))}
    assert later["Day"].said == "The rule was not in force any more on Apr 1, 2025."
    assert later["Day"].coming == ""


def test_a_member_who_joined_later_or_was_away() -> None:
    program = club()
    anna = ana(program, at=18)
    assert said(anna, 20) == "They joined on Apr 2, 2024, after Apr 1, 2024, when it was given."
    Membership.objects.update(enrolled_at=day(0))
    member = Membership.objects.get()
    suspend_membership(membership=member, reason="Looked at", actor=SYSTEM, now=day(10))
    assert said(anna, 20) == "The membership is not active: nothing is given meanwhile."
    assert verdict(anna, 20).coming == ""
    member.refresh_from_db()
    resume_membership(membership=member, reason="All well", actor=SYSTEM, now=day(20))
    assert "took no part on Apr 1, 2024" in said(anna, 21)
    member.refresh_from_db()
    leave_program(membership=member, actor=SYSTEM, now=day(22))
    assert "not active" in said(anna, 23)


def test_what_the_rule_asks_for() -> None:
    asked = {"field": "customer.tags", "op": "has_any", "value": ["vip"]}
    anna = ana(club(when=asked))
    give_occasions(day(17))
    assert said(anna, 18).endswith("what the rule asks for was not so.")


def test_a_budget_that_was_used_up() -> None:
    program = club(caps={"budget": 100})
    make_wallet(program, "first", day(0))
    Customer.objects.filter(external_id="first").update(birthday=BIRTHDAY)
    anna = ana(program)
    give_occasions(day(17))
    assert said(anna, 18).endswith("the limit of the rule was used up.")


def test_what_was_taken_back_is_not_called_given() -> None:
    anna = ana(club())
    give_occasions(day(17))
    undo_occasion(
        transfer=Transfer.objects.get(), actor=SYSTEM, source=Transfer.Source.BACKOFFICE,
        now=day(18), note="Wrong birthday",
    )  # fmt: skip
    assert said(anna, 19).endswith("were given on Apr 1, 2024, and taken back since.")


def test_as_many_queries_however_many_rules_there_are(agent: Client) -> None:
    def count(customer: Customer) -> int:
        occasion_verdicts(customer, day(20))
        with CaptureQueriesContext(connection) as captured:
            occasion_verdicts(customer, day(20))
        return len(captured)

    anna = ana(club())
    give_occasions(day(17))
    few = count(anna)
    rules = [
        {"code": f"r{number}", "name": f"R{number}", "kind": "occasion", "units": 5}
        for number in range(4)
    ]
    make_wallet(make_program("tea", earning_rules=rules), "c1", day(1))
    assert len(occasion_verdicts(anna, day(20))) == 5
    assert count(anna) == few
    url = reverse("loyalty_backoffice:occasion_panel", args=[anna.public_id])
    content = agent.get(url).content.decode()
    assert "Day" in content
    assert "Birthday · Club" in content


def test_a_page_without_such_rules_has_no_panel(agent: Client) -> None:
    program = make_program()
    anna = ana(program)
    page = reverse("backoffice:customer", args=[anna.public_id])
    panel = reverse("loyalty_backoffice:occasion_panel", args=[anna.public_id])
    assert not has_occasion_rules()
    assert panel not in agent.get(page).content.decode()
    assert "gives anything for a day of the year" in agent.get(panel).content.decode()
    club()
    assert panel in agent.get(page).content.decode()
