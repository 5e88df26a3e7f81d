"""What the screens of a shop say that has no program yet, or none that is live."""

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from loyalty.models import Program
from members.services.audit import SYSTEM
from members.services.merchants import update_merchant
from tests.loyalty.backoffice.conftest import url
from tests.loyalty.factories import make_program, order, record, spendable


def test_the_first_steps_are_ticked_one_by_one(manager: Client, agent: Client) -> None:
    def html(client: Client, address: str) -> str:
        return client.get(address).content.decode()

    def steps() -> list[tuple[str, bool]]:
        page = manager.get(url("first_steps_panel"))
        # The label of the step that stands out, and of each step whether it is done.
        return [(step.label if is_next else "", step.done)
                for step, _url, is_next in page.context["steps"]]  # fmt: skip

    def done() -> int:
        return sum(is_done for _label, is_done in steps())

    home = reverse("backoffice:home")
    assert done() == 0
    update_merchant(actor=SYSTEM, changes={"name": "Roastery"})
    assert steps()[0] == ("", True)
    record(order("A0", "10", at=timezone.now(), buyer="ana"))
    assert done() == 2
    make_program("beans", status="draft")
    assert steps()[3] == ("Take it live", False)
    assert "First steps" in html(manager, home)
    manager.post(url("program_publish", "beans"))
    assert done() == 4
    # Who may not do a step sees it without a button.
    assert "Do it" in html(manager, url("first_steps_panel"))
    assert "Do it" not in html(agent, url("first_steps_panel"))
    page = url("program_page", "beans")
    assert f'href="{page}#panel-first-members"' in html(manager, url("first_steps_panel"))
    ways = html(manager, page)
    assert 'id="panel-first-members"' in ways
    for name in ("join_link", "enrollment_file"):
        assert url(name, "beans") in ways
    record(order("A1", "10", at=timezone.now()))
    assert done() == 5
    assert "panel-first-members" not in html(manager, page)
    assert "First steps" not in html(manager, home)


def test_without_any_program_the_list_teaches(manager: Client) -> None:
    assert "No program yet" in manager.get(url("program_list")).content.decode()


def test_going_live_says_what_happens_and_then_orders_earn(manager: Client) -> None:
    make_program("beans", status="draft")
    page = manager.get(url("program_publish", "beans")).content.decode()
    assert "1\N{NO-BREAK SPACE}point for each $1.00 spent." in page
    assert "There are no orders yet" in page
    manager.post(url("program_publish", "beans"))
    program = Program.objects.get(code="beans")
    assert program.status == "live"
    assert manager.get(url("program_publish", "beans")).status_code == 404
    record(order("A1", "10", at=timezone.now()))
    assert spendable(at=timezone.now()) == 10


def test_without_any_program_the_page_says_what_it_is_for(manager: Client, db: None) -> None:
    assert "There is no program yet" in manager.get(url("economics_start")).content.decode()


def test_without_a_live_program_there_is_nothing_to_found(agent: Client) -> None:
    make_program("draft", status="draft")
    assert "needs a program that is live" in agent.get(url("pool_create")).content.decode()
