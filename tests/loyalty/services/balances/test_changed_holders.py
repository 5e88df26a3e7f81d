"""What became of pools, gift cards and people between a file of balances and the next, or its undo;
and what is written of them."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from loyalty.models import Pool, Program, Wallet
from loyalty.services import balance_imports
from loyalty.services.balance_imports import run_balance_import, start_balance_check
from loyalty.services.balance_undoing import preview_balance_undo
from loyalty.services.pools import PoolTerms, create_pool
from members.models import Customer
from members.services.audit import SYSTEM
from rewards.models import GiftCard
from tests.loyalty.services.balances.holders import (
    card,
    debt,
    enrolled,
    owed,
    owner,
    share,
    spend,
    sums,
    undo,
)
from tests.loyalty.services.balances.moving import NOW, Bring
from tests.loyalty.services.merging import merge

pytestmark = pytest.mark.django_db


class TestBuyers:
    def test_a_card_whose_buyer_is_not_here_is_refused_and_not_made_without_one(
        self, new: Program, check: Bring
    ) -> None:
        nobody = "00000000-0000-4000-8000-000000000000"
        tried = check(new, card(customer=nobody), card("G2", code="other-4711"))
        assert [(error.row, error.column, error.code) for error in tried.errors.all()] == [
            (1, "customer", "not_found")
        ]
        assert tried.result["created"] == 1

    def test_who_bought_it_may_be_said_by_a_later_row(self, new: Program, bring: Bring) -> None:
        bring(new, card(), card("G2", "5", customer_id="C-8"))
        assert GiftCard.objects.get().buyer == Customer.objects.get(external_id="C-8")

    def test_another_buyer_of_the_same_card_is_refused(self, new: Program, check: Bring) -> None:
        tried = check(new, card(customer_id="C-7"), card("G2", "5", customer_id="C-8"))
        assert [(error.row, error.column, error.code) for error in tried.errors.all()] == [
            (2, "customer_id", "other_buyer")
        ]


@pytest.mark.parametrize("piece", [1, 500])
def test_what_a_card_was_issued_with_is_the_same_in_whatever_pieces_it_came(
    new: Program, bring: Bring, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    monkeypatch.setattr(balance_imports, "PIECE", piece)
    bring(new, card(), card("G2", "5.50"))
    assert GiftCard.objects.get().amount == Decimal("30.50")


def test_what_is_owed_by_somebody_who_was_merged_since_is_undone_where_it_is_now(
    new: Program, bring: Bring
) -> None:
    enrolled(new, "C-2")
    job = bring(new, debt())
    merge("C-2", "C-1", now=timezone.now())
    assert owed(new, "C-2") == 30
    done = undo(job)
    assert (done.result["canceled"], done.result["kept"], owed(new, "C-2")) == (1, 0, 0)


class TestCodesInLists:
    def test_a_row_with_too_many_cells_is_named_without_what_it_says(
        self, new: Program, tmp_path: Path
    ) -> None:
        path = tmp_path / "cards.csv"
        path.write_text("reference,holder,units,code\nG1,gift_card,25,OLDGIFT0815,more\n")
        assert "0815" not in _said_of_errors(new, path)

    def test_a_line_that_is_no_json_is_named_without_what_it_says(
        self, new: Program, tmp_path: Path
    ) -> None:
        path = tmp_path / "cards.ndjson"
        path.write_text(json.dumps(card(code="OLDGIFT0815"))[:-1] + "\n")
        assert "0815" not in _said_of_errors(new, path)

    def test_a_code_in_a_field_of_another_name_is_masked(
        self, new: Program, tmp_path: Path
    ) -> None:
        path = tmp_path / "cards.ndjson"
        path.write_text(json.dumps(card(Code="OLDGIFT0815", pin="OLDGIFT0815")) + "\n")
        assert "GIFT" not in _said_of_errors(new, path)


def _said_of_errors(program: Program, path: Path) -> str:
    job = start_balance_check(program=program, path=path, name=path.name, actor=SYSTEM)
    done = run_balance_import(job.pk)
    assert done is not None
    assert done.errors.exists()
    return " ".join(error.value + error.reason for error in done.errors.all())


def test_a_card_is_the_same_when_the_key_of_the_installation_has_changed(
    new: Program, check: Bring, bring: Bring, settings: Any
) -> None:
    bring(new, card())
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a new one, since the old one may be known"
    again = check(new, card(), card("G2", "5"), name="again.ndjson")
    assert (again.result["unchanged"], again.result["created"]) == (1, 1)


def test_an_import_of_which_cards_are_still_there_is_not_undone_yet(
    new: Program, bring: Bring
) -> None:
    job = bring(new, card())
    assert preview_balance_undo(job).cards == 1
    undo(job)
    assert preview_balance_undo(job).cards == 0


class TestPoolsThatWereUsed:
    def test_who_came_into_a_pool_that_had_been_used_before_is_taken_out(
        self, new: Program, bring: Bring
    ) -> None:
        pool = _pool(new)
        bring(new, share(pool=str(pool.public_id)), name="before.ndjson")
        spend(_wallet(pool), 15)
        job = bring(new, owner(reference="m", customer_id="C-2", role="member",
                               pool=str(pool.public_id)))  # fmt: skip
        assert undo(job).result["left"] == 1
        assert pool.members.filter(left_at=None).count() == 1

    def test_what_came_in_by_another_file_since_keeps_who_is_in_the_pool(
        self, new: Program, bring: Bring
    ) -> None:
        job = bring(new, owner())
        bring(new, share(), name="later.ndjson")
        done = undo(job)
        assert (done.result["left"], done.result["kept"]) == (0, 1)
        assert sums(new) == {("points", "pool"): (40, 0, 0)}


def _pool(program: Program) -> Pool:
    return create_pool(
        owner=enrolled(program, "C-1"), terms=PoolTerms("Here"), bring=False, actor=SYSTEM,
        source="api", now=NOW,
    )  # fmt: skip


def _wallet(pool: Pool) -> Wallet:
    return Wallet.objects.select_related("wallet_type__program").get(
        account=pool.account_id, wallet_type__code="points"
    )


def test_the_owners_of_pools_are_looked_up_without_reading_the_whole_file_each_time(
    new: Program, bring: Bring, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []
    plain = balance_imports.read_balance

    def counted(number: int, *rest: Any) -> Any:
        read.append(number)
        return plain(number, *rest)

    monkeypatch.setattr(balance_imports, "read_balance", counted)
    monkeypatch.setattr(balance_imports, "PIECE", 2)
    pools = [f"P-{number}" for number in range(12)]
    rows = [owner(pool, customer_id=f"C-{pool}") for pool in pools]
    assert bring(new, *rows).result["created"] == 12
    # Each once as a row and once as an owner, in the dry run and as they are booked.
    assert len(read) == 12 * 2 * 2
