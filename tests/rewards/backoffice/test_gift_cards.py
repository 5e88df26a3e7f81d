"""Gift cards in the back-office: issued, found, served, made in bulk."""

import csv
import datetime as dt
import io
import re
import uuid
from contextlib import suppress
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from loyalty.selectors.programs import definition_of
from loyalty.services.programs import apply_definition
from loyalty.unit_definitions import WalletTypeDefinition
from members.models import AuditEntry, Job
from members.services.audit import SYSTEM
from members.services.job_runs import run_job, run_scheduled
from rewards.models import GiftCard, GiftCardBatch, Reward
from rewards.services import gift_card_batches
from rewards.services.gift_cards import code_of, find_gift_card
from tests.loyalty.backoffice.conftest import Member, queries_of
from tests.rewards.cards import CREDIT, issue, left, pay

pytestmark = [
    pytest.mark.django_db, pytest.mark.usefixtures("ana_for_all", "undone_when_refused"),
]  # fmt: skip


@pytest.fixture
def club(ana: Member):
    now = timezone.now()
    said = definition_of(ana.program, now)
    kinds = (*said.wallet_types, WalletTypeDefinition.model_validate(CREDIT))
    changed = said.model_copy(update={"wallet_types": kinds})
    return apply_definition(changed, actor=SYSTEM, now=now).program


def url(name, *args):
    return reverse(f"rewards_backoffice:gift_card_{name}", args=args)


def text(response):
    return " ".join(response.content.decode().replace("\xa0", " ").split())


def form(**changes):
    return {"key": str(uuid.uuid4()), "amount": "50"} | changes


def test_a_card_is_issued_and_its_code_shown_once(manager: Client, ana: Member, club):
    sent = form(
        recipient_name="Leo", message="Happy birthday", buyer=ana.customer.external_id
        or ana.customer.email,
    )  # fmt: skip
    answer = manager.post(url("issue"), sent)
    card = GiftCard.objects.get()
    assert code_of(card) in text(answer)
    assert answer["Cache-Control"] == "no-store"
    assert (left(card, timezone.now()), card.buyer, card.recipient_name) == (
        "50.00", ana.customer, "Leo",
    )  # fmt: skip
    # The same form again is the same card.
    assert code_of(card) in text(manager.post(url("issue"), sent))
    assert GiftCard.objects.count() == 1
    for path in (url("page", card.public_id), url("list")):
        page = text(manager.get(path))
        assert code_of(card) not in page
        assert card.last_four in page
    assert AuditEntry.objects.filter(action="gift_card.issued").count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"amount": "0"}, "amount"), ({"buyer": "nobody@example.com"}, "buyer"),
     ({"recipient_email": "x"}, "recipient_email")],
)  # fmt: skip
def test_what_is_wrong_is_said_at_its_field(manager: Client, club, changes, field):
    answer = manager.post(url("issue"), form(**changes))
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert not GiftCard.objects.exists()


def test_without_stored_value_nothing_can_be_issued(manager: Client, ana: Member):
    assert "No program has gift cards" in text(manager.get(url("issue")))
    assert "No program has gift cards" in text(manager.get(url("list")))


def test_cards_are_found_by_their_ending_and_by_names(manager: Client, ana: Member, club):
    now = timezone.now()
    one, two = issue(club, key="g1", at=now), issue(club, key="g2", at=now)
    GiftCard.objects.filter(pk=two.pk).update(recipient_name="Leonora")
    pay(one, "100", at=now)
    found = text(manager.get(url("list"), {"q": one.last_four.lower()}))
    assert str(one) in found
    assert str(two) not in found
    assert str(two) in text(manager.get(url("list"), {"q": "leonora"}))
    assert str(one) in text(manager.get(url("list"), {"state": "used_up"}))
    assert str(one) not in text(manager.get(url("list"), {"state": "active"}))
    assert "No gift card found" in text(manager.get(url("list"), {"q": "zzzzzz"}))


def test_the_list_asks_as_often_for_many_cards_as_for_one(manager: Client, club):
    now = timezone.now()
    pay(issue(club, at=now), "10", at=now)
    once = queries_of(manager, url("list"))
    for number in range(6):
        pay(issue(club, key=f"more{number}", at=now), "10", at=now)
    assert queries_of(manager, url("list")) == once


def test_staff_block_let_go_top_up_and_cancel(manager: Client, club):
    now = timezone.now()
    card = issue(club, at=now)
    why = form(reason="reported stolen")
    manager.post(url("block", card.public_id), why)
    assert "This card is blocked" in text(manager.get(url("page", card.public_id)))
    manager.post(url("unblock", card.public_id), why)
    manager.post(url("top_up", card.public_id), form(amount="5"))
    assert left(card, timezone.now()) == "105.00"
    manager.post(url("cancel", card.public_id), why)
    card.refresh_from_db()
    assert (card.status, left(card, timezone.now())) == ("cancelled", "0.00")


def test_a_spent_card_is_not_canceled_and_the_dialog_says_why(agent: Client, club):
    now = timezone.now()
    card = issue(club, at=now)
    pay(card, "1", at=now)
    answer = agent.post(url("cancel", card.public_id), form(reason="returned"))
    assert answer.status_code == 422
    assert "Some of it was spent" in text(answer)


def test_a_lost_card_is_replaced_and_the_new_code_shown(agent: Client, club):
    card = issue(club, at=timezone.now())
    answer = agent.post(url("replace", card.public_id), form(reason="lost"))
    other = GiftCard.objects.get(replaces=card)
    assert code_of(other) in text(answer)
    assert str(other) in text(agent.get(url("page", card.public_id)))


def test_for_whom_a_card_is_can_be_erased(agent: Client, club):
    card = issue(club, at=timezone.now())
    GiftCard.objects.filter(pk=card.pk).update(recipient_name="Leo", message="Hello")
    agent.post(url("forget", card.public_id))
    card.refresh_from_db()
    assert (card.recipient_name, card.message) == ("", "")


def test_a_customer_s_cards_are_on_their_page(agent: Client, ana: Member, club):
    path = url("panel", ana.customer.public_id)
    assert "No gift cards" in text(agent.get(path))
    card = issue(club, at=timezone.now())
    GiftCard.objects.filter(pk=card.pk).update(buyer=ana.customer)
    assert str(card) in text(agent.get(path))


def test_many_are_made_by_a_job_and_listed_until_their_codes_are_forgotten(
    manager: Client, club, monkeypatch
):
    monkeypatch.setattr(gift_card_batches, "PIECE", 10)
    manager.post(url("batch_create"), {"name": "Christmas", "amount": "25", "count": "12"})
    batch = GiftCardBatch.objects.get()
    run_job(Job.objects.get(kind="gift_card_batch").pk)
    assert (batch.cards.count(), batch.cards.filter(status="inactive").count()) == (12, 12)
    answer = manager.post(url("batch_codes", batch.public_id))
    rows = list(csv.DictReader(io.StringIO(b"".join(answer).decode())))
    assert [row["number"] for row in rows] == [str(number) for number in range(1, 13)]
    found = find_gift_card(rows[0]["code"])
    assert (found.batch, rows[0]["ends_in"], rows[0]["amount"]) == (
        batch, found.last_four, "25.00",
    )  # fmt: skip
    assert "Fetch the list" in text(manager.get(url("batch_list")))
    manager.post(url("batch_forget", batch.public_id))
    assert not batch.cards.exclude(seed=None).exists()
    assert "Forgotten" in text(manager.get(url("batch_list")))
    actions = AuditEntry.objects.filter(target__startswith="rewards.giftcardbatch")
    assert set(actions.values_list("action", flat=True)) == {
        "gift_card_batch.created", "gift_card_batch.codes_read", "gift_card_batch.codes_forgotten",
    }  # fmt: skip


def test_a_batch_that_is_killed_goes_on_where_it_was(club, monkeypatch):
    monkeypatch.setattr(gift_card_batches, "PIECE", 5)
    _batch, job = gift_card_batches.create_batch(
        program=club, name="Summer", amount=Decimal(5), count=12, active=True, actor=SYSTEM,
        now=timezone.now(),
    )  # fmt: skip
    made = []

    def dies(**given):
        made.append(given["key"])
        if len(made) == 7:
            raise RuntimeError("killed")
        return real(**given)

    real = gift_card_batches.issue_gift_card
    monkeypatch.setattr(gift_card_batches, "issue_gift_card", dies)
    with suppress(RuntimeError):
        run_job(job.pk)
    assert GiftCard.objects.count() == 5
    monkeypatch.setattr(gift_card_batches, "issue_gift_card", real)
    Job.objects.filter(pk=job.pk).update(state="queued")
    run_job(job.pk)
    assert GiftCard.objects.filter(status="active").count() == 12


def test_a_reward_that_gives_money_is_made_and_changed(manager: Client, club):
    path = reverse("rewards_backoffice:reward_create", args=["beans"])
    sent = {
        "kind": "gift_card", "name": "A card", "price": "100", "given": "5", "per_period": "ever",
        "wallet_type": "points",
    }  # fmt: skip
    answer = manager.post(path, sent | {"given": ""})
    assert answer.context["form"].errors["given"] == ["Say how much."]
    manager.post(path, sent)
    reward = Reward.objects.get()
    assert (reward.kind, reward.amount) == ("gift_card", 5)
    edit = reverse("rewards_backoffice:reward_edit", args=["beans", reward.code])
    assert 'value="5"' in text(manager.get(edit))
    manager.post(edit, sent | {"given": "6"})
    reward.refresh_from_db()
    assert reward.amount == 6


def test_old_codes_are_forgotten(club):
    now = timezone.now()
    old, new = issue(club, key="old", at=now), issue(club, key="new", at=now)
    assert gift_card_batches.find_forgetting(now) is None
    GiftCard.objects.filter(pk=old.pk).update(created_at=now - dt.timedelta(days=91))
    assert gift_card_batches.find_forgetting(now) is not None
    run_scheduled(kind="gift_card_codes", now=now)
    old.refresh_from_db()
    new.refresh_from_db()
    assert (old.seed, bool(new.seed)) == (None, True)


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_pages_can_be_used_by_everybody(sign_in, live_server, club, assert_no_axe_violations):
    page = sign_in("marketing_manager")
    card = issue(club, at=timezone.now())
    for path in (url("list"), url("page", card.public_id), url("batch_list"), url("issue")):
        page.goto(f"{live_server.url}{path}")
        assert_no_axe_violations(page)
    page.get_by_label("Amount").fill("20")
    page.get_by_role("button", name="Issue the card").click()
    page.get_by_text("This is the only time").wait_for()
    assert re.search(r"[2-9A-Z]{4}-[2-9A-Z]{4}-[2-9A-Z]{4}-[2-9A-Z]", page.content())
    assert_no_axe_violations(page)
