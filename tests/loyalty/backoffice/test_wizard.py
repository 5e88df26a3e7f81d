"""The wizard's pages: from a few answers to a program, one screen at a time."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from loyalty.models import Backtest, Program, ProgramDraft
from loyalty.program_templates.kinds import ProgramTemplate
from loyalty.program_templates.registry import TEMPLATES
from members.models import AuditEntry, Customer, CustomerFacts
from members.selectors.merchants import get_merchant
from tests.loyalty.backoffice.conftest import url
from tests.loyalty.backoffice.tier_forms import values_of
from tests.loyalty.backoffice.wizard import answer, at, begin, fields, text
from tests.loyalty.factories import line, make_program, order, record, spendable

pytestmark = pytest.mark.django_db


@pytest.fixture
def history(db: None) -> None:
    """A year of ten buyers, who come once to ten times."""
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


def preview(client: Client, draft: ProgramDraft, step: str, **said: str) -> str:
    address = url("wizard_preview", draft.public_id, step)
    reply = client.post(address, {**fields(client, at(draft, step)), **said})
    assert reply.status_code == 200
    return text(reply)


def test_three_questions_and_it_is_live(manager: Client, history: None) -> None:
    draft = begin(manager, "starter")
    place = answer(manager, at(draft, "what"), template="points", program_name="Tea Club")
    assert place == at(draft, "rate")
    place = answer(manager, place, earn_units="2", earn_per="1")
    assert place == at(draft, "reward")
    place = answer(manager, place, reward_units="80", reward_worth="4")
    assert place == at(draft, "review")
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


def test_pressed_twice_it_is_one_program(manager: Client) -> None:
    draft = begin(manager, "starter")
    place = answer(manager, at(draft, "what"), template="cashback", program_name="Back")
    place = answer(manager, answer(manager, place))
    first, second = manager.post(place), manager.post(place)
    assert first.headers["Location"] == second.headers["Location"] == url("program_page", "back")
    assert Program.objects.count() == 1
    # And whoever comes back later is led to it.
    assert manager.get(at(draft, "rate")).headers["Location"] == url("program_page", "back")


@pytest.mark.parametrize(
    ("template", "second", "third", "says"),
    [
        ("pledge", {"thing_singular": "meal", "thing_plural": "meals", "pledge_things": "2"},
         {"earn_units": "3"}, "gets 2 meals for each order."),
        ("games", {"earn_units": "2"},
         {"game_kind": "scratch", "game_plays": "order", "game_least": "30",
          "prizes-0-units": "200", "prizes-0-percent": "0.5"},
         "Scratch and win: 1 play for each order from $30.00 on."),
        ("referrals", {"advocate_gift": "units", "advocate_units": "80"},
         {"friend_gift": "none"}, "Who brings a friend gets: 80 points. The friend gets: nothing."),
        ("coalition", {"earn_units": "2"},
         {"partners-0-name": "Corner Bakery", "partners-0-issued": "0.0125"},
         "Corner Bakery pays you $1.25 for 100 points that are earned there"),
        ("experiences", {"experience_name": "A tasting", "reward_units": "300"},
         {"event_name": "Harvest", "event_on": "", "event_seats": "8"}, "A tasting: 300 points."),
    ],
)  # fmt: skip
def test_three_questions_are_enough_for_kinds_that_are_about_more_than_a_rate(
    template: str, second: dict[str, str], third: dict[str, str], says: str, manager: Client
) -> None:
    draft = begin(manager, "starter")
    place = answer(manager, at(draft, "what"), template=template, program_name="Club")
    place = answer(manager, answer(manager, place, **second), **third)
    assert place == at(draft, "review")
    page = text(manager.get(place)).replace("\xa0", " ")
    assert says in page
    # A day that was left empty is no day.
    assert "Harvest" not in page
    manager.post(place)
    assert Program.objects.get().status == "live"


def test_a_part_that_only_some_answers_need_is_not_asked_for(manager: Client) -> None:
    draft = begin(manager, "starter")
    place = answer(manager, at(draft, "what"), template="games", program_name="Club")
    place = answer(manager, place)
    place = answer(manager, place, game_plays="day", game_price="", game_least="")
    assert place == at(draft, "review")


def test_the_short_way_may_end_in_a_draft(manager: Client) -> None:
    draft = begin(manager, "starter")
    place = answer(manager, at(draft, "what"), template="discount-card", program_name="Card")
    # Nothing is collected, so there is no reward to ask about.
    place = answer(manager, place, percent="5")
    assert place == at(draft, "review")
    manager.post(place, {"as_draft": "1"})
    assert Program.objects.get().status == "draft"


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda item: item.code)
def test_every_kind_is_created_step_by_step_with_what_is_suggested(
    template: ProgramTemplate, manager: Client, history: None
) -> None:
    draft = begin(manager, "full")
    place = answer(manager, at(draft, "situation"), margin="35")
    place = answer(manager, place, template=template.code)
    place = answer(manager, place, program_name=f"The {template.code}")
    seen = ["situation", "kind", "program"]
    while not place.endswith("/review/"):
        seen.append(place.rsplit("/", 2)[1])
        said = {"status": "live"} if seen[-1] == "launch" else {}
        place = answer(manager, place, **said)
    assert ("tiers" in seen) is ("tiers" in template.asks)
    assert ("base" in seen) is (template.family not in ("discount", "plan"))
    assert f'hx-get="{place}?figures=1"' in manager.get(place).content.decode()
    year = text(manager.get(place, {"figures": "1"}))
    assert "What it would have cost in the last year" in year
    manager.post(place)
    program = Program.objects.get()
    assert (program.status, program.name) == ("live", f"The {template.code}")
    assert AuditEntry.objects.filter(action="program.launched").count() == 1
    record(order("NEW", "200", at=timezone.now(), buyer="b1"), now=timezone.now())


def test_the_launch_in_phases_is_planned_with_the_program(manager: Client, history: None) -> None:
    CustomerFacts.objects.bulk_create(
        CustomerFacts(customer=person, orders=1, ordered=100 + person.pk, as_of=timezone.now())
        for person in Customer.objects.all()
    )
    draft = begin(manager, "full")
    place = answer(manager, answer(manager, at(draft, "situation")), template="discount-card")
    while not place.endswith("/launch/"):
        place = answer(manager, place)
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
    assert "the best 10% of your customers" not in text(manager.get(place))
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


def test_the_own_customers_are_shown_first(manager: Client, history: None) -> None:
    page = text(manager.get(at(begin(manager, "full"), "situation")))
    assert re.search(r"Buyers 10 55 orders", page)
    assert "Bought only once 10%" in page
    assert "Tea 100%" in page
    assert "Your estimates" not in page


def test_without_orders_it_asks_for_estimates(manager: Client) -> None:
    draft = begin(manager, "full")
    assert "Your estimates" in text(manager.get(at(draft, "situation")))
    reply = manager.post(
        at(draft, "situation"), {"currency": "USD", "margin": "40", "simplicity": "balanced"}
    )
    assert reply.status_code == 422
    # Beside each field, and in the summary above.
    assert text(reply).count("A guess will do; everything else is worked out from it.") == 6
    place = answer(
        manager, at(draft, "situation"), buyers="1000", orders_each="4", basket="50"
    )  # fmt: skip
    place = answer(manager, place, template="points")
    answer(manager, place)
    page = preview(manager, draft, "earning", reward_units="150", reward_worth="3")
    assert "Worked out from your estimates" in page
    assert "of the buyers would have had their first reward within the year" in page


def test_the_advice_says_why(manager: Client, history: None) -> None:
    draft = begin(manager, "full")
    place = answer(manager, at(draft, "situation"), simplicity="simple")
    page = text(manager.get(place))
    assert "Fits best" in page
    assert "Rather not" in page
    # 55 orders of ten buyers in 262 days.
    assert "7.7" in page


def test_the_picture_follows_the_answers_and_nothing_is_saved(
    manager: Client, history: None
) -> None:
    draft = begin(manager, "full")
    place = answer(manager, at(draft, "situation"))
    answer(manager, answer(manager, place, template="points"), program_name="Tea Club")
    near = preview(manager, draft, "earning", reward_units="20", reward_worth="1")
    assert "100% of the buyers would have had their first reward within the year" in near
    far = preview(manager, draft, "earning", reward_units="250", reward_worth="5")
    assert "20% of the buyers" in far
    draft.refresh_from_db()
    assert draft.answers["reward_units"] not in {"20", "250"}
    wrong = preview(manager, draft, "earning", reward_units="none")
    assert "Complete the answers" in wrong


def test_without_javascript_a_button_works_it_out(manager: Client, history: None) -> None:
    draft = begin(manager, "full")
    place = answer(manager, at(draft, "situation"))
    place = answer(manager, answer(manager, place, template="points"), program_name="Tea Club")
    shown = manager.post(place, {**fields(manager, place), "refresh": "1", "reward_units": "20"})
    assert "100% of the buyers would have had their first reward" in text(shown)


def test_mistakes_are_said_in_words_at_their_field(manager: Client) -> None:
    draft = begin(manager, "full")
    place = answer(manager, at(draft, "situation"), buyers="9", orders_each="3", basket="9")
    place = answer(manager, place, template="tiered-points")
    place = answer(manager, place)
    wrong = {**fields(manager, place), "earn_units": "0", "reward_worth": "much"}
    reply = manager.post(place, wrong)
    assert reply.status_code == 422
    assert 'id="id_earn_units_errors"' in reply.content.decode()
    place = answer(manager, answer(manager, place))
    assert place == at(draft, "tiers")
    wrong = {**fields(manager, place), "tiers-1-threshold": "9000", "tiers-2-threshold": "5"}
    reply = manager.post(place, wrong)
    assert "Each tier asks for more than the one before." in text(reply)
    wrong = {**fields(manager, place), "tiers-1-threshold": "x"}
    assert "Row 2, “From”: Enter a number." in text(manager.post(place, wrong))


def test_a_step_is_not_reached_before_those_before_it(manager: Client) -> None:
    draft = begin(manager, "full")
    assert manager.get(at(draft, "launch")).headers["Location"] == at(draft, "situation")
    assert manager.get(at(draft, "nonsense")).headers["Location"] == at(draft, "situation")
    assert manager.post(at(draft, "review")).headers["Location"] == at(draft, "situation")
    assert not Program.objects.exists()


def test_one_may_leave_and_go_on_where_one_was(manager: Client) -> None:
    draft = begin(manager, "starter")
    place = answer(manager, at(draft, "what"), template="points", program_name="Tea Club")
    left = manager.post(place, {**fields(manager, place), "earn_units": "7", "leave": "1"})
    assert left.headers["Location"] == url("wizard_start")
    page = manager.get(url("wizard_start"))
    assert "Tea Club" in text(page)
    assert at(draft, "reward") in page.content.decode()
    assert fields(manager, place)["earn_units"] == "7"
    manager.post(url("wizard_discard", draft.public_id))
    assert "Go on where you stopped" not in text(manager.get(url("wizard_start")))
    assert not ProgramDraft.objects.exists()


def test_the_quick_way_says_what_it_offers(manager: Client) -> None:
    said = text(manager.get(url("wizard_start")))
    assert "Points, stamps, cashback, discounts, games, friends and more" in said
    offered = text(manager.get(at(begin(manager, "starter"), "what")))
    for kind in ("Stamp card by visit", "Points and a game", "Members bring friends"):
        assert kind in offered


def test_what_another_window_said_is_not_written_over_without_a_word(manager: Client) -> None:
    draft = begin(manager, "starter")
    place = answer(manager, at(draft, "what"), template="points", program_name="Tea Club")
    stale = fields(manager, place)
    following = answer(manager, place, earn_units="7")
    # Who says the same, or presses twice, loses nothing.
    again = manager.post(place, {**stale, "earn_units": "7"})
    assert again.headers["Location"] == following
    late = manager.post(place, {**stale, "earn_units": "3"})
    assert late.status_code == 422
    assert "This was changed in another window after you opened it here." in text(late)
    draft.refresh_from_db()
    assert draft.answers["earn_units"] == "7"
    shown = values_of(late.content.decode())
    assert shown["earn_units"] == "3"
    assert manager.post(place, {**stale, "seen": shown["seen"], "earn_units": "3"}).headers[
        "Location"
    ] == following  # fmt: skip
    draft.refresh_from_db()
    assert draft.answers["earn_units"] == "3"


def test_a_mistake_does_not_hide_what_another_window_said(manager: Client) -> None:
    draft = begin(manager, "starter")
    place = answer(manager, at(draft, "what"), template="points", program_name="Tea Club")
    stale = fields(manager, place)
    answer(manager, place, earn_units="7")
    wrong = manager.post(place, {**stale, "earn_units": "none"})
    assert wrong.status_code == 422
    shown = values_of(wrong.content.decode())
    late = manager.post(place, {**stale, "seen": shown["seen"], "earn_units": "3"})
    assert "changed in another window" in text(late)


def test_what_was_not_looked_at_is_not_created(manager: Client) -> None:
    draft = begin(manager, "starter")
    place = answer(manager, at(draft, "what"), template="points", program_name="Tea Club")
    review = answer(manager, answer(manager, place))
    stale = values_of(manager.get(review).content.decode())
    answer(manager, place, earn_units="7")
    assert manager.post(review, stale).headers["Location"] == review
    assert "Answers were changed in another window." in text(manager.get(review))
    assert not Program.objects.exists()
    manager.post(review, values_of(manager.get(review).content.decode()))
    assert Program.objects.get().name == "Tea Club"


def test_going_back_and_changing_the_kind_asks_what_that_asks(manager: Client) -> None:
    draft = begin(manager, "full")
    place = answer(manager, at(draft, "situation"), buyers="9", orders_each="3", basket="9")
    place = answer(manager, place, template="points")
    place = answer(manager, place, program_name="Tea Club")
    answer(manager, place)
    place = answer(manager, at(draft, "kind"), template="discount-card")
    assert fields(manager, place)["program_name"] == "Tea Club"
    page = text(manager.get(answer(manager, place)))
    assert "How many percent?" in page
    assert "How long it lasts" not in page


def test_others_do_not_see_it(manager: Client, client_of: Callable[[str], Client]) -> None:
    draft = begin(manager, "starter")
    other = client_of("administrator")
    assert other.get(at(draft, "what")).status_code == 404
    assert other.post(url("wizard_discard", draft.public_id)).status_code == 404
    assert ProgramDraft.objects.exists()


def test_the_terms_are_those_of_the_public_page(manager: Client, history: None) -> None:
    draft = begin(manager, "full")
    place = answer(manager, at(draft, "situation"))
    place = answer(manager, place, template="tiered-points")
    place = answer(manager, place, program_name="Tea Club")
    while not place.endswith("/terms/"):
        place = answer(manager, place)
    page = manager.get(place).content.decode()
    shown = page[page.index("wizard-terms") : page.index("</article>")]
    assert not Program.objects.exists()
    while not place.endswith("/review/"):
        said = {"status": "live"} if place.endswith("/launch/") else {}
        place = answer(manager, place, **said)
    manager.post(place)
    public = Client().get("/programs/tea-club/terms/").content.decode()
    panels = public[public.index("<section") : public.index("</main>")]
    assert re.sub(r"\s+", " ", panels).strip() in re.sub(r"\s+", " ", shown)


def test_a_backtest_goes_through_all_of_it(manager: Client, history: None) -> None:
    draft = begin(manager, "full")
    place = answer(manager, at(draft, "situation"))
    place = answer(manager, place, template="points")
    place = answer(manager, place, program_name="Tea Club")
    while not place.endswith("/cost/"):
        place = answer(manager, place)
    assert "Where the cost comes from" in preview(manager, draft, "cost", margin="20")
    assert "Save as a draft and run the backtest" in text(manager.get(place))
    reply = manager.post(url("wizard_backtest", draft.public_id))
    backtest = Backtest.objects.get()
    assert reply.headers["Location"] == url("backtest_page", backtest.public_id)
    assert backtest.program.status == "draft"
    assert (backtest.until - backtest.since).days == 261
    assert Program.objects.count() == 1


def test_a_merchant_with_programs_gets_another_one_beside_them(manager: Client) -> None:
    make_program("tea-club", name="Tea Club")
    draft = begin(manager, "starter")
    place = answer(manager, at(draft, "what"), template="points", program_name="Tea Club")
    manager.post(answer(manager, answer(manager, place)))
    assert set(Program.objects.values_list("code", flat=True)) == {"tea-club", "tea-club-2"}


def test_it_begins_with_the_merchant_s_currency(manager: Client) -> None:
    merchant = get_merchant()
    merchant.currency, merchant.time_zone = "JPY", "Asia/Tokyo"
    merchant.save()
    draft = begin(manager, "starter")
    place = answer(manager, at(draft, "what"), template="points", program_name="Tea")
    assert fields(manager, place)["earn_per"] == "100"
    manager.post(answer(manager, answer(manager, place)))
    program = Program.objects.get()
    assert (program.currency, program.time_zone) == ("JPY", "Asia/Tokyo")


def test_the_list_of_programs_leads_here(manager: Client) -> None:
    assert url("wizard_start") in manager.get(url("program_list")).content.decode()


def test_a_preview_of_a_step_that_is_not_there_is_not_found(manager: Client) -> None:
    draft = begin(manager, "starter")
    assert manager.post(url("wizard_preview", draft.public_id, "tiers")).status_code == 404
