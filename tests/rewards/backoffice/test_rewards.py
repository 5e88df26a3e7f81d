"""The catalog in the back-office: made, put on the shelf, sorted, taken for a customer."""

import io
import uuid

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import expect

from members.models import AuditEntry, Job
from members.segment_uses import segment_uses
from members.services.audit import SYSTEM
from members.services.segments import add_to_list, create_segment
from rewards.models import GiftDay, Redemption, Reward, Voucher
from tests.loyalty.backoffice.conftest import Member, queries_of
from tests.loyalty.factories import spendable
from tests.rewards.backoffice.screens import FORM, text, url
from tests.rewards.factories import offer, take

pytestmark = [
    pytest.mark.django_db, pytest.mark.usefixtures("ana_for_all", "undone_when_refused"),
]  # fmt: skip


def test_a_reward_is_made_as_a_draft_and_put_on_the_shelf(manager: Client, ana: Member):
    assert "No reward yet" in text(manager.get(url("reward_list", "beans")))
    manager.post(url("reward_create", "beans"), FORM)
    reward = Reward.objects.get()
    assert (reward.code, reward.status, reward.price, reward.amount) == ("5-off", "draft", 100, 5)
    manager.post(url("reward_state", "beans", "5-off"), {"status": "live"})
    page = text(manager.get(url("reward_list", "beans")))
    assert "$5.00 off" in page
    assert "100 Beans" in page
    actions = AuditEntry.objects.filter(target__startswith="rewards.reward").order_by("pk")
    assert [entry.action for entry in actions] == ["reward.created", "reward.changed"]


def test_the_first_reward_begins_with_what_the_program_promises(manager: Client, ana: Member):
    address = url("reward_create", "beans")
    assert not manager.get(address).context["form"].is_promised
    ana.program.wallet_types.update(spend_least=45, unit_value="0.0333333333")
    form = manager.get(address).context["form"]
    assert {name: form[name].value() for name in ("name", "amount", "price", "kind")} == {
        "name": "$1.50 off", "amount": "1.5", "price": "45", "kind": "amount_off",
    }  # fmt: skip
    manager.post(address, FORM)
    assert not manager.get(address).context["form"].is_promised


def test_money_off_is_worth_and_costs_itself_unless_said_otherwise(manager: Client, ana: Member):
    manager.post(url("reward_create", "beans"), FORM | {"worth": "", "cost": ""})
    reward = Reward.objects.get()
    assert (reward.worth, reward.cost) == (5, 5)
    answer = manager.post(url("reward_edit", "beans", "5-off"), FORM | {"worth": "", "cost": "0"})
    assert answer.status_code == 302
    reward.refresh_from_db()
    assert (reward.worth, reward.cost) == (5, 0)


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"price": ""}, "price", "This field is required."),
        ({"price": "1.5"}, "price", "Whole units only."),
        ({"amount": ""}, "amount", "Say how much."),
        ({"kind": "free_product"}, "skus", "Name the products of which one is free."),
        ({"kind": "partner_voucher"}, "voucher_pool", "Choose the list that its codes come from."),
        ({"code_prefix": "tea!"}, "code_prefix", "String should match pattern"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(manager: Client, ana: Member, changes, field, words):
    answer = manager.post(url("reward_create", "beans"), FORM | changes)
    assert answer.status_code == 422
    assert words in " ".join(answer.context["form"].errors[field])
    assert not Reward.objects.exists()


def test_a_reward_is_changed_and_what_was_taken_stays(manager: Client, ana: Member):
    reward = offer(ana.program, "five", per_member=3)
    taken = take(ana.membership, reward)
    form = {name: value for name, value in FORM.items() if name != "kind"}
    manager.post(url("reward_edit", "beans", "five"), form | {"amount": "9", "stock": "10"})
    reward.refresh_from_db()
    assert (reward.amount, reward.stock, reward.per_member) == (9, 10, None)
    assert Voucher.objects.get(redemption=taken).terms["discount"]["body"]["amount"] == "5"
    page = text(manager.get(url("reward_page", "beans", "five")))
    assert "$9.00 off" in page
    assert taken.voucher.written in page


def test_rewards_are_sorted_and_copied(manager: Client, ana: Member):
    for code in ("one", "two", "three"):
        offer(ana.program, code)
    manager.post(url("reward_move", "beans", "three"), {"to": "earlier"})
    manager.post(url("reward_move", "beans", "one"), {"to": "earlier"})
    assert list(Reward.objects.values_list("code", flat=True)) == ["one", "three", "two"]
    manager.post(url("reward_duplicate", "beans", "one"))
    copy = Reward.objects.get(code="one-2")
    assert (copy.status, copy.name, copy.amount) == ("draft", "5 off (copy)", 5)


def test_the_page_asks_as_often_for_ten_rewards_as_for_one(manager: Client, ana: Member):
    offer(ana.program, "first")
    once = queries_of(manager, url("reward_list", "beans"))
    for number in range(9):
        offer(ana.program, f"more-{number}")
    assert queries_of(manager, url("reward_list", "beans")) == once


def test_an_agent_takes_a_reward_for_a_customer_once(agent: Client, ana: Member):
    reward = offer(ana.program, stock=5)
    address = url("reward_take", ana.membership.public_id)
    assert "5 off" in text(agent.get(address))
    form = {"reward": str(reward.public_id), "key": str(uuid.uuid4()), "reason": ""}
    for _click in range(2):
        agent.post(address, form)
    assert (Redemption.objects.count(), spendable("c1", timezone.now())) == (1, 50)
    panel = text(agent.get(url("redemption_panel", ana.customer.public_id)))
    assert Voucher.objects.get().written in panel


def test_an_agent_lets_pass_what_is_against_the_terms_with_a_reason(agent: Client, ana: Member):
    reward = offer(ana.program, ends_at=timezone.now())
    address = url("reward_take", ana.membership.public_id)
    form = {"reward": str(reward.public_id), "key": str(uuid.uuid4()), "reason": ""}
    refused = agent.post(address, form)
    assert (refused.status_code, "It could be taken until" in text(refused)) == (422, True)
    agent.post(address, form | {"reason": "Was a minute late"})
    taken = Redemption.objects.get()
    assert (taken.overridden, taken.override_reason) == (["over"], "Was a minute late")


def test_an_agent_cancels_notes_use_and_brings_back(agent: Client, ana: Member):
    reward = offer(ana.program, price=10, valid_days=1)
    first, second = take(ana.membership, reward, "a"), take(ana.membership, reward, "b")
    dialog = text(agent.get(url("redemption_cancel", first.public_id)))
    assert "10 Beans go back to where they came from" in dialog
    agent.post(url("redemption_cancel", first.public_id), {"reason": "A mistake"})
    agent.post(url("redemption_use", second.public_id))
    states = Redemption.objects.order_by("pk").values_list("status", "reason")
    assert list(states) == [("cancelled", "A mistake"), ("used", "")]
    late = take(ana.membership, reward, "c")
    refused = agent.post(
        url("redemption_reopen", late.public_id), {"until": "2199-01-01", "reason": "Ill"}
    )
    assert "Only what ran out can be brought back." in text(refused)


def test_an_agent_gives_a_reward_once(agent: Client, ana: Member):
    reward = offer(ana.program, on_shelf=False)
    address = url("reward_give", ana.membership.public_id)
    assert "It costs the member nothing" in text(agent.get(address))
    form = {"reward": str(reward.public_id), "key": str(uuid.uuid4()), "message": "Sorry!"}
    assert agent.post(address, form).status_code == 422
    for _click in range(2):
        agent.post(address, form | {"reason": "Late delivery"})
    given = Redemption.objects.get()
    assert (given.gift, given.message, spendable("c1", timezone.now())) == ("staff", "Sorry!", 150)
    panel = text(agent.get(url("redemption_panel", ana.customer.public_id)))
    assert "By hand" in panel
    assert "Sorry!" in panel
    assert "It was given." in text(agent.get(url("redemption_cancel", given.public_id)))


def test_a_reward_is_given_to_a_segment_by_a_job(manager: Client, ana: Member):
    reward = offer(ana.program)
    segment = create_segment(name="All", kind="static", actor=SYSTEM, now=timezone.now())
    address = url("reward_give_many", "beans", reward.code)
    form = {"segment": segment.code, "key": str(uuid.uuid4()), "message": "", "reason": "Party"}
    assert "Nobody in this segment" in text(manager.post(address, form))
    add_to_list(segment=segment, customer=ana.customer, actor=SYSTEM, now=timezone.now())
    assert manager.post(address, form)["Location"].startswith("/backoffice/jobs/")
    job = Job.objects.get(kind="gifts_for_many")
    assert (job.total, job.label) == (1, "5 off for All")


def test_a_reward_is_given_on_birthdays_until_that_is_stopped(manager: Client, ana: Member):
    reward = offer(ana.program)
    form = {"day": "birthday", "days_before": "7", "message": "Happy birthday"}
    manager.post(url("gift_day_start", "beans", reward.code), form)
    page = text(manager.get(url("reward_page", "beans", reward.code)))
    assert "Every member, 7 days ahead." in page
    again = manager.post(url("gift_day_start", "beans", reward.code), form)
    assert "It is given on this day already." in text(again)
    manager.post(url("gift_day_stop", GiftDay.objects.get().public_id))
    page = text(manager.get(url("reward_page", "beans", reward.code)))
    assert "Every member, 7 days ahead." not in page


def test_what_was_taken_is_found_by_its_code(agent: Client, ana: Member):
    taken = take(ana.membership, offer(ana.program))
    address = url("redemption_list")
    assert taken.voucher.written in text(agent.get(address))
    assert taken.voucher.written in text(
        agent.get(address, {"q": taken.voucher.written[:6].lower()})
    )
    assert "No code begins like that" in text(agent.get(address, {"q": "zzz"}))
    assert "Nothing here" in text(agent.get(address, {"status": "used"}))


def test_who_only_looks_sees_no_codes_and_cannot_find_them_sign_by_sign(ana: Member, client_of):
    taken = take(ana.membership, offer(ana.program))
    analyst, code = client_of("analyst"), taken.voucher.written
    for address in (
        url("redemption_list"), url("redemption_panel", ana.customer.public_id),
        url("reward_page", "beans", taken.reward.code),
    ):  # fmt: skip
        page = text(analyst.get(address))
        assert f"••••{code.replace('-', '')[-2:]}" in page
        assert code not in page
    assert "No code begins like that" in text(analyst.get(url("redemption_list"), {"q": code[:6]}))
    assert "••••" in text(analyst.get(url("redemption_list"), {"q": code}))


def test_a_segment_that_a_reward_asks_for_is_in_use(ana: Member):
    create_segment(actor=SYSTEM, name="Regulars", kind="static", now=timezone.now())
    when = {"field": "customer.segments", "op": "has_any", "value": ["regulars"]}
    reward = offer(ana.program, "for-some", name="For some", when=when)
    [use] = segment_uses()["regulars"]
    assert (use.kind, use.label, use.url) == (
        "reward", "For some (Bean Club)", url("reward_page", "beans", "for-some"),
    )  # fmt: skip
    Reward.objects.filter(pk=reward.pk).update(status="archived")
    assert segment_uses() == {}


def test_codes_of_a_partner_come_in_as_a_file(manager: Client, ana: Member):
    manager.post(url("voucher_pool_create", "beans"), {"name": "Cinema"})
    fill = url("voucher_pool_fill", "beans", "cinema")
    assert manager.post(fill, {}).status_code == 422
    file = io.BytesIO(b"code\nFILM-0001\nFILM-0002\n")
    file.name = "codes.csv"
    manager.post(fill, {"file": file})
    manager.post(fill, {"pasted": "FILM-0003\nFILM-0001"})
    odd = io.BytesIO(b"FILM\x00-0002\n")
    odd.name = "odd.csv"
    manager.post(fill, {"file": odd})
    page = text(manager.get(url("voucher_pool_list", "beans")))
    assert Voucher.objects.filter(status="waiting").count() == 3
    assert "Cinema" in page


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_screens_can_be_used_by_everybody(sign_in, ana, assert_no_axe_violations):
    reward = offer(ana.program, stock=5, tier_prices={})
    take(ana.membership, reward)
    page = sign_in("marketing_manager")
    for address in (
        url("reward_list", "beans"), url("redemption_list"),
        url("reward_page", "beans", reward.code), url("voucher_pool_list", "beans"),
        url("reward_preview", "beans"), url("reward_picture", "beans", reward.code),
        f"{url('reward_bulk', 'beans')}?rewards={reward.public_id}",
    ):  # fmt: skip
        page.goto(address)
        assert_no_axe_violations(page)
    # Looked at, wide and on a phone: `test_kinds_in_browser`.
    page.goto(url("reward_create", "beans"))
    page.get_by_text("Free product").click()
    expect(page.get_by_label("Products")).to_be_visible()
    expect(page.get_by_label("Money off", exact=True).last).not_to_be_visible()
