"""The wizard's pages for a shop whose orders are there already: what they advise and work out."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.test import Client
from django.utils import timezone

from loyalty.models import Backtest, Program
from loyalty.program_templates.kinds import ProgramTemplate
from loyalty.program_templates.registry import TEMPLATES
from loyalty.services.program_drafts import launch_draft
from members.models import AuditEntry, Customer, CustomerFacts, User
from members.services.audit import SYSTEM
from tests.factories import StaffMemberFactory
from tests.loyalty.backoffice.conftest import url
from tests.loyalty.backoffice.wizard import (
    answer,
    at,
    begin,
    come_to,
    fields,
    go_on,
    preview,
    sent,
    sent_of,
    text,
)
from tests.loyalty.factories import line, order, record, spendable
from tests.sharing import anew, shared
from tests.sign_ins import signed_in

pytestmark = pytest.mark.django_db


def make_history() -> User:
    """A year of ten buyers, who come once to ten times; who looks at it."""
    now = timezone.now()
    record(
        *(
            order(
                f"{buyer}-{n}", str(20 + buyer), at=now - dt.timedelta(days=300 - 29 * n),
                buyer=f"b{buyer}", lines=(line(1, str(20 + buyer), category="Tea"),),
            )
            for n in range(10)
            for buyer in range(10)
            if buyer >= n
        )
    )  # fmt: skip
    return StaffMemberFactory(role="marketing_manager").user


history = shared(make_history)


@pytest.fixture
def manager(history: User, db: None) -> Client:
    return signed_in(anew(history))


def test_three_questions_and_it_is_live(manager: Client) -> None:
    draft = begin(manager, "starter")
    place = answer(manager, at(draft, "what"), template="points", program_name="Tea Club")
    assert place == at(draft, "rate")
    place = answer(manager, place, earn_units="2", earn_per="1")
    assert place == at(draft, "reward")
    place = answer(manager, place, reward_units="80", reward_worth="4")
    assert place == at(draft, "review")
    assert f'hx-get="{place}?figures=1"' in manager.get(place).content.decode()
    page = text(manager.get(place, {"figures": "1"}))
    assert "2 points for each $1.00 spent." in page
    assert "The first reward costs 80 points and is worth $4.00." in page
    assert "That gives back 10% of what is spent." in page
    assert "55 orders are here already. They stay as they are and earn nothing." in page
    done = manager.post(place)
    program = Program.objects.get()
    assert done.headers["Location"] == url("program_page", "tea-club")
    assert program.status == "live"
    record(order("NEW", "10", at=timezone.now(), buyer="b1"), now=timezone.now())
    assert spendable("b1", timezone.now()) == 20


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda item: item.code)
def test_every_kind_is_created_step_by_step_with_what_is_suggested(
    template: ProgramTemplate, manager: Client
) -> None:
    """The pages of the steps themselves, of each kind: `tests/api/test_program_kinds.py`."""
    draft, seen = begin(manager, "full"), []
    said = {
        "margin": "35", "template": template.code, "program_name": f"The {template.code}",
        "status": "live",
    }  # fmt: skip
    while draft.step != "review":
        seen.append(draft.step)
        go_on(draft, **said)
    assert seen[:3] == ["situation", "kind", "program"]
    assert ("tiers" in seen) is ("tiers" in template.asks)
    assert ("base" in seen) is (template.family not in ("discount", "plan"))
    year = text(manager.get(at(draft, "review"), {"figures": "1"}))
    assert "What it would have cost in the last year" in year
    program = launch_draft(draft=draft, actor=SYSTEM, now=timezone.now())
    assert (program.status, program.name) == ("live", f"The {template.code}")
    assert AuditEntry.objects.filter(action="program.launched").count() == 1
    record(order("NEW", "200", at=timezone.now(), buyer="b1"), now=timezone.now())


def test_the_launch_in_phases_is_planned_with_the_program(manager: Client) -> None:
    CustomerFacts.objects.bulk_create(
        CustomerFacts(customer=person, orders=1, ordered=100 + person.pk, as_of=timezone.now())
        for person in Customer.objects.all()
    )
    draft = begin(manager, "full")
    place = come_to(draft, "launch", template="discount-card", program_name="Card")
    assert f'hx-get="{place}?figures=1"' in manager.get(place).content.decode()
    shares = text(manager.get(place, {"figures": "1"}))
    assert "the best 10% are 1 customer, the best 20% are 2 customers" in shares
    today = timezone.localdate()
    day = [str(today + dt.timedelta(days=days)) for days in (0, 14, 28)]
    said = {**fields(manager, place), "begins": "phases", "status": "live"}
    late = manager.post(place, {**said, "top_starts_on": "2020-01-01"})
    assert "A phase begins today at the earliest." in text(late)
    assert "Give the day from which everyone may join." in text(late)
    swapped = manager.post(
        place, {**said, "top_starts_on": day[1], "everyone_starts_on": day[0]}
    )  # fmt: skip
    assert "Each phase begins later than the one before it." in text(swapped)
    place = answer(
        manager, place, begins="phases", status="live", top_starts_on=day[0], top_percent="10",
        invited_starts_on=day[1], invited_percent="50", everyone_starts_on=day[2],
    )  # fmt: skip
    review = manager.get(place)
    assert f'hx-get="{place}?figures=1"' in review.content.decode()
    assert "the best 10% of your customers" not in text(review)
    page = text(manager.get(place, {"figures": "1"}))
    assert "the best 10% of your customers, 1 today." in page
    # Whoever comes back to the step finds what was said.
    assert fields(manager, at(draft, "launch"))["invited_starts_on"] == day[1]
    manager.post(place)
    launch = Program.objects.get().launch
    assert [(phase.kind, phase.percent) for phase in launch.phases.all()] == [
        ("top", 10), ("invited", 50), ("everyone", None),
    ]  # fmt: skip
    assert launch.listed == 5


def test_the_own_customers_are_shown_first_and_the_advice_says_why(manager: Client) -> None:
    draft = begin(manager, "full")
    shown = manager.get(at(draft, "situation"))
    page = text(shown)
    assert re.search(r"Buyers 10 55 orders", page)
    assert "Bought only once 10%" in page
    assert "Tea 100%" in page
    assert "Your estimates" not in page
    said = {**sent_of(shown.content.decode()), "simplicity": "simple"}
    advice = text(manager.get(sent(manager, at(draft, "situation"), said)))
    assert "Fits best" in advice
    assert "Rather not" in advice
    # 55 orders of ten buyers in 262 days.
    assert "7.7" in advice


def test_the_picture_follows_the_answers_and_nothing_is_saved(manager: Client) -> None:
    draft = begin(manager, "full")
    place = come_to(draft, "earning", template="points", program_name="Tea Club")
    kept = fields(manager, place)
    whole = "100% of the buyers would have had their first reward"
    near = preview(manager, draft, "earning", reward_units="20", reward_worth="1", known=kept)
    assert f"{whole} within the year" in near
    far = preview(manager, draft, "earning", reward_units="250", reward_worth="5", known=kept)
    assert "20% of the buyers" in far
    wrong = preview(manager, draft, "earning", reward_units="none", known=kept)
    assert "Complete the answers" in wrong
    # Without JavaScript a button works it out.
    assert whole in text(manager.post(place, {**kept, "refresh": "1", "reward_units": "20"}))
    draft.refresh_from_db()
    assert draft.answers["reward_units"] not in {"20", "250"}


def test_the_terms_are_those_of_the_public_page(manager: Client) -> None:
    draft = begin(manager, "full")
    said = {"template": "tiered-points", "program_name": "Tea Club", "status": "live"}
    place = come_to(draft, "terms", **said)
    page = manager.get(place).content.decode()
    shown = page[page.index("wizard-terms") : page.index("</article>")]
    assert not Program.objects.exists()
    manager.post(come_to(draft, "review", **said))
    public = Client().get("/programs/tea-club/terms/").content.decode()
    panels = public[public.index("<section") : public.index("</main>")]
    assert re.sub(r"\s+", " ", panels).strip() in re.sub(r"\s+", " ", shown)


def test_a_backtest_goes_through_all_of_it(manager: Client) -> None:
    draft = begin(manager, "full")
    place = come_to(draft, "cost", template="points", program_name="Tea Club")
    assert "Where the cost comes from" in preview(manager, draft, "cost", margin="20")
    assert "Save as a draft and run the backtest" in text(manager.get(place))
    reply = manager.post(url("wizard_backtest", draft.public_id))
    backtest = Backtest.objects.get()
    assert reply.headers["Location"] == url("backtest_page", backtest.public_id)
    assert backtest.program.status == "draft"
    assert (backtest.until - backtest.since).days == 261
    assert Program.objects.count() == 1
