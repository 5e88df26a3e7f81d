"""/me/memberships/…: what a member does with what is theirs."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from loyalty.models import Membership, Program, Transfer
from loyalty.services.memberships import enroll_customer
from loyalty.services.suspensions import suspend_membership
from members.api.throttling import Allowance
from members.models import ApiKey, AuditEntry, Customer, ProfileQuestion
from members.services.api_keys import create_api_key
from members.services.audit import SYSTEM
from members.services.member_tokens import issue_member_token
from members.services.profile_questions import put_question_away
from rewards.definitions import RewardDefinition
from rewards.models import Redemption, Reward
from rewards.services.redemptions import issue_redemption
from rewards.services.rewards import create_reward
from tests.api.conftest import ApiClient, assert_problem
from tests.loyalty.factories import adjust, make_program, make_wallet, wallet_of
from tests.loyalty.wallet_passes.authority import apple_files, google_keys
from tests.rewards.factories import take
from tests.sharing import of_each_test

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("undone_when_refused")]
TREES = {
    "code": "trees", "name": "City Trees", "thing_singular": "tree", "thing_plural": "trees",
    "thing_price": "5", "texts": {"el": {"name": "Δέντρα"}},
}  # fmt: skip
TIERS = {
    "metric": "spend", "window": "lifetime",
    "tiers": [{"code": "sprout", "name": "Sprout"},
              {"code": "oak", "name": "Oak", "threshold": "500"}],
}  # fmt: skip
BASKET = {"order": {"currency": "USD", "total": "20", "lines": [{"sku": "tea", "total": "20"}]}}


@dataclass
class World:
    """Ann has 250 Beans; the shop has a key."""

    ann: Membership
    key: ApiKey


def make_world() -> World:
    now = timezone.now()
    unit = {"singular": "Bean", "plural": "Beans", "unit_value": "0.01",
            "expiry": {"kind": "months", "length": 12}}  # fmt: skip
    program = make_program("beans", name="Bean Club", unit=unit, charities=[TREES], tiers=TIERS)
    customer = Customer.objects.create(
        external_id="C-1", email="ann@example.com", given_name="Ann", family_name="Lee"
    )
    ann, _new = enroll_customer(
        customer=customer, program=program, source="api", at=now, actor=SYSTEM
    )
    adjust(wallet_of(ann.account_id), 250, "start", now=now, note="Only for us")
    key, _secret = create_api_key(actor=SYSTEM, name="shop", scopes=["member_tokens:write"])
    return World(ann, key)


_made_once, world = of_each_test(make_world)


@pytest.fixture
def ann(world: World) -> Membership:
    return world.ann


@pytest.fixture
def program(ann: Membership) -> Program:
    return ann.program


@pytest.fixture
def me(world: World) -> ApiClient:
    customer, hour = world.ann.customer, dt.timedelta(hours=1)
    issued = issue_member_token(
        customer=customer, api_key=world.key, lifetime=hour, now=timezone.now()
    )
    return ApiClient(issued.token)


@pytest.fixture
def at(ann: Membership) -> str:
    return f"/me/memberships/{ann.public_id}"


def offer(program: Program, code: str, price: int, **more: Any) -> Reward:
    values = {"code": code, "kind": "amount_off", "name": code.title(), "price": price,
              "amount": 5, "status": "live"}  # fmt: skip
    definition = RewardDefinition.model_validate(values | more)
    return create_reward(program=program, definition=definition, actor=SYSTEM)


def test_balances_and_what_expires(me: ApiClient, at: str) -> None:
    [balance] = me.get(f"{at}/balances").json()["balances"]
    assert (balance["spendable"], balance["worth"]["amount"]) == ("250", "2.50")
    assert balance["next_expiry"]["units"] == "250"
    [lot] = me.get(f"{at}/lots").json()["results"]
    assert (lot["remaining"], lot["kind"]) == ("250", "adjustment")
    assert lot["expires_at"]


def test_the_history_says_why_and_keeps_notes_to_staff(me: ApiClient, at: str) -> None:
    [moved] = me.get(f"{at}/transfers").json()["results"]
    assert (moved["units"], moved["words"]) == ("250", "+250\xa0Beans")
    assert moved["explanation"]["title"]
    assert "Only for us" not in me.get(f"{at}/transfers").content.decode()
    assert me.get(f"{at}/transfers/{moved['id']}").json() == moved
    assert me.get(f"{at}/transfers?wallet_type=stamps").json()["results"] == []
    assert_problem(me.get(f"{at}/transfers/{2**63}"), 404, "not_found")


def test_a_movement_of_somebody_else_is_not_there(me: ApiClient, at: str, program: Program) -> None:
    other = adjust(make_wallet(program, "c9"), 10, "other", now=timezone.now())
    assert_problem(me.get(f"{at}/transfers/{other.pk}"), 404, "not_found")


def test_the_tier_and_what_is_missing(me: ApiClient, at: str) -> None:
    told = me.get(f"{at}/tier").json()
    assert (told["tier"]["name"], told["next"]["tier"], told["next"]["missing"]) == (
        "Sprout", "oak", "500",
    )  # fmt: skip


def test_rewards_are_ready_near_or_locked(me: ApiClient, at: str, program: Program) -> None:
    offer(program, "ready", 100)
    offer(program, "near", 500)
    offer(program, "locked", 10, starts_at="2999-01-01T00:00:00Z")
    offer(program, "draft", 10, status="draft")
    found = me.get(f"{at}/rewards").json()["results"]
    assert [(item["code"], item["state"], item["share"]) for item in found] == [
        ("ready", "ready", 100), ("near", "near", 50), ("locked", "locked", 100),
    ]  # fmt: skip
    assert found[1]["missing_words"] == "250\xa0Beans"
    assert found[2]["offer"]["refusals"][0]["code"] == "not_yet"
    pages = me.get(f"{at}/rewards?limit=2").json()
    assert [item["code"] for item in me.get(pages["next"]).json()["results"]] == ["locked"]
    assert me.get(f"{at}/rewards/{found[0]['id']}").json() == found[0]


def test_a_reward_is_taken_once_and_is_among_the_vouchers(
    me: ApiClient, at: str, program: Program
) -> None:
    reward = offer(program, "five", 100)
    path = f"{at}/rewards/{reward.public_id}/take"
    assert_problem(me.post(path, {}), 400, "idempotency_key_required")
    first, again = (me.post(path, {}, Idempotency_Key="k1") for _ in range(2))
    assert (first.status_code, again["Idempotent-Replayed"]) == (201, "true")
    assert first.json() == again.json()
    taken = Redemption.objects.get()
    assert taken.voucher is not None
    assert first.json()["voucher"]["code"] == taken.voucher.written
    assert Transfer.objects.get(kind="redemption").source == "account"
    listed = me.get(f"{at}/vouchers?usable=true").json()["results"]
    assert [item["id"] for item in listed] == [str(taken.public_id)]
    assert me.get(f"{at}/vouchers/{taken.public_id}").json() == listed[0]
    assert_problem(
        me.post(f"{at}/rewards/{offer(program, 'dear', 900).public_id}/take", {},
                Idempotency_Key="k2"),
        409, "insufficient_balance",
    )  # fmt: skip
    entry = AuditEntry.objects.get(action="reward.taken")
    assert entry.actor_label.startswith("Member, by API key")


def test_what_is_only_reserved_keeps_its_secret(
    me: ApiClient, at: str, ann: Membership, program: Program
) -> None:
    prize = offer(program, "prize", 50)
    gift = offer(program, "gift", 10, kind="mystery", amount=None, prizes={"prize": 1})
    held = take(ann, gift, hold=dt.timedelta(minutes=5))
    [told] = me.get(f"{at}/vouchers").json()["results"]
    assert (told["name"], told["voucher"]) == ("Gift", None)
    issue_redemption(redemption=held, actor=SYSTEM, now=timezone.now())
    [told] = me.get(f"{at}/vouchers").json()["results"]
    assert told["name"] == prize.name
    assert told["voucher"]["usable"]


def test_keys_of_members_are_apart(
    me: ApiClient, at: str, program: Program, key_with: Callable[..., ApiClient]
) -> None:
    """Also where both came by one API key, and where that key itself uses the same text."""
    reward = offer(program, "five", 100)
    shop = key_with("member_tokens:write", "memberships:write")
    Customer.objects.create(external_id="C-2")
    answers = []
    for number in ("C-1", "C-2"):
        token = shop.post("/member-tokens", {"customer": {"external_id": number}}).json()["token"]
        browser = ApiClient(token)
        answers.append(browser.post("/me/memberships", {"program": "beans"}, Idempotency_Key="k"))
    assert [answer.status_code for answer in answers] == [200, 201]
    body = {"program": "beans", "customer": {"external_id": "C-2"}}
    assert shop.post("/memberships", body, Idempotency_Key="k").status_code == 200
    taken = me.post(f"{at}/rewards/{reward.public_id}/take", {}, Idempotency_Key="k")
    assert taken.status_code == 201


def test_the_goal_is_chosen_read_and_dropped(me: ApiClient, at: str, program: Program) -> None:
    reward = offer(program, "five", 500)
    assert me.get(f"{at}/goal").json() == {"reward": None}
    chosen = me.put(f"{at}/goal", {"reward": str(reward.public_id)}).json()["reward"]
    assert (chosen["code"], chosen["is_goal"], chosen["share"]) == ("five", True, 50)
    assert me.get(f"{at}/goal").json()["reward"] == chosen
    nobody = {"reward": "00000000-0000-4000-8000-000000000000"}
    assert_problem(me.put(f"{at}/goal", nobody), 422, "invalid_request", "reward")
    assert me.request("DELETE", f"{at}/goal").json() == {"reward": None}


def test_a_member_gives_to_a_charity(me: ApiClient, at: str) -> None:
    [trees] = me.get(f"{at}/charities", Accept_Language="el").json()["results"]
    assert (trees["name"], trees["given"]) == ("Δέντρα", "")
    body = {"charity": "trees", "units": "100"}
    assert_problem(me.post(f"{at}/donations", body), 400, "idempotency_key_required")
    given = me.post(f"{at}/donations", body, Idempotency_Key="d1")
    assert (given.status_code, given.json()["units"]) == (201, "-100")
    rest = me.post(f"{at}/donations", body | {"units": "all"}, Idempotency_Key="d2")
    assert rest.json()["units"] == "-150"
    assert me.get(f"{at}/charities").json()["results"][0]["given"]
    wrong = me.post(f"{at}/donations", body | {"charity": "seas"}, Idempotency_Key="d3")
    assert_problem(wrong, 422, "invalid_request", "charity")
    wrong = me.post(f"{at}/donations", body | {"wallet_type": "x"}, Idempotency_Key="d4")
    assert_problem(wrong, 422, "invalid_request", "wallet_type")


def test_a_share_is_given_by_itself_until_it_is_not(me: ApiClient, at: str) -> None:
    path = f"{at}/standing-gifts/points"
    gift = me.put(path, {"charity": "trees", "percent": "10"}).json()
    assert (gift["charity"], gift["percent"]) == ("trees", "10")
    assert len(me.get(f"{at}/standing-gifts").json()["results"]) == 1
    assert me.request("DELETE", path).json()["results"] == []


def test_a_basket_says_what_it_earns_and_what_fits(
    me: ApiClient, at: str, program: Program
) -> None:
    offer(program, "five", 100)
    told = me.post(f"{at}/quote", BASKET).json()
    assert told["quote"]["totals"][0]["units"] == "20"
    assert [(item["code"], item["fits"], item["amount"]) for item in told["rewards"]] == [
        ("five", True, "5.00")
    ]
    for_another = {"order": BASKET["order"] | {"customer": {"external_id": "C-9"}}}  # type: ignore[dict-item]
    assert_problem(me.post(f"{at}/quote", for_another), 422, "invalid_request", "order.customer")


def test_a_member_changes_what_they_say_of_themselves(me: ApiClient) -> None:
    changed = me.patch("/me", {"given_name": "Anna", "phone": "+60 12-345 6789", "locale": "el"})
    assert changed.status_code == 200, changed.content
    assert (changed.json()["given_name"], changed.json()["phone"]) == ("Anna", "+60123456789")
    assert me.get("/me").json() == changed.json()
    assert_problem(me.patch("/me", {"email": "x@example.com"}), 422, "invalid_request", "email")
    assert_problem(me.patch("/me", {"locale": "xx"}), 422, "invalid_request", "locale")
    Customer.objects.create(external_id="C-2", phone="+60198765432")
    refused = me.patch("/me", {"phone": "+60198765432"})
    problem = assert_problem(refused, 422, "invalid_request", "phone")
    assert problem["errors"][0]["code"] == "not_accepted"
    assert "Another customer" not in refused.content.decode()


def test_a_member_leaves_and_comes_back(me: ApiClient, at: str) -> None:
    assert me.post(f"{at}/leave").json()["status"] == "left"
    assert me.post(f"{at}/leave").json()["status"] == "left"
    assert me.post("/me/memberships", {"program": "beans"}).status_code == 201
    assert me.get(at).json()["status"] == "active"
    assert me.get(f"{at}/balances").json()["balances"][0]["spendable"] == "250"
    unknown = me.post("/me/memberships", {"program": "nope"})
    assert_problem(unknown, 422, "invalid_request", "program")


def test_a_member_reads_a_statement_and_keeps_it_on_paper(
    me: ApiClient, at: str, ann: Membership
) -> None:
    year = timezone.now().astimezone(ann.program.zone).year
    found = me.get(f"{at}/statement?period={year}").json()
    [beans] = found["wallets"]
    assert found["runs"]
    assert (beans["opening"], beans["added"], beans["closing"]) == ("0", "250", "250")
    assert [line["balance"] for line in beans["lines"]] == ["250"]
    paper = me.get(f"{at}/statement/file?period={year}")
    assert paper["Content-Type"] == "application/pdf"
    assert paper.content.startswith(b"%PDF-")


def test_who_wants_paper_again_and_again_has_to_wait(
    me: ApiClient, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "loyalty.statement_files.take", lambda _caller, limit: Allowance(False, limit, 0, 30)
    )
    assert_problem(me.get(f"{at}/statement/file?period=2025"), 429, "too_many_requests")


@pytest.mark.parametrize("asked", ["", "?period=2024-13", "?period=soon"])
def test_a_statement_of_no_period_names_the_field(me: ApiClient, at: str, asked: str) -> None:
    assert_problem(me.get(f"{at}/statement{asked}"), 400, "invalid_parameter", "period")


def test_a_statement_of_what_has_not_begun_is_refused(me: ApiClient, at: str) -> None:
    response = me.get(f"{at}/statement/file?period=2199-01")
    assert_problem(response, 422, "invalid_request", "period")


def test_what_always_earns_is_said_in_words(me: ApiClient, at: str, ann: Membership) -> None:
    [rule] = me.get(f"{at}/rules").json()["results"]
    assert (rule["ends_at"], len(rule["sentences"]) > 0) == (None, True)
    assert any("Bean" in sentence for sentence in rule["sentences"])
    suspend_membership(membership=ann, reason="Too odd", actor=SYSTEM, now=timezone.now())
    assert me.get(f"{at}/rules").json()["results"] == []


def test_a_gender_is_said_and_taken_back(me: ApiClient, ann: Membership) -> None:
    for said in ("other", "female", ""):
        assert me.patch("/me", {"gender": said}).json()["gender"] == said
    assert_problem(me.patch("/me", {"gender": "x"}), 422, "invalid_request", "gender")


def test_what_is_asked_is_read_and_answered(me: ApiClient, api: ApiClient, ann: Membership) -> None:
    body = {
        "code": "taste", "kind": "many", "text": "What do you like?",
        "choices": [{"code": "dark", "text": "Dark"}, {"code": "milk", "text": "Milk"}],
        "texts": {"el": {"text": "Τι σας αρέσει;", "choices": {"dark": "Μαύρη"}}},
    }  # fmt: skip
    assert api.post("/profile-questions", body).status_code == 201
    assert api.post("/profile-questions", body).status_code == 200
    assert_problem(
        api.post("/profile-questions", body | {"kind": "one"}), 422, "invalid_request", "kind"
    )
    [asked] = me.get("/me").json()["questions"]
    assert asked == {
        "code": "taste", "kind": "many", "text": "What do you like?", "completes": False,
        "asked": True, "choices": body["choices"],
    }  # fmt: skip
    assert me.patch("/me", {"answers": {"taste": ["milk"]}}).json()["answers"] == {
        "taste": ["milk"]
    }
    customer = f"/customers/{ann.customer.public_id}"
    assert api.get(customer).json()["answers"] == {"taste": ["milk"]}
    assert api.patch(customer, {"answers": {"taste": []}}).json()["answers"] == {}
    assert_problem(
        me.patch("/me", {"answers": {"taste": ["white"]}}), 422, "invalid_request", "answers.taste"
    )


def test_a_question_is_asked_no_more_and_again(me: ApiClient, api: ApiClient) -> None:
    choices = [{"code": code, "text": code.title()} for code in ("dark", "milk")]
    body = {"code": "taste", "kind": "many", "text": "What do you like?", "choices": choices}
    for asked in (True, False, True):
        told = api.post("/profile-questions", body | {"asked": asked}).json()
        assert told["asked"] is asked
        assert len(me.get("/me").json()["questions"]) == int(asked)
        assert len(api.get("/profile-questions").json()["results"]) == int(asked)


def test_people_choose_what_is_offered_and_keep_what_they_chose(
    me: ApiClient, api: ApiClient, ann: Membership
) -> None:
    choices = [{"code": code, "text": code.title()} for code in ("dark", "milk", "nuts", "plain")]
    body = {"code": "taste", "kind": "many", "text": "What do you like?", "choices": choices}
    api.post("/profile-questions", body)
    me.patch("/me", {"answers": {"taste": ["nuts"]}})
    api.post("/profile-questions", body | {"choices": choices[:2]})
    kept = me.patch("/me", {"answers": {"taste": ["nuts", "dark"]}}).json()
    assert kept["answers"] == {"taste": ["dark", "nuts"]}
    said = me.patch("/me", {"answers": {"taste": ["plain"]}})
    assert_problem(said, 422, "invalid_request", "answers.taste")
    question = ProfileQuestion.objects.get()
    put_question_away(question=question, away=True, actor=SYSTEM, now=timezone.now())
    said = me.patch("/me", {"answers": {"taste": ["milk"]}})
    assert_problem(said, 422, "invalid_request", "answers.taste")
    # What was said can be taken back all the same.
    assert me.patch("/me", {"answers": {"taste": []}}).json()["answers"] == {}


def test_a_birthday_is_told_once(me: ApiClient, ann: Membership) -> None:
    assert me.get("/me").json()["birthday"] is None
    for _time in range(2):
        assert me.patch("/me", {"birthday": "1990-03-15"}).json()["birthday"] == "1990-03-15"
    for other in ("1991-03-15", None):
        said = me.patch("/me", {"birthday": other, "given_name": "Nobody"})
        assert_problem(said, 422, "invalid_request", "birthday")
    assert_problem(me.patch("/me", {"birthday": "2990-01-01"}), 422, "invalid_request", "birthday")
    ann.customer.refresh_from_db()
    assert (ann.customer.birthday, ann.customer.given_name) == (dt.date(1990, 3, 15), "Ann")


def test_an_app_gets_the_card_for_the_wallet_of_the_phone(
    me: ApiClient, at: str, ann: Membership, settings: Any, tmp_path: Path
) -> None:
    assert me.get(f"{at}/wallet-passes").json() == {"apple": None, "google": None}
    assert_problem(me.get(f"{at}/wallet-passes/apple"), 404, "not_found")
    settings.APPLE_PASSES = apple_files(tmp_path).keys()
    settings.GOOGLE_PASSES = google_keys()
    found = me.get(f"{at}/wallet-passes").json()
    assert found["apple"] == f"{settings.SITE_URL}/api/v1{at}/wallet-passes/apple"
    assert found["google"].startswith("https://pay.google.com/gp/v/save/")
    answer = me.get(f"{at}/wallet-passes/apple")
    assert answer["Content-Type"] == "application/vnd.apple.pkpass"
    assert zipfile.is_zipfile(io.BytesIO(answer.content))


def test_nobody_elses_card_can_be_had_by_an_app(
    me: ApiClient, program: Program, settings: Any, tmp_path: Path
) -> None:
    settings.APPLE_PASSES = apple_files(tmp_path).keys()
    settings.GOOGLE_PASSES = google_keys()
    other = make_wallet(program, "C-2").account.membership.public_id
    for path in ("wallet-passes", "wallet-passes/apple"):
        assert_problem(me.get(f"/me/memberships/{other}/{path}"), 404, "not_found")
