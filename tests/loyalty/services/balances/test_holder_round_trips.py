"""What is of no member alone goes out and comes in as it was: by either format, after a kill, by a
key."""

from __future__ import annotations

import csv
import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from loyalty.models import (
    Company,
    ImportBatch,
    Pool,
    PoolMember,
    Program,
)
from loyalty.services import balance_imports
from loyalty.services.balance_imports import (
    book_balances,
    run_balance_import,
    start_balance_check,
)
from loyalty.services.balance_undoing import (
    start_balance_undo,
)
from loyalty.services.companies import create_company
from loyalty.services.pools import PoolTerms, add_pool_member, create_pool
from members.errors import ConflictError
from members.services.api_keys import create_api_key
from members.services.audit import SYSTEM, Actor
from members.services.jobs import retry_job
from rewards.models import GiftCard
from rewards.services.gift_card_money import redeem_gift_card
from rewards.services.gift_cards import (
    block_gift_card,
    code_of,
    issue_gift_card,
)
from tests.loyalty.factories import give_back, make_program, order, record, refund
from tests.loyalty.services.balances.holders import (
    CREDIT,
    card,
    debt,
    enrolled,
    owner,
    share,
    spend,
    sums,
    undo,
    wallet_of,
)
from tests.loyalty.services.balances.moving import (
    COINS,
    NOW,
    POINTS,
    Bring,
    booked,
    export,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def old() -> Program:
    return make_program(code="old", wallet_types=[POINTS, COINS, CREDIT])


def furnish(program: Program) -> None:
    """Members, one of whom owes; a household, a company; gift cards, one of them blocked."""
    at = NOW - dt.timedelta(days=20)
    record(order("A1", "40", at=at, buyer="C-1"), order("A2", "25", at=at, buyer="C-2"),
           order("A3", "10", at=at, buyer="C-3"))  # fmt: skip
    for number, units in (("C-3", 9), ("C-2", 5)):
        spend(wallet_of(program, number), units, NOW)
    give_back(refund("R3", "10", of="A3", at=NOW))
    pool = create_pool(
        owner=enrolled(program, "C-1"), terms=PoolTerms("Home", leaving="stays"), bring=True,
        actor=SYSTEM, source="api", now=NOW,
    )  # fmt: skip
    add_pool_member(
        pool=pool, membership=enrolled(program, "C-4"), actor=SYSTEM, source="api", now=NOW
    )
    create_company(
        owner=enrolled(program, "C-5"), terms=PoolTerms("Firm", kind="company"),
        details={"external_id": "K-1"}, actor=SYSTEM, source="api", now=NOW,
    )  # fmt: skip
    for amount in ("10", "25.50"):
        made, _again = issue_gift_card(
            program=program, amount=Decimal(amount), key=amount, source="api", actor=SYSTEM,
            now=NOW,
        )  # fmt: skip
    block_gift_card(card=made, reason="lost", actor=SYSTEM, now=NOW)
    redeem_gift_card(
        card=GiftCard.objects.order_by("pk")[0], amount=Decimal(4), key="cart", source="api",
        actor=SYSTEM, now=NOW,
    )  # fmt: skip


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_what_is_exported_comes_into_an_empty_program_with_the_same_sums(
    old: Program, new: Program, form: str
) -> None:
    furnish(old)
    before = sums(old)
    assert {kind for _code, kind in before} == {"membership", "pool", "bearer"}
    assert any(owed for _balance, _pending, owed in before.values())
    path = export(old, form)
    job = start_balance_check(program=new, path=path, name=path.name, actor=SYSTEM)
    tried = run_balance_import(job.pk)
    assert tried is not None
    assert [(error.row, error.column, error.reason) for error in tried.errors.all()] == []
    booked(tried)
    assert sums(new) == before
    for model in (Pool, GiftCard):
        of_old, of_new = (model.objects.filter(program=item) for item in (old, new))
        assert of_old.count() == of_new.count()
    assert sorted(GiftCard.objects.filter(program=new).values_list("status", flat=True)) == [
        "active", "blocked",
    ]  # fmt: skip
    assert Company.objects.get(program=new).external_id == "K-1"
    people = [
        sorted(
            PoolMember.objects.filter(pool__program=item).values_list(
                "pool__name", "membership__customer__external_id", "role"
            )
        )
        for item in (old, new)
    ]
    assert people[0] == people[1]
    # Into the program that it came from, nothing.
    own = start_balance_check(program=old, path=path, name=path.name, actor=SYSTEM)
    again = run_balance_import(own.pk)
    assert again is not None
    assert again.result["created"] == 0


def test_an_export_says_no_code(old: Program) -> None:
    made, _again = issue_gift_card(
        program=old, amount=Decimal(10), key="k", source="api", actor=SYSTEM, now=NOW
    )
    text = export(old).read_text()
    [line] = csv.DictReader(text.splitlines())
    assert (line["holder"], line["gift_card"], line["card_state"]) == (
        "gift_card", str(made.public_id), "active",
    )  # fmt: skip
    assert code_of(made) not in text


def test_of_one_kind_of_units_the_people_of_pools_go_out_as_well(
    old: Program, new: Program, check: Bring
) -> None:
    furnish(old)
    path = export(old, wallet_type="coins")
    lines = list(csv.DictReader(path.read_text().splitlines()))
    assert [line["role"] for line in lines if line["role"]] == ["owner", "member", "owner"]


def test_an_import_that_was_killed_makes_each_once(
    new: Program, check: Bring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(balance_imports, "PIECE", 2)
    tried = check(
        new, share(), owner(), card(), owner(reference="m", customer_id="C-2", role="member"),
        debt("D1", customer_id="C-9"), card("G2", "5"), share("S2", "2"),
    )  # fmt: skip
    assert (tried.result["created"], tried.result["refused"]) == (7, 0)
    job = book_balances(job=tried, actor=SYSTEM)
    take, seen = balance_imports._take, []

    def dies(*arguments: Any) -> Any:
        seen.append(1)
        if len(seen) == 3:
            raise KeyboardInterrupt
        return take(*arguments)

    monkeypatch.setattr(balance_imports, "_take", dies)
    with pytest.raises(KeyboardInterrupt):
        run_balance_import(job.pk)
    done = run_balance_import(retry_job(job=job, actor=SYSTEM).pk)
    assert done is not None
    assert (done.result["created"], done.result["unchanged"]) == (7, 0)
    assert sums(new) == {
        ("points", "pool"): (42, 0, 0), ("credit", "bearer"): (3000, 0, 0),
        ("points", "membership"): (0, 0, 30),
    }  # fmt: skip
    assert sum(len(batch.gift_cards) for batch in ImportBatch.objects.all()) == 1
    assert undo(done).result["kept"] == 0
    assert sums(new) == {}
    with pytest.raises(ConflictError):
        start_balance_undo(job=done, reason="again", actor=SYSTEM)


def test_rows_of_a_file_in_csv_are_the_same(new: Program, tmp_path: Path) -> None:
    path = tmp_path / "all.csv"
    path.write_text(
        "reference,customer_id,holder,pool,role,code,units,wallet_type\n"
        "P1-o,C-1,pool,P1,owner,,,\nP1-l,,pool,P1,,,40,points\nG1,,gift_card,,,GIFT-0815,25,\n"
        "D1,C-2,,,,,-30,points\n"
    )
    job = start_balance_check(program=new, path=path, name="all.csv", actor=SYSTEM)
    tried = run_balance_import(job.pk)
    assert tried is not None
    assert (tried.result["created"], tried.errors.count()) == (4, 0)


def test_a_key_makes_by_a_file_what_it_may_make_one_by_one(new: Program, tmp_path: Path) -> None:
    scopes = ["transfers:write", "customers:write", "memberships:write", "pools:write"]
    key, _secret = create_api_key(actor=SYSTEM, name="old system", scopes=scopes)
    path = tmp_path / "a.ndjson"
    path.write_text("".join(json.dumps(item) + "\n" for item in (owner(), share(), card())))
    job = start_balance_check(program=new, path=path, name="a", actor=Actor.of_api_key(key))
    tried = run_balance_import(job.pk)
    assert tried is not None
    assert tried.result["created"] == 2
    assert tried.errors.get().code == "insufficient_scope"
