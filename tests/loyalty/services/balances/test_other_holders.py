"""Pools, gift cards and debts come in from a file of balances, and go out as one."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import timezone

from loyalty.models import (
    Company,
    Lot,
    Membership,
    Pool,
    PoolMember,
    Program,
    Transfer,
    Wallet,
)
from loyalty.services.adjustments import adjust_units
from loyalty.services.balance_imports import (
    balance_words,
    totals_of,
)
from loyalty.services.balance_undoing import (
    balance_undo_words,
    preview_balance_undo,
)
from loyalty.services.pool_leaving import close_pool
from loyalty.services.pools import PoolTerms, create_pool
from members.models import AuditEntry
from members.services.audit import SYSTEM
from rewards.models import GiftCard
from rewards.selectors.gift_cards import balance_of
from rewards.services.gift_card_money import redeem_gift_card
from rewards.services.gift_cards import (
    cancel_gift_card,
    code_of,
    find_gift_card,
    issue_gift_card,
    replace_gift_card,
)
from tests.loyalty.factories import make_program
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
    wallet_of,
)
from tests.loyalty.services.balances.moving import (
    NOW,
    POINTS,
    Bring,
    balance,
    booked,
    row,
)

pytestmark = pytest.mark.django_db


class TestPools:
    def test_a_household_comes_with_its_people_and_what_it_holds(
        self, new: Program, bring: Bring
    ) -> None:
        job = bring(
            new,
            # What it holds may stand before who is in it.
            share(expires_at="2099-01-31"),
            owner(contribution="share", share="50", spending="named", leaving="stays"),
            owner(reference="m", customer_id="C-2", role="member", may_spend="yes",
                  contributes="no"),
        )  # fmt: skip
        assert (job.result["created"], job.result["refused"]) == (3, 0)
        pool = Pool.objects.get()
        assert (pool.name, pool.kind, pool.contribution, pool.share, pool.spending) == (
            "The Lees", "household", "share", 50, "named",
        )  # fmt: skip
        assert list(
            pool.members.values_list(
                "membership__customer__external_id", "role", "may_spend", "contributes"
            )
        ) == [("C-1", "owner", False, True), ("C-2", "member", True, False)]
        assert sums(new) == {("points", "pool"): (40, 0, 0)}
        lot = Lot.objects.get()
        assert (lot.transfer.kind, lot.transfer.from_account.kind) == ("adjustment", "adjusted")
        assert lot.expires_at is not None
        assert AuditEntry.objects.filter(action="pool.created").count() == 1

    def test_again_it_is_the_same_pool(self, new: Program, bring: Bring) -> None:
        rows = [owner(), owner(reference="m", customer_id="C-2", role="member"), share()]
        bring(new, *rows)
        more = [share("S2", "7"), owner(reference="n", customer_id="C-3", role="member")]
        again = bring(new, *rows, *more, name="again.ndjson")
        assert (again.result["created"], again.result["unchanged"]) == (2, 3)
        assert (Pool.objects.count(), PoolMember.objects.count()) == (1, 3)
        assert sums(new) == {("points", "pool"): (47, 0, 0)}

    def test_a_pool_that_was_closed_since_is_named_and_the_others_come_in(
        self, new: Program, bring: Bring
    ) -> None:
        bring(new, owner())
        close_pool(pool=Pool.objects.get(), actor=SYSTEM, source="api", now=timezone.now())
        other = owner("P-2", reference="two", customer_id="C-2")
        again = bring(new, owner(reference="later"), other, name="again.ndjson")
        assert [(error.row, error.column, error.code) for error in again.errors.all()] == [
            (1, "pool", "pool_closed")
        ]
        assert again.result["created"] == 1

    def test_a_row_that_does_not_fit_is_named_and_nothing_of_it_stays(
        self, new: Program, check: Bring, bring: Bring
    ) -> None:
        bring(new, owner("P-9", reference="other"), name="other.ndjson")
        tried = check(
            new, share("S9", pool="P-2"), owner(), share(), share("S3", wallet_type="credit"),
            owner("P-3", reference="x", customer_id="C-7", contribution="most"),
        )  # fmt: skip
        assert [
            (error.row, error.column, error.code) for error in tried.errors.order_by("row")
        ] == [
            (1, "pool", "no_owner"),
            # They are in another pool.
            (2, "customer_id", "already_in_pool"),
            (3, "customer_id", "already_in_pool"),
            (4, "wallet_type", "not_found"),
            (5, "contribution", "invalid_request"),
        ]
        assert Pool.objects.count() == 1

    def test_a_company_comes_with_its_number_and_roles(self, new: Program, bring: Bring) -> None:
        bring(
            new, owner(company_id="K-1", pool_name="Lee & Co"),
            owner(reference="b", customer_id="C-2", role="buyer", company_id="K-1"), share(),
        )  # fmt: skip
        company = Company.objects.get()
        assert (company.external_id, company.pool.name, company.pool.kind) == (
            "K-1", "Lee & Co", "company",
        )  # fmt: skip

    def test_units_come_into_a_pool_that_is_here_by_its_id(
        self, new: Program, bring: Bring
    ) -> None:
        member = enrolled(new, "C-1")
        pool = create_pool(
            owner=member, terms=PoolTerms("Here"), bring=False, actor=SYSTEM, source="api", now=NOW
        )
        assert bring(new, share(pool=str(pool.public_id))).result["created"] == 1
        assert sums(new) == {("points", "pool"): (40, 0, 0)}

    def test_undone_it_is_closed_and_may_come_again(self, new: Program, bring: Bring) -> None:
        rows = [owner(), owner(reference="m", customer_id="C-2", role="member"), share()]
        job = bring(new, *rows)
        preview = preview_balance_undo(job)
        assert (preview.due, preview.members) == (1, 2)
        assert balance_undo_words(undo(job)) == "1 balances taken back, 2 taken out of pools"
        assert Pool.objects.get().status == "closed"
        again = bring(new, *rows)
        assert (again.result["created"], Pool.objects.count()) == (3, 2)
        assert sums(new) == {("points", "pool"): (40, 0, 0)}

    def test_who_is_in_a_pool_that_was_used_stays_and_is_named(
        self, new: Program, bring: Bring
    ) -> None:
        job = bring(new, owner(), share())
        wallet = Wallet.objects.select_related("wallet_type__program").get(
            account__kind="pool", wallet_type__code="points"
        )
        spend(wallet, 15)
        done = undo(job)
        assert (done.result["canceled"], done.result["left"], done.result["kept"]) == (0, 0, 2)
        assert {error.column for error in done.errors.all()} == {"reference", "pool"}
        assert Pool.objects.get().status == "open"


class TestGiftCards:
    def test_a_card_pays_with_the_code_that_its_holder_has(
        self, new: Program, bring: Bring
    ) -> None:
        job = bring(new, card(), card("G2", "5.50", expires_at="2099-06-30"), card(
            "G3", "9", code="blocked-4711", card_state="blocked", customer_id="C-8"
        ))  # fmt: skip
        assert job.result["created"] == 3
        found = find_gift_card("old gift 0815")
        assert (found.status, found.amount, found.last_four, found.seed) == (
            "active", Decimal("30.50"), "0815", None,
        )  # fmt: skip
        assert balance_of(found, timezone.now()) == Decimal("30.50")
        assert found.deposit is not None
        assert (found.deposit.kind, found.deposit.from_account.kind) == ("deposit", "adjusted")
        redeem_gift_card(
            card=found, amount=Decimal(12), key="cart", source="api", actor=SYSTEM,
            now=timezone.now(),
        )  # fmt: skip
        other = find_gift_card("BLOCKED4711")
        assert (other.status, other.buyer and other.buyer.external_id) == ("blocked", "C-8")
        # Who bought one is no member for it.
        assert Membership.objects.count() == 0
        assert job.errors.count() == 0

    def test_a_card_without_a_code_gets_a_new_one(self, new: Program, bring: Bring) -> None:
        bring(new, card(code="", gift_card="K7"), card("G2", "5", code="", gift_card="K7"))
        found = GiftCard.objects.get()
        assert find_gift_card(code_of(found)) == found
        assert balance_of(found, timezone.now()) == Decimal(30)

    def test_a_code_that_is_here_is_refused_and_written_nowhere(
        self, new: Program, check: Bring
    ) -> None:
        made, _again = issue_gift_card(
            program=new, amount=Decimal(10), key="k", source="api", actor=SYSTEM, now=NOW
        )
        code = code_of(made)
        tried = check(new, card(code=code), card("G2", code="x"), card("G3", units="-5"),
                      card("G4", wallet_type="points"), card("G5", card_state="lost"))  # fmt: skip
        found = [(error.column, error.code) for error in tried.errors.order_by("row")]
        assert found == [
            ("code", "code_taken"), ("code", "invalid"), ("units", "invalid"),
            ("wallet_type", "not_found"), ("card_state", "invalid"),
        ]  # fmt: skip
        assert not any(code in error.value for error in tried.errors.all())
        assert GiftCard.objects.count() == 1

    def test_a_program_without_stored_value_has_none(self, check: Bring) -> None:
        tried = check(make_program(code="plain", wallet_types=[POINTS]), card(), row())
        assert tried.errors.get().code == "no_stored_value"

    def test_canceled_its_money_is_gone(self, new: Program, bring: Bring) -> None:
        bring(new, card(), card("G2", "5"))
        cancel_gift_card(
            card=GiftCard.objects.get(), reason="lost", source="api", actor=SYSTEM,
            now=timezone.now(),
        )  # fmt: skip
        assert sums(new) == {}

    def test_undone_it_is_canceled_and_its_code_may_come_again(
        self, new: Program, bring: Bring
    ) -> None:
        job = bring(new, card())
        assert balance_undo_words(undo(job)) == "1 balances taken back, 1 gift cards canceled"
        assert (GiftCard.objects.get().status, sums(new)) == ("cancelled", {})
        bring(new, card())
        assert balance_of(find_gift_card("OLDGIFT0815"), timezone.now()) == Decimal(25)

    def test_more_comes_onto_the_card_that_replaced_a_lost_one(
        self, new: Program, bring: Bring
    ) -> None:
        bring(new, card())
        other = _replaced()
        again = bring(new, card("G2", "5"), name="again.ndjson")
        assert (again.result["created"], again.result["refused"]) == (1, 0)
        assert balance_of(other, timezone.now()) == Decimal(30)

    def test_undone_a_replaced_card_gives_back_its_code_too(
        self, new: Program, bring: Bring
    ) -> None:
        job = bring(new, card())
        _replaced()
        assert undo(job).result["closed"] == 1
        assert bring(new, card()).result["created"] == 1
        assert balance_of(find_gift_card("OLDGIFT0815"), timezone.now()) == Decimal(25)

    def test_one_that_was_used_stays_with_what_is_on_it(self, new: Program, bring: Bring) -> None:
        job = bring(new, card(), card("G2", "9", code="other-4711"))
        found = find_gift_card("OLDGIFT0815")
        redeem_gift_card(
            card=found, amount=Decimal(1), key="cart", source="api", actor=SYSTEM,
            now=timezone.now(),
        )  # fmt: skip
        done = undo(job)
        assert (done.result["canceled"], done.result["closed"], done.result["kept"]) == (1, 1, 1)
        found.refresh_from_db()
        assert (found.status, balance_of(found, timezone.now())) == ("active", Decimal(24))


class TestDebts:
    def test_what_is_owed_comes_as_units_below_zero(self, new: Program, check: Bring) -> None:
        tried = check(new, debt())
        assert [units for _kind, units in totals_of(tried)] == [-30]
        assert "1 balances can be booked" in balance_words(tried)
        booked(tried)
        assert (balance(new), owed(new)) == ((0, 0), 30)
        movement = Transfer.objects.get()
        assert (movement.kind, movement.to_account.kind, movement.debt_change) == (
            "adjustment", "adjusted", 30,
        )  # fmt: skip

    def test_what_comes_with_it_repays_it_and_what_waits_does_not(
        self, new: Program, bring: Bring
    ) -> None:
        bring(new, row("L1", "20"), debt(), row("L2", "50", matures_at="2099-01-01"))
        assert (balance(new), owed(new)) == ((0, 50), 10)

    def test_where_debts_block_the_units_stay_beside_it(self, bring: Bring) -> None:
        program = make_program(
            code="blocks",
            wallet_types=[POINTS],
            earning_rules=[],
            debt_policy="refuse_redemption_only",
        )
        bring(program, row("L1", "20"), debt())
        assert (balance(program), owed(program)) == ((20, 0), 30)

    def test_nobody_owes_stored_value_and_a_debt_has_no_days(
        self, new: Program, check: Bring
    ) -> None:
        tried = check(new, debt(wallet_type="credit"), debt("D2", expires_at="2099-01-01"))
        assert [(error.column, error.code) for error in tried.errors.order_by("row")] == [
            ("units", "invalid"), ("expires_at", "of_a_debt"),
        ]  # fmt: skip

    @pytest.mark.parametrize("lots", [[], ["20"], ["100"]])
    def test_undone_nothing_is_owed_and_nothing_there(
        self, new: Program, bring: Bring, lots: list[str]
    ) -> None:
        job = bring(new, *(row(f"L{units}", units) for units in lots), debt())
        done = undo(job)
        assert (done.result["canceled"], done.result["kept"]) == (len(lots) + 1, 0)
        assert (balance(new), owed(new)) == ((0, 0), 0)
        assert bring(new, debt()).result["created"] == 1
        assert owed(new) == 30

    def test_what_was_paid_since_stays_and_is_named(self, new: Program, bring: Bring) -> None:
        job = bring(new, debt())
        adjust_units(
            wallet=wallet_of(new, "C-1"), units=12, reason="goodwill", note="", actor=SYSTEM,
            key="g", source="api", now=timezone.now(),
        )  # fmt: skip
        done = undo(job)
        assert (done.result["canceled"], done.result["kept"], owed(new)) == (0, 1, 18)


def _replaced() -> GiftCard:
    """The card that replaces the one of the file."""
    return replace_gift_card(
        card=find_gift_card("OLDGIFT0815"), reason="lost", key="new", source="api", actor=SYSTEM,
        now=timezone.now(),
    )[0]  # fmt: skip
