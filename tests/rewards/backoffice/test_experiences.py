"""Events, the library and early access in the back-office."""

import datetime as dt
import io

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from members.models import Job
from members.services.audit import SYSTEM
from members.services.job_runs import run_job
from rewards.models import AccessWindow, ContentItem, Event, Redemption
from rewards.services.events import join_waiting_list
from tests.loyalty.backoffice.conftest import Member, queries_of
from tests.loyalty.factories import spendable
from tests.rewards.factories import make_member, take

pytestmark = [
    pytest.mark.django_db, pytest.mark.usefixtures("ana_for_all", "undone_when_refused"),
]  # fmt: skip


def url(name, *args):
    return reverse(f"rewards_backoffice:{name}", args=args)


def text(response):
    return " ".join(response.content.decode().replace("\xa0", " ").split())


def local(days: int, hour: int) -> str:
    day = (timezone.now() + dt.timedelta(days=days)).date()
    return f"{day}T{hour:02}:00"


@pytest.fixture
def form():
    return {
        "name": "Tasting", "place": "The shop", "starts_at": local(20, 18),
        "ends_at": local(20, 20), "seats": "2", "per_member": "1", "price": "50",
        "offer_hours": "24",
    }  # fmt: skip


@pytest.fixture
def event(manager: Client, ana: Member, form) -> Event:
    manager.post(url("event_create", "beans"), form)
    manager.post(url("event_state", "beans", "tasting"), {"status": "live"})
    return Event.objects.select_related("reward__program", "reward__wallet_type").get()


def test_an_event_is_planned_in_the_programs_own_time(event: Event, manager: Client):
    local_time = event.starts_at.astimezone(event.reward.program.zone)
    assert (local_time.hour, event.reward.stock, event.reward.status) == (18, 2, "live")
    page = text(manager.get(url("event_list", "beans")))
    assert "Tasting" in page
    assert "0 of 2" in page


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"place": ""}, "place"),
        ({"ends_at": local(19, 20)}, "ends_at"),
        ({"opens_at": local(21, 9)}, "opens_at"),
        ({"seats": "0"}, "seats"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(manager: Client, ana: Member, form, changes, field):
    answer = manager.post(url("event_create", "beans"), form | changes)
    assert answer.status_code == 422
    assert answer.context["form"].errors[field]
    assert not Event.objects.exists()


def test_an_event_is_changed_and_its_reward_with_it(event: Event, manager: Client, form):
    answer = manager.get(url("reward_edit", "beans", "tasting"))
    assert answer["Location"] == url("event_edit", "beans", "tasting")
    shown = manager.get(url("event_edit", "beans", "tasting"))
    assert shown.context["form"]["seats"].value() == 2
    manager.post(url("event_edit", "beans", "tasting"), form | {"seats": "9", "price": "0"})
    event.reward.refresh_from_db()
    assert (event.reward.stock, event.reward.price) == (9, 0)


def test_the_door_says_at_once_who_may_come_in(event: Event, agent: Client, ana: Member):
    code = take(ana.membership, event.reward).voucher.written
    address = url("event_check_in", "beans", "tasting")
    assert "Ana Lima may come in" in text(agent.post(address, {"code": code.lower()}))
    again = agent.post(address, {"code": code})
    assert (again.status_code, "was used already" in text(again)) == (422, True)
    assert "no such voucher" in text(agent.post(address, {"code": "XYZ"}))
    assert "1 of 1 are in" in text(agent.get(address))
    assert "It is not over yet." in text(
        agent.post(url("event_no_show", "beans", "tasting"), follow=True)
    )


def test_an_event_is_called_off_and_units_come_back(event: Event, manager: Client, ana: Member):
    take(ana.membership, event.reward)
    dialog = text(manager.get(url("event_cancel", "beans", "tasting")))
    assert "1 booking is canceled" in dialog
    manager.post(url("event_cancel", "beans", "tasting"), {"reason": "Storm"})
    run_job(Job.objects.get(kind="events_called_off").pk)
    assert spendable("c1", timezone.now()) == 150
    page = text(manager.get(url("event_page", "beans", "tasting")))
    assert "This event is called off" in page


def test_the_page_shows_the_waiting_list_in_its_order(event: Event, agent: Client, ana: Member):
    take(ana.membership, event.reward)
    others = [make_member(100, f"w{number}", ana.program, timezone.now()) for number in range(3)]
    take(others[0], event.reward, "k2")
    for other in others[1:]:
        join_waiting_list(event=event, membership=other, actor=SYSTEM, now=timezone.now())
    page = text(agent.get(url("event_page", "beans", "tasting")))
    assert page.index("Waiting list") < page.index("Who has booked")
    once = queries_of(agent, url("event_page", "beans", "tasting"))
    more = make_member(100, "w9", ana.program, timezone.now())
    join_waiting_list(event=event, membership=more, actor=SYSTEM, now=timezone.now())
    assert queries_of(agent, url("event_page", "beans", "tasting")) == once
    assert Redemption.objects.count() == 2


def test_something_to_read_comes_as_a_file_or_a_link(
    manager: Client, ana: Member, settings, tmp_path
):
    settings.MEDIA_ROOT = tmp_path
    create = url("content_create", "beans")
    assert manager.post(create, {"title": "Book", "status": "live"}).status_code == 422
    file = io.BytesIO(b"%PDF")
    file.name = "book.pdf"
    manager.post(create, {"title": "Book", "status": "live", "file": file, "price": "20"})
    manager.post(create, {"title": "Film", "status": "live", "link": "https://example.com/f"})
    page = text(manager.get(url("content_list", "beans")))
    assert "book.pdf" in page
    assert "20 Beans" in page
    book = ContentItem.objects.get(code="book")
    edit = url("content_edit", "beans", "book")
    manager.post(edit, {"title": "The book", "status": "archived", "price": "30"})
    book.refresh_from_db()
    assert (book.title, book.reward.price, book.reward.status) == ("The book", 30, "archived")
    assert manager.get(url("reward_edit", "beans", book.reward.code))["Location"] == edit


def test_early_access_is_planned_changed_and_put_away(manager: Client, ana: Member):
    create = url("window_create", "beans")
    form = {"name": "Sale", "opens_at": local(5, 9), "closes_at": local(9, 9)}
    assert manager.post(create, form | {"closes_at": local(5, 9)}).status_code == 422
    manager.post(create, form)
    window = AccessWindow.objects.get()
    assert window.opens_at.astimezone(ana.program.zone).hour == 9
    assert "Every member" in text(manager.get(url("window_list", "beans")))
    edit = url("window_edit", "beans", "sale")
    assert manager.post(edit, form | {"skus": "x" * 65}).status_code == 422
    hours = {"closes_at": local(9, 9), "name": "Big sale", "by_hours": "on"}
    assert manager.post(edit, hours).status_code == 422
    manager.post(edit, form | {"name": "Big sale", "skus": " A \nB\nA", "by_hours": "on"})
    window.refresh_from_db()
    assert window.skus == ["A", "B"]
    assert "A\nB" in manager.get(edit).content.decode()
    manager.post(url("window_archive", "beans", "sale"))
    window.refresh_from_db()
    assert (window.name, window.archived_at is None) == ("Big sale", False)
    assert "No window yet" in text(manager.get(url("window_list", "beans")))


def test_what_comes_with_a_sale_is_chosen_and_stands_beside_it(manager: Client, ana: Member):
    sale = {"name": "Sale", "opens_at": local(5, 9), "closes_at": local(9, 9)}
    manager.post(url("window_create", "beans"), sale)
    gift = {"kind": "access", "name": "A look ahead", "price": "10", "per_period": "ever"}
    create = url("reward_create", "beans")
    both = manager.post(create, gift | {"window": "sale", "starts_at": local(5, 9)})
    assert both.context["form"].errors["window"]
    manager.post(create, gift | {"window": "sale"})
    item = {"title": "Film", "status": "live", "link": "https://example.com/f", "window": "sale"}
    manager.post(url("content_create", "beans"), item)
    window = AccessWindow.objects.get()
    assert (window.rewards.get().name, window.content.get().title) == ("A look ahead", "Film")
    listed = text(manager.get(url("window_list", "beans")))
    assert "<div>A look ahead</div><div>Film</div>" in listed
    edit = url("reward_edit", "beans", "a-look-ahead")
    assert manager.get(edit).context["form"]["window"].value() == "sale"
    assert "With “Sale”." in text(manager.get(url("reward_page", "beans", "a-look-ahead")))
    once = queries_of(manager, url("window_list", "beans"))
    manager.post(create, gift | {"window": "sale", "name": "Another look"})
    assert queries_of(manager, url("window_list", "beans")) == once
    # What was put away is kept where it was chosen, and offered to nothing else.
    manager.post(url("window_archive", "beans", "sale"))
    assert ("sale", "Sale") in manager.get(edit).context["form"].fields["window"].choices
    assert ("sale", "Sale") not in manager.get(create).context["form"].fields["window"].choices


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_screens_can_be_used_by_everybody(sign_in, event: Event, ana, assert_no_axe_violations):
    take(ana.membership, event.reward)
    page = sign_in("marketing_manager")
    for address in (
        url("event_list", "beans"), url("event_create", "beans"), url("content_list", "beans"),
        url("event_page", "beans", "tasting"), url("event_check_in", "beans", "tasting"),
        url("content_create", "beans"), url("window_list", "beans"),
        url("window_create", "beans"),
    ):  # fmt: skip
        page.goto(address)
        assert_no_axe_violations(page)
