"""A program's paid plans on the screens: the list with its figures, the form with its effect, and
what is done for a customer."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from loyalty.models import Membership, Plan, PlanVersion, Program, Subscription
from loyalty.selectors.plan_figures import plan_figures
from loyalty.services.plan_refunds import cancel_now
from loyalty.services.plan_renewals import renew_plans
from loyalty.services.subscriptions import cancel_at_period_end, change_plan, permit_collecting
from members.models import AuditEntry
from members.services.audit import SYSTEM
from tests.loyalty.backoffice.conftest import url
from tests.loyalty.backoffice.tier_forms import values_of
from tests.loyalty.payments.banks import Bank
from tests.loyalty.payments.conftest import bank  # noqa: F401
from tests.loyalty.planning import join, make_club, member, pass_time, pay, plan
from tests.sharing import of_each_test

PLUS = plan(
    trial_days=14, description="For regulars.", credits={"units": 200},
    benefits=[
        {"kind": "multiplier", "factor": "1.5"}, {"kind": "free_shipping", "above": 20},
        {"kind": "gift", "text": "A mug"},
    ],
)  # fmt: skip


def ago(days: float) -> dt.datetime:
    return timezone.now() - dt.timedelta(days=days)


_made_once, program = of_each_test(
    lambda: make_club(PLUS, plan("pro", price="120", period="year"), at=ago(400))
)


@pytest.fixture
def ann(program: Program) -> Membership:
    return member(program, at=ago(300))


def text(client: Client, address: str) -> str:
    return client.get(address).content.decode()


def form(client: Client) -> dict[str, str]:
    return values_of(text(client, url("plan_edit", "club", "plus")))


# --- Plans ----------------------------------------------------------------------------------------


def test_the_page_says_the_plans_and_what_they_bring(manager: Client, program: Program) -> None:
    page = text(manager, url("plan_list", "club"))
    for words in ("Plus", "$9.90 a month", "14 days free", "200\N{NO-BREAK SPACE}points every",
                  "1.5 × points on purchases", "Gift: A mug", "$120.00 a year", "0 members have it",
                  "tried again after 1, 3, 7 days"):  # fmt: skip
        assert words in page


def test_a_program_without_plans_says_what_they_are_for(manager: Client, db: None) -> None:
    make_club(plan(), at=ago(10))
    Plan.objects.update(offered=False, ended_at=timezone.now())
    assert "No paid plans yet" in text(manager, url("plan_list", "club"))


def test_saving_the_form_as_it_is_changes_nothing(manager: Client, program: Program) -> None:
    answer = manager.post(url("plan_edit", "club", "plus"), form(manager))
    assert (answer.status_code, answer["Location"]) == (302, url("plan_list", "club"))
    assert PlanVersion.objects.filter(plan__code="plus").count() == 1


def test_what_changes_for_whom_is_seen_before_it_is_saved(
    manager: Client, program: Program, ann: Membership
) -> None:
    pay(join(ann, "pro", at=ago(20)), ago(20))
    subscription = join(member(program, "c2", ago(200)), at=ago(20))
    pass_time(ago(6))
    pay(subscription, ago(5))
    changed = form(manager) | {"price": "12", "factor": "2"}
    page = manager.post(url("plan_edit", "club", "plus"), changed).content.decode()
    assert "Who joins from now on pays $12.00 instead of $9.90." in page
    assert "1 member has it and keeps $9.90 until it renews." in page
    assert "Its benefits change at once, for 1 member who has it too." in page
    assert "If all of them stay, that is +$2.10 a month" in page
    assert PlanVersion.objects.filter(plan__code="plus").count() == 1
    answer = manager.post(url("plan_edit", "club", "plus"), changed | {"confirmed": "1"})
    assert answer.status_code == 302
    newest = PlanVersion.objects.filter(plan__code="plus").latest("number")
    assert (newest.number, str(round(newest.price, 2))) == (2, "12.00")
    subscription.refresh_from_db()
    assert subscription.version.number == 1
    assert AuditEntry.objects.filter(action="program.changed").exists()


def test_a_new_plan(manager: Client, program: Program) -> None:
    values = values_of(text(manager, url("plan_new", "club"))) | {
        "name": "Family & friends", "price": "19.90", "units": "50", "last_days": "60",
    }  # fmt: skip
    page = manager.post(url("plan_new", "club"), values).content.decode()
    assert "Nobody has it yet" in page
    manager.post(url("plan_new", "club"), values | {"confirmed": "1"})
    made = PlanVersion.objects.get(plan__code="family-friends")
    assert (made.credits, made.credits_policy.length) == (50, 60)
    again = manager.post(url("plan_new", "club"), values | {"confirmed": "1"})
    assert again.status_code == 422
    assert "There is a plan of that name already." in again.content.decode()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"price": "-1"}, "greater than 0"),
        ({"price": "9.905"}, "no sum of money"),
        ({"retry_days": "soon"}, "Write numbers of days"),
        ({"retry_days": "1, 30"}, "grace_days"),
    ],
)
def test_what_is_wrong_is_said_in_the_form(
    manager: Client, program: Program, changes: dict[str, str], words: str
) -> None:
    answer = manager.post(
        url("plan_edit", "club", "plus"), form(manager) | changes | {"confirmed": "1"}
    )
    assert answer.status_code == 422
    assert words in answer.content.decode()


# --- Figures --------------------------------------------------------------------------------------


def test_figures_are_those_of_who_pays(program: Program, ann: Membership) -> None:
    now = timezone.now()
    pay(join(ann, "pro", at=ago(40)), ago(40))
    left = join(member(program, "c2", ago(200)), "pro", at=ago(50))
    pay(left, ago(50))
    join(member(program, "c3", ago(200)), at=ago(3))
    join(member(program, "c4", ago(200)), "pro", at=ago(3))
    cancel_now(subscription=left, refund="none", actor=SYSTEM, source="job", now=ago(2))
    figures = plan_figures(program, now=now)
    assert (figures.monthly, figures.paying, figures.trials, figures.waiting) == (10, 1, 1, 1)
    assert (figures.before, figures.lost, figures.churn) == (2, 1, figures.churn)
    assert str(figures.churn) == "0.5"
    assert (figures.owed, figures.received) == (120, 0)


def test_who_takes_another_plan_is_not_lost(program: Program, ann: Membership) -> None:
    subscription = join(ann, at=ago(60))
    pass_time(ago(46))
    pay(subscription, ago(46))
    pro = Plan.objects.get(code="pro")
    change_plan(subscription=subscription, plan=pro, actor=SYSTEM, now=ago(45))
    pass_time(ago(14))
    figures = plan_figures(program, now=timezone.now())
    assert (figures.before, figures.lost) == (1, 0)


def test_who_has_one_by_state(agent: Client, program: Program, ann: Membership) -> None:
    join(ann, at=ago(3))
    other = member(program, "c2", ago(200))
    leaving = join(other, "pro", at=ago(10))
    pay(leaving, ago(10))
    cancel_at_period_end(subscription=leaving, actor=SYSTEM, now=ago(1))
    everybody = text(agent, url("subscriber_list", "club"))
    assert (everybody.count("row-link"), "Trial" in everybody) == (2, True)
    assert text(agent, url("subscriber_list", "club") + "?state=leaving").count("row-link") == 1
    assert "Nobody is here" in text(agent, url("subscriber_list", "club") + "?state=past_due")


# --- The customer page ----------------------------------------------------------------------------


def panel(client: Client, ann: Membership) -> str:
    return text(client, url("plan_panel", ann.customer.public_id))


def test_an_agent_gives_a_plan_and_sees_the_money(agent: Client, ann: Membership) -> None:
    dialog = url("plan_join", ann.public_id)
    before = panel(agent, ann)
    assert "No paid plan." in before
    assert dialog in before
    assert "Pro, $120.00 a year" in text(agent, dialog)
    agent.post(dialog, {"plan": "pro"})
    subscription = Subscription.objects.get()
    assert subscription.source == "backoffice"
    page = panel(agent, ann)
    assert "Waits for payment" in page
    assert "Mark paid" in page
    charge = subscription.charges.get()
    agent.post(url("invoice_pay", charge.public_id), {"note": "Transfer 12"})
    charge.refresh_from_db()
    assert (charge.state, charge.paid_by is not None) == ("paid", True)
    assert "It renews on" in panel(agent, ann)
    assert agent.get(dialog).status_code == 404


def test_canceling_shows_what_is_given_back_first(agent: Client, ann: Membership) -> None:
    subscription = join(ann, at=ago(40))
    pass_time(ago(26))
    pay(subscription, ago(26))
    dialog = url("subscription_cancel", subscription.public_id)
    page = text(agent, dialog)
    assert "when the period ends" in page
    assert "200\N{NO-BREAK SPACE}points of this payment are unused" in page
    refused = agent.post(dialog, {"when": "whole", "reason": ""})
    assert refused.status_code == 422
    agent.post(dialog, {"when": "whole", "reason": "Asked for it"})
    subscription.refresh_from_db()
    assert (subscription.state, subscription.charges.get().state) == ("canceled", "refunded")
    assert AuditEntry.objects.get(action="plan.refunded").reason == "Asked for it"


def test_canceling_for_later_and_taking_it_up_again(agent: Client, ann: Membership) -> None:
    subscription = join(ann, at=ago(3))
    values = {"when": "period_end", "reason": "Moves away"}
    agent.post(url("subscription_cancel", subscription.public_id), values)
    assert "Renew after all" in panel(agent, ann)
    agent.post(url("subscription_resume", subscription.public_id))
    subscription.refresh_from_db()
    assert not subscription.cancel_at_period_end


def test_another_plan_at_renewal(agent: Client, ann: Membership) -> None:
    subscription = join(ann, at=ago(3))
    dialog = url("subscription_change", subscription.public_id)
    agent.post(dialog, {"plan": "pro"})
    subscription.refresh_from_db()
    assert subscription.next_plan.code == "pro"
    assert "becomes another plan" in panel(agent, ann)


def test_a_payment_is_given_back_with_a_look_at_what_it_takes(
    agent: Client, ann: Membership
) -> None:
    subscription = join(ann, "pro", at=ago(10))
    pay(subscription, ago(10))
    charge = subscription.charges.get()
    dialog = url("invoice_refund", charge.public_id)
    page = text(agent, dialog)
    assert "The plan ends with it, at once." in page
    assert "You transfer the money yourself" in page
    agent.post(dialog, {"how": "pro_rata", "reason": "Goodwill"})
    charge.refresh_from_db()
    assert charge.state == "refunded"
    assert 100 < charge.refunded < 120
    assert agent.get(dialog).status_code == 404


def by_card(ann: Membership) -> Subscription:
    found = join(ann, "pro", at=ago(10), provider="bank")
    return permit_collecting(subscription=found, customer="c", method="card", now=ago(10))


def test_money_that_the_bank_has_not_given_back_yet_is_shown_as_such(
    agent: Client, ann: Membership, bank: Bank  # noqa: F811
) -> None:  # fmt: skip
    subscription = by_card(ann)
    charge = subscription.charges.get()
    bank.is_silent = True
    values = {"when": "whole", "reason": "Asked for it"}
    said = agent.post(url("subscription_cancel", subscription.public_id), values, follow=True)
    assert "has not answered yet" in said.content.decode()
    page = panel(agent, ann)
    assert "$120.00 asked to be given back" in page
    assert "until the payment provider has answered" in page
    assert "It renews" not in page
    assert not any(words in page for words in ("Give back", ">End<", "Another plan"))
    assert agent.get(url("invoice_refund", charge.public_id)).status_code == 404
    dialog = url("subscription_cancel", subscription.public_id)
    assert "and give back" not in text(agent, dialog)
    refused = agent.post(dialog, {"when": "none", "reason": "Again"})
    assert "is being given back" in refused.content.decode()
    bank.is_silent = False
    renew_plans(timezone.now() + dt.timedelta(hours=2))
    assert "$120.00 given back" in panel(agent, ann)


def test_while_part_of_a_payment_is_given_back_the_dialog_that_ends_the_plan_opens(
    agent: Client, ann: Membership, bank: Bank  # noqa: F811
) -> None:  # fmt: skip
    subscription = by_card(ann)
    bank.is_silent = True
    values = {"how": "pro_rata", "reason": "Goodwill"}
    agent.post(url("invoice_refund", subscription.charges.get().public_id), values)
    assert subscription.charges.get().refundable > 0
    dialog = url("subscription_cancel", subscription.public_id)
    opened = agent.get(dialog)
    assert opened.status_code == 200
    assert "and give back" not in opened.content.decode()
    refused = agent.post(dialog, {"when": "none", "reason": "Again"})
    assert refused.status_code == 422
    assert "is being given back" in refused.content.decode()


def test_a_bank_that_refuses_is_told_in_the_dialog(
    agent: Client, ann: Membership, bank: Bank  # noqa: F811
) -> None:  # fmt: skip
    charge = by_card(ann).charges.get()
    bank.refuses = True
    said = agent.post(url("invoice_refund", charge.public_id), {"how": "whole", "reason": "Asked"})
    assert said.status_code == 422
    assert "refused it, so nothing was given back" in said.content.decode()
    assert "Give back" in panel(agent, ann)


def test_the_timeline_says_what_was_taken_paid_and_ended(agent: Client, ann: Membership) -> None:
    subscription = join(ann, "pro", at=ago(10))
    pay(subscription, ago(9))
    cancel_now(subscription=subscription, refund="whole", actor=SYSTEM, source="job", now=ago(1))
    page = text(agent, reverse("backoffice:customer_timeline", args=[ann.customer.public_id]))
    for words in ("Took the plan Pro", "Paid for the plan Pro", "$120.00", "The plan Pro ended",
                  "The payment for the plan Pro was given back"):  # fmt: skip
        assert words in page


def test_an_analyst_looks_and_does_nothing(client_of: Any, ann: Membership) -> None:
    subscription = join(ann, "pro", at=ago(3))
    analyst = client_of("analyst")
    assert "Mark paid" not in panel(analyst, ann)
    assert analyst.post(url("invoice_pay", subscription.charges.get().public_id)).status_code == 403


@pytest.mark.browser
def test_what_there_is_of_plans_can_be_read_by_everybody(
    sign_in: Any, ann: Membership, assert_no_axe_violations: Any
) -> None:
    page = sign_in("marketing_manager")
    page.goto(url("plan_join", ann.public_id))
    page.get_by_label("Pro, $120.00 a year").check()
    assert_no_axe_violations(page)
    pay(join(ann, "pro", at=ago(3)), ago(2))
    page.goto(url("plan_panel", ann.customer.public_id))
    page.get_by_text("It renews on").wait_for()
    assert_no_axe_violations(page)
    for address in ("plans/", "plans/plus/edit/", "subscribers/"):
        page.goto(f"/backoffice/programs/club/{address}")
        assert_no_axe_violations(page)


def test_another_plan_now_after_a_look_at_the_sums(agent: Client, ann: Membership) -> None:
    subscription = join(ann, "pro", at=ago(10))
    pay(subscription, ago(10))
    dialog = url("subscription_change", subscription.public_id)
    page = agent.post(dialog, {"plan": "plus", "when": "now"}).content.decode()
    assert "less $9.90 for the days of Pro that are left: $0.00." in page
    assert "You transfer it yourself" in page
    subscription.refresh_from_db()
    assert subscription.running
    agreed = values_of(page)
    assert (agreed["pays_now"], agreed["plan"]) == ("0.0000", "plus")
    stale = agreed | {"gives_back": "1"}
    refused = agent.post(dialog, stale)
    assert refused.status_code == 422
    assert "It costs something else by now." in refused.content.decode()
    agent.post(dialog, agreed)
    assert "Plus" in panel(agent, ann)
    subscription.refresh_from_db()
    assert subscription.ended_why == "changed"
    assert subscription.charges.get().state == "refunded"


def test_now_is_refused_where_nothing_is_paid_yet(agent: Client, ann: Membership) -> None:
    subscription = join(ann, "pro", at=ago(1))
    dialog = url("subscription_change", subscription.public_id)
    answer = agent.post(dialog, {"plan": "plus", "when": "now"})
    assert answer.status_code == 422
    subscription.refresh_from_db()
    assert subscription.running
