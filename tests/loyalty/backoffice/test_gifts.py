"""Giving on a customer's behalf: what both will have is seen first; it happens once; undo."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from loyalty.models import Membership, Program, Transfer, WalletType
from members.models import AuditEntry
from tests.factories import CustomerFactory
from tests.loyalty.backoffice.conftest import Member, htmx, url
from tests.loyalty.factories import adjust, make_program, make_wallet, spendable, wallet_of

pytestmark = pytest.mark.usefixtures("ana_for_all")
refused = pytest.mark.usefixtures("undone_when_refused")


@pytest.fixture
def bea(beans: Program) -> Membership:
    """A member with nothing yet."""
    CustomerFactory(
        given_name="Bea", family_name="Costa", external_id="c2", email="bea@example.com"
    )
    wallet = make_wallet(beans, "c2")
    return Membership.objects.select_related("customer").get(account=wallet.account_id)


def gift(to: str = "c2", units: str = "40", **changes: Any) -> dict[str, Any]:
    values = {
        "charity": "-",
        "to": to,
        "units": units,
        "message": "",
        "reason": "Asked by phone",
        "key": str(uuid.uuid4()),
    }
    return values | changes


def now_spendable(number: str) -> int:
    return spendable(number, timezone.now())


@pytest.mark.parametrize("by", ["number", "email", "card"])
def test_another_member_is_given_and_found_by_what_staff_know(
    agent: Client, ana: Member, bea: Membership, by: str
) -> None:
    to = {"number": "c2", "email": "BEA@example.com", "card": bea.card_number}[by]
    response = agent.post(url("wallet_give", ana.wallet.pk), gift(to, message="Enjoy"))
    assert response.status_code == 302
    assert (ana.spendable(), now_spendable("c2")) == (110, 40)
    entry = AuditEntry.objects.get(action="points.given")
    assert (entry.after["units"], entry.actor.staff_member.role) == (-40, "support_agent")
    assert "Costa" not in json.dumps(entry.after)
    html = agent.get(url("movement_panel", bea.customer.public_id)).content.decode()
    assert "Gift from Ana Lima" in html
    assert "Enjoy" in html


def test_a_charity_is_given(agent: Client, ana: Member) -> None:
    values = gift(to="", charity="trees")
    assert agent.post(url("wallet_give", ana.wallet.pk), values).status_code == 302
    assert ana.spendable() == 110
    assert Transfer.objects.get(kind="donation").note == "Asked by phone"
    html = agent.get(url("movement_panel", ana.customer.public_id)).content.decode()
    assert "Given to City Trees" in html


def test_what_both_will_have_is_shown_before(agent: Client, ana: Member, bea: Membership) -> None:
    adjust(wallet_of(bea.account_id), 7, "b", now=timezone.now())
    address = url("wallet_give_preview", ana.wallet.pk)
    html = agent.get(address, {"to": "c2", "units": "40", "charity": "-"}).content.decode()
    for text in ("150\N{NO-BREAK SPACE}Beans", "110\N{NO-BREAK SPACE}Beans", "Bea Costa",
                 "47\N{NO-BREAK SPACE}Beans"):  # fmt: skip
        assert text in html
    html = agent.get(address, {"units": "40", "charity": "trees"}).content.decode()
    assert "City Trees" in html
    for values, problem in (
        ({"to": "c2", "units": "101"}, "Today 100\N{NO-BREAK SPACE}Beans more can be given."),
        ({"to": "nobody", "units": "4"}, "Nobody in this program"),
        ({"to": "c2", "units": "many"}, "This is not a number"),
        ({"charity": "trees", "units": "151"}, "Only 150\N{NO-BREAK SPACE}Beans can be given."),
    ):
        assert problem in agent.get(address, {"charity": "-", **values}).content.decode()
    unfinished = agent.get(address, {"to": "", "units": "4", "charity": "-"}).content.decode()
    assert "note-warning" not in unfinished
    assert not Transfer.objects.filter(kind="gift").exists()


def test_without_scripts_a_button_shows_what_both_will_have(
    agent: Client, ana: Member, bea: Membership
) -> None:
    response = agent.post(url("wallet_give", ana.wallet.pk), gift(preview="1"))
    assert response.status_code == 200
    assert "Bea Costa" in response.content.decode()
    assert ana.spendable() == 150


def test_in_the_dialog_it_ends_with_a_toast_that_offers_undo(
    agent: Client, ana: Member, bea: Membership
) -> None:
    address = url("wallet_give", ana.wallet.pk)
    response = agent.post(address, gift(), headers=htmx("dialog-body"))
    assert response.status_code == 204
    toast = json.loads(response["HX-Trigger"])["setia:toast"]["items"][0]
    out = Transfer.objects.get(kind="gift", pair=None)
    assert toast["undo"] == url("gift_undo", out.pk)
    assert toast["text"] == "Ana Lima gave 40\N{NO-BREAK SPACE}Beans to Bea Costa."


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"units": "101"}, "Today 100\N{NO-BREAK SPACE}Beans more can be given."),
        ({"units": "0"}, "other than zero"),
        ({"units": "-5"}, "above zero"),
        ({"to": ""}, "Say who is to be given something."),
        ({"to": "c9"}, "Nobody in this program"),
        ({"to": "c1"}, "this is the same member"),
        ({"charity": "seas"}, "not one of the available"),
        ({"message": "x" * 201}, "at most 200 characters"),
        ({"key": ""}, "required"),
        ({"to": "", "charity": "trees", "reason": ""}, "required"),
    ],
)
def test_what_cannot_be_given_is_said_at_the_field(
    agent: Client, ana: Member, bea: Membership, values: dict[str, str], message: str
) -> None:
    response = agent.post(url("wallet_give", ana.wallet.pk), gift() | values)
    assert response.status_code == 422
    assert message in response.content.decode()
    assert ana.spendable() == 150


@refused
def test_more_than_there_is_cannot_be_given(agent: Client, ana: Member) -> None:
    values = gift(to="", charity="trees", units="151")
    response = agent.post(url("wallet_give", ana.wallet.pk), values)
    assert response.status_code == 422
    assert "Only 150\N{NO-BREAK SPACE}Beans can be given." in response.content.decode()


@refused
def test_the_same_form_gives_once_and_a_changed_one_starts_afresh(
    agent: Client, ana: Member, bea: Membership
) -> None:
    values, address = gift(), url("wallet_give", ana.wallet.pk)
    for _ in range(2):
        assert agent.post(address, values).status_code == 302
    assert now_spendable("c2") == 40
    changed = agent.post(address, values | {"units": "41"})
    assert changed.status_code == 422
    assert "was already sent once" in changed.content.decode()
    assert changed.context["form"]["key"].value() != values["key"]
    assert now_spendable("c2") == 40


def test_a_role_gives_no_more_than_it_may_adjust_alone(agent: Client, ana: Member) -> None:
    WalletType.objects.update(gift_most_per_day=None)
    adjust(ana.wallet, 6_000, "rich", now=timezone.now())
    values = gift(to="", charity="trees", units="1,001")
    response = agent.post(url("wallet_give", ana.wallet.pk), values)
    assert "At most 1,000\N{NO-BREAK SPACE}Beans" in response.content.decode()
    assert ana.spendable() == 6_150


def test_what_may_not_be_given_has_no_dialog(agent: Client, ana: Member) -> None:
    WalletType.objects.update(gifts_to_members=False, gifts_to_charities=False)
    html = agent.get(url("customer_give", ana.customer.public_id)).content.decode()
    assert "whose points may be given away" in html
    nobody = CustomerFactory()
    assert agent.get(url("customer_give", nobody.public_id)).status_code == 200


def test_of_several_wallets_one_is_chosen(agent: Client, ana: Member) -> None:
    html = agent.get(url("customer_give", ana.customer.public_id)).content.decode()
    assert "Card number, e-mail address or customer number" in html
    make_wallet(make_program("stars", unit={"gifts": {"to_members": True}}), "c1")
    html = agent.get(url("customer_give", ana.customer.public_id)).content.decode()
    assert "Give from which wallet?" in html
    assert url("wallet_give", ana.wallet.pk) in html


def test_only_charities_are_offered_where_members_may_not_be_given(
    agent: Client, ana: Member
) -> None:
    WalletType.objects.update(gifts_to_members=False)
    form = agent.get(url("wallet_give", ana.wallet.pk)).context["form"]
    assert list(form.fields) == ["charity", "units", "reason", "key"]
    values = {"charity": "-", "units": "5", "key": str(uuid.uuid4())}
    assert agent.post(url("wallet_give", ana.wallet.pk), values).status_code == 422


@pytest.mark.parametrize("leg", ["giver", "receiver"])
def test_a_gift_is_undone_from_either_side(
    agent: Client, ana: Member, bea: Membership, leg: str
) -> None:
    agent.post(url("wallet_give", ana.wallet.pk), gift())
    out = Transfer.objects.get(kind="gift", pair=None)
    address = url("gift_undo", out.pk if leg == "giver" else out.pairs.get().pk)
    assert "40\N{NO-BREAK SPACE}Beans go back" in agent.get(address).content.decode()
    assert agent.post(address).status_code == 302
    assert (ana.spendable(), now_spendable("c2")) == (150, 0)
    assert "was undone already" in agent.post(address).content.decode()
    html = agent.get(url("movement_panel", ana.customer.public_id)).content.decode()
    assert "A gift was undone" in html
    assert url("gift_undo", out.pk) not in html


def test_what_is_left_of_a_gift_is_said_and_goes_back(
    agent: Client, ana: Member, bea: Membership
) -> None:
    agent.post(url("wallet_give", ana.wallet.pk), gift())
    address = url("gift_undo", Transfer.objects.get(kind="gift", pair=None).pk)
    adjust(wallet_of(bea.account_id), -15, "spend", now=timezone.now())
    html = agent.get(address).content.decode()
    assert "What is left goes back to whoever gave it: 25\N{NO-BREAK SPACE}Beans." in html
    agent.post(address)
    assert ana.spendable() == 135


def test_a_gift_that_was_spent_says_why_it_cannot_be_undone(
    agent: Client, ana: Member, bea: Membership
) -> None:
    agent.post(url("wallet_give", ana.wallet.pk), gift())
    adjust(wallet_of(bea.account_id), -40, "spend", now=timezone.now())
    address = url("gift_undo", Transfer.objects.get(kind="gift", pair=None).pk)
    assert "Nothing is left of this gift" in agent.get(address).content.decode()


def test_an_analyst_finds_no_button_and_adjustments_are_not_gifts(
    client_of: Callable[[str], Client], agent: Client, ana: Member, bea: Membership
) -> None:
    agent.post(url("wallet_give", ana.wallet.pk), gift())
    html = client_of("analyst").get(url("movement_panel", ana.customer.public_id))
    assert "/undo/" not in html.content.decode()
    transfer = adjust(ana.wallet, 5, "a", now=timezone.now())
    assert agent.get(url("gift_undo", transfer.pk)).status_code == 404
