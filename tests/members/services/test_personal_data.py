"""What is known of a person is handed out whole, and what becomes of it is said of each part."""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campaigns.models import Consent, ConsentChange
from campaigns.services.consents import set_consents
from loyalty.ledger.checks import verify_ledger
from loyalty.models import Program, Transfer
from loyalty.services.card_replacements import replace_card
from members import personal_data
from members.errors import ConflictError
from members.forgetting import erased_words, forgotten_parts, warnings_before
from members.languages import offered_languages
from members.models import AuditEntry, Customer
from members.personal_columns import columns_of
from members.personal_data import fields_without_part
from members.personal_data import personal_data as all_parts
from members.program_scope import limited_to
from members.selectors.personal_data import known_parts
from members.services import jobs
from members.services.audit import SYSTEM, Actor
from members.services.customers import add_note, erase_customer_details, update_customer
from members.services.merging import merge_customers
from members.services.personal_packages import fetch_package
from rewards.services.redemptions import cancel_redemption, issue_redemption
from rewards.services.voucher_pools import create_voucher_pool, import_vouchers
from tests.campaigns.referrals import DAY, bring, buy, make_link, promise, settle
from tests.factories import CustomerFactory
from tests.loyalty.factories import NOW, make_program, order, record
from tests.members.packages import made_package
from tests.rewards.factories import make_member as make_rich_member
from tests.rewards.factories import offer, take

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Program:
    return make_program()


def bought(shop: Program) -> Customer:
    """Somebody with a name, an order and units."""
    record(order("A1", "40", buyer="c1"))
    anna = Customer.objects.get(external_id="c1")
    return update_customer(
        customer=anna, actor=SYSTEM,
        changes={"given_name": "Secretname", "email": "secretname@example.com"},
    )  # fmt: skip


def package(customer: Customer, *, for_staff: bool = False, actor: Actor = SYSTEM) -> Any:
    made = made_package(customer, for_staff=for_staff, actor=actor)
    pieces = fetch_package(package=made, actor=actor, now=timezone.now())
    return zipfile.ZipFile(io.BytesIO(b"".join(pieces)))


def data(archive: zipfile.ZipFile) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(archive.read("data.json"))["data"]
    return found


def test_every_table_about_a_person_is_told_or_says_why_not() -> None:
    assert fields_without_part() == set()


def test_a_table_that_nobody_thought_of_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """So the test above can fail."""
    monkeypatch.delitem(personal_data._parts, "parcels")
    left_out = fields_without_part()
    assert "rewards.FulfillmentTask.membership" in left_out
    assert "rewards.FulfillmentTask.redemption" in left_out


def test_what_becomes_of_each_part_is_said_and_nothing_else_is_forgotten() -> None:
    keys = {part.key for part in personal_data.personal_data()}
    assert forgotten_parts() == keys
    assert all(str(erased_words(key)) for key in keys)


def test_no_secret_is_handed_out() -> None:
    for part in personal_data.personal_data():
        for table in part.tables:
            names = [column.lookup for column in columns_of(table)]
            assert len(names) == len(set(names)), table.label
            for word in ("hash", "digest", "secret", "token", "password", "session"):
                assert not any(word in name for name in names), (table.label, word)


def test_every_table_can_be_read(shop: Program) -> None:
    """Also those in which a test has nothing."""
    anna = bought(shop)
    for part in personal_data.personal_data():
        for table in part.tables:
            names = [column.lookup for column in columns_of(table)]
            assert len(list(table.of([anna]).values_list(*names))) >= 0
            assert apps.get_model(table.label) is table.model


def test_the_package_has_data_for_programs_tables_and_a_page(shop: Program) -> None:
    anna = bought(shop)
    set_consents(
        customer=anna, wanted={("email", "offers"): True}, actor=SYSTEM,
        source=ConsentChange.Source.STAFF, now=timezone.now(),
    )  # fmt: skip
    archive = package(anna)
    told = data(archive)
    [person] = told["details"]["customer"]
    assert (person["given_name"], person["external_id"]) == ("Secretname", "c1")
    [bought_one] = told["orders"]["order"]
    assert bought_one["external_id"] == "A1"
    [movement] = told["units"]["transfer"]
    assert movement["order"] == "A1"
    assert movement["explanation"]
    [change] = told["consents"]["consentchange"]
    assert (change["channel"], change["became"]) == ("email", Consent.State.GRANTED)
    table = archive.read("tables/orders/order.csv").decode()
    assert table.splitlines()[0].startswith("id,source,external_id")
    page = archive.read("index.html").decode()
    assert "Secretname" in page
    assert "Orders" in page


def test_what_colleagues_wrote_is_only_in_what_they_hand_out(shop: Program) -> None:
    anna = bought(shop)
    add_note(customer=anna, actor=SYSTEM, text="Prefers green tea")
    assert "green tea" not in json.dumps(data(package(anna)))
    told = data(package(anna, for_staff=True))
    assert told["notes"]["customernote"][0]["text"] == "Prefers green tea"


def test_what_is_reserved_tells_neither_its_code_nor_what_was_drawn(shop: Program) -> None:
    """Whoever gives it up again, with their units back, has not seen what the next one gets."""
    member = make_rich_member(1000, "c1", shop)
    pool = create_voucher_pool(program=shop, code="cinema", name="Cinema", actor=SYSTEM)
    import_vouchers(pool=pool, lines=["code", "SECRETFILM"], actor=SYSTEM)
    offer(shop, "secret-film", kind="partner_voucher", voucher_pool="cinema")
    reward = offer(shop, "surprise", kind="mystery", name="Surprise", prizes={"secret-film": 1})
    held = take(member, reward, hold=timedelta(hours=1))
    assert held.kept_code is not None
    assert "secret" not in json.dumps(data(package(member.customer))).casefold()
    issue_redemption(redemption=held, actor=SYSTEM, now=timezone.now())
    told = data(package(member.customer))["rewards"]
    [voucher], [redemption] = told["voucher"], told["redemption"]
    assert (voucher["code"], voucher["reward"]) == ("SECRETFILM", "secret-film")
    assert redemption["voucher"] == "SECRETFILM"


def test_why_colleagues_took_something_back_is_not_for_the_member(shop: Program) -> None:
    member = make_rich_member(1000, "c1", shop)
    cancel_redemption(
        redemption=take(member, offer(shop)), reason="Looks like a swindler", source="staff",
        actor=SYSTEM, now=timezone.now(),
    )  # fmt: skip
    assert "swindler" not in json.dumps(data(package(member.customer)))


def test_what_a_friend_was_given_is_theirs_alone(shop: Program) -> None:
    promise(shop)
    referral = bring(make_link(shop, "advocate"), "friend")
    buy("friend")
    settle(referral, NOW + 60 * DAY)
    told = {
        name: [
            (row["side"], row["units"])
            for row in data(package(Customer.objects.get(external_id=name)))["referrals"][
                "referralpayment"
            ]
        ]
        for name in ("advocate", "friend")
    }
    assert told == {"advocate": [("advocate", 300)], "friend": [("friend", 100)]}


def test_who_is_limited_to_programs_hands_out_no_changes_of_others(shop: Program) -> None:
    member = make_rich_member(0, "c1", shop)
    second = make_program("tea")
    make_rich_member(0, "c1", second)
    replace_card(
        membership=member, lost=member.card_number, reason="Lost on the train", actor=SYSTEM
    )
    with limited_to([second.pk]):
        assert "on the train" not in json.dumps(data(package(member.customer, for_staff=True)))
    for programs in ([shop.pk], []):
        with limited_to(programs):
            told = data(package(member.customer, for_staff=True))["changes"]["auditentry"]
        assert "Lost on the train" in {row["reason"] for row in told}


def test_a_merged_duplicates_data_are_in_it_and_nobody_elses(shop: Program) -> None:
    anna = bought(shop)
    record(order("B1", "10", buyer="c2"), order("C1", "10", buyer="c3"))
    merge_customers(
        kept=anna, merged=Customer.objects.get(external_id="c2"), actor=SYSTEM, source="api",
        now=timezone.now(), reason="",
    )  # fmt: skip
    told = data(package(anna))
    assert {row["external_id"] for row in told["orders"]["order"]} == {"A1", "B1"}
    assert {row["external_id"] for row in told["details"]["customer"]} == {"c1", "c2"}
    with pytest.raises(ConflictError):
        package(Customer.objects.get(external_id="c2"))


def test_that_it_was_handed_out_is_in_the_log(shop: Program) -> None:
    anna = bought(shop)
    package(anna, for_staff=True)
    package(anna)
    handed_out = AuditEntry.objects.filter(action="customer.exported").order_by("pk")
    assert [entry.after for entry in handed_out] == [{"own": False}, {"own": True}]


def test_as_many_queries_however_much_there_is(
    shop: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    # How far it is would be written once a second, more often where that is slow.
    monkeypatch.setattr(jobs, "WRITTEN_EVERY", math.inf)
    anna = bought(shop)
    offered_languages()
    with CaptureQueriesContext(connection) as few:
        package(anna)
    record(*(order(f"N{number}", "12", buyer="c1") for number in range(20)))
    with CaptureQueriesContext(connection) as many:
        package(anna)
    assert len(many) == len(few)


def test_a_formula_is_no_formula_in_a_spreadsheet() -> None:
    eve = CustomerFactory(given_name="=1+1")
    assert ",'=1+1," in package(eve).read("tables/details/customer.csv").decode()
    assert data(package(eve))["details"]["customer"][0]["given_name"] == "=1+1"


def test_after_erasing_nothing_names_them_and_the_books_agree(shop: Program) -> None:
    anna = bought(shop)
    add_note(customer=anna, actor=SYSTEM, text="Secretname likes tea")
    before = list(Transfer.objects.order_by("pk").values("pk", "amount", "wallet", "occurred_at"))
    assert "Secretname" in json.dumps(data(package(anna, for_staff=True)))
    erase_customer_details(customer=anna, actor=SYSTEM, reason="Asked by mail")
    anna.refresh_from_db()
    archive = package(anna, for_staff=True)
    everything = "".join(archive.read(name).decode() for name in archive.namelist())
    assert "secretname" not in everything.casefold()
    assert list(
        Transfer.objects.order_by("pk").values("pk", "amount", "wallet", "occurred_at")
    ) == before  # fmt: skip
    assert not verify_ledger(timezone.now())
    entry = AuditEntry.objects.get(action="customer.erased")
    assert entry.reason == "Asked by mail"


def test_before_erasing_it_is_said_what_they_hold(shop: Program) -> None:
    anna = bought(shop)
    [held] = warnings_before(anna, timezone.now())
    assert held.startswith("They hold 40\xa0points.")
    counted = {str(part.title): part.rows for part in known_parts(anna)}
    assert counted["Orders"] >= 2
    assert "Gift cards" not in counted


def test_all_that_is_known_is_counted_in_two_queries_as_table_by_table(
    shop: Program, django_assert_num_queries: Callable[[int], AbstractContextManager[Any]]
) -> None:
    anna = bought(shop)
    # One for those whose it is, and one for all tables.
    with django_assert_num_queries(2):
        found = known_parts(anna)
    one_by_one = {
        part.key: sum(table.of([anna]).count() for table in part.tables) for part in all_parts()
    }
    assert {part.key: part.rows for part in found} == {
        key: rows for key, rows in one_by_one.items() if rows
    }


OF_EVERY_PURCHASE = {
    "loyalty.Order", "loyalty.OrderEvaluation", "loyalty.Transfer", "loyalty.Lot",
}  # fmt: skip


def test_purchases_of_others_are_not_read_to_find_what_is_known_of_one(shop: Program) -> None:
    anna = bought(shop)
    record(*(order(f"Z{number}", "20", buyer=f"z{number}") for number in range(60)))
    tables = [table for part in all_parts() for table in part.tables]
    whole = {}
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        # As among a million: sixty rows are soon read as a whole.
        for way in ("seqscan", "hashjoin", "mergejoin"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
        for table in tables:
            if table.label in OF_EVERY_PURCHASE:
                [plan] = json.loads(table.of([anna]).order_by().explain(format="json"))
                whole[table.label] = read_as_a_whole(plan["Plan"])
    assert whole == {label: set() for label in OF_EVERY_PURCHASE}


def read_as_a_whole(node: dict[str, Any]) -> set[str]:
    """Tables of which every row is looked at."""
    found = set[str]()
    by_index = "Index Cond" in node or node["Node Type"] == "Bitmap Heap Scan"
    if "Relation Name" in node and not by_index:
        found = {node["Relation Name"]}
    return found.union(*(read_as_a_whole(child) for child in node.get("Plans", ())))
