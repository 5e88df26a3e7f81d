"""The wizard's pages: from a few answers to a program, one screen at a time."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from loyalty.models import Program, ProgramDraft
from members.models import User
from members.selectors.merchants import get_merchant
from tests.factories import StaffMemberFactory
from tests.loyalty.backoffice.conftest import url
from tests.loyalty.backoffice.tier_forms import values_of
from tests.loyalty.backoffice.wizard import answer, at, begin, come_to, fields, preview, text
from tests.loyalty.factories import make_program
from tests.sharing import of_each_test
from tests.sign_ins import signed_in

pytestmark = pytest.mark.django_db
_made_once, its_user = of_each_test(lambda: StaffMemberFactory(role="marketing_manager").user)


@pytest.fixture
def manager(its_user: User) -> Client:
    return signed_in(its_user)


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


def test_without_orders_it_asks_for_estimates(manager: Client) -> None:
    draft = begin(manager, "full")
    assert "Your estimates" in text(manager.get(at(draft, "situation")))
    reply = manager.post(
        at(draft, "situation"), {"currency": "USD", "margin": "40", "simplicity": "balanced"}
    )
    assert reply.status_code == 422
    # Beside each field, and in the summary above.
    assert text(reply).count("A guess will do; everything else is worked out from it.") == 6
    come_to(
        draft, "earning", buyers="1000", orders_each="4", basket="50", template="points",
        program_name="Club",
    )  # fmt: skip
    page = preview(manager, draft, "earning", reward_units="150", reward_worth="3")
    assert "Worked out from your estimates" in page
    assert "of the buyers would have had their first reward within the year" in page


def test_mistakes_are_said_in_words_at_their_field(manager: Client) -> None:
    draft = begin(manager, "full")
    said = {"buyers": "9", "orders_each": "3", "basket": "9", "template": "tiered-points"}
    place = come_to(draft, "earning", **said)
    wrong = {**fields(manager, place), "earn_units": "0", "reward_worth": "much"}
    reply = manager.post(place, wrong)
    assert reply.status_code == 422
    assert 'id="id_earn_units_errors"' in reply.content.decode()
    place = come_to(draft, "tiers")
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
    assert url("template_gallery") in page.content.decode()
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
    come_to(
        draft, "expiry", buyers="9", orders_each="3", basket="9", template="points",
        program_name="Tea Club",
    )  # fmt: skip
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
