"""Programs: applied, changed, published, archived; the past is never rewritten."""

from contextlib import nullcontext

import pytest
from django.db import transaction
from django.utils import timezone

from loyalty.models import (
    Account,
    EarningRule,
    EarningRuleVersion,
    LotPolicy,
    Program,
    Wallet,
    WalletType,
)
from loyalty.selectors.programs import definition_of
from loyalty.services.programs import apply_definition
from members.errors import ConflictError, DomainError
from members.models import AuditEntry
from members.services.audit import SYSTEM
from tests.loyalty.factories import (
    NOW,
    day,
    define,
    make_program,
    make_wallet,
    order,
    record,
    spendable,
)


def apply(definition, at=NOW):
    return apply_definition(definition, actor=SYSTEM, now=at)


def versions() -> list[tuple[int, str, object, object]]:
    found = EarningRuleVersion.objects.order_by("rule", "number")
    return [(v.number, v.status, v.starts_at, v.ends_at) for v in found]


FULL = {
    "name": "Bean Club",
    "description": "Beans.",
    "time_zone": "Europe/Athens",
    "enrollment": "explicit",
    "unlinked_returns": "ignore",
    "wallet_types": [
        {
            "code": "beans", "singular": "bean", "plural": "beans", "decimals": 2,
            "unit_value": "0.015", "pending_days": 14, "expiry": {"kind": "months", "length": 12},
        },
        {"code": "stars", "singular": "star", "plural": "stars"},
    ],
    "earning_rules": [
        {"code": "base", "wallet_type": "beans", "units": "1.5", "per": "2",
         "exclude": {"categories": ["fuel"], "tags": ["sale"]}, "rounding": {"mode": "nearest"}},
        {"code": "visits", "wallet_type": "stars", "measure": "quantity",
         "include": {"skus": ["x"]}},
    ],
}  # fmt: skip


@pytest.mark.parametrize("status", ["draft", "live"])
@pytest.mark.parametrize("changes", [{}, FULL], ids=["plain", "full"])
def test_applying_twice_changes_nothing(db, status, changes):
    definition = define(status=status, **changes)
    assert apply(definition).changes
    revision = Program.objects.get().revision
    again = apply(definition, day(1))
    assert again.changes == []
    assert definition_of(again.program, timezone.now()) == definition
    assert Program.objects.get().revision == revision
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize("status", ["draft", "live"])
def test_numbers_written_otherwise_are_no_change(db, status):
    apply(define(status=status, unit={"unit_value": "0.01"}, earning_rules=[{"units": "2"}]))
    same = define(status=status, unit={"unit_value": "0.0100"}, earning_rules=[{"units": "2.00"}])
    assert apply(same, day(1)).changes == []


def test_a_new_program_asks_for_nothing_that_it_cannot_have(db, django_assert_max_num_queries):
    apply(define())
    # Two each to begin and end; the program, its accounts, units, their terms, rule and wording are
    # written, published and counted, and the log says so.
    with django_assert_max_num_queries(16):
        apply(define("other"))


@pytest.mark.parametrize("within_another", [True, False])
@pytest.mark.usefixtures("undone_when_refused")
def test_what_is_refused_leaves_nothing_also_within_another_transaction(db, within_another):
    unheard_of = [{"kind": "activity", "activity": "dance", "units": 1, "code": "dance"}]
    with transaction.atomic() if within_another else nullcontext():
        with pytest.raises(DomainError, match="dance"):
            apply(define(earning_rules=unheard_of))
        assert not Program.objects.exists()
        assert not Account.objects.exists()


def test_a_program_has_its_own_accounts_once(program):
    assert Account.objects.filter(program=program).count() == len(Account.PROGRAM_KINDS)


def test_the_first_wording_counts_for_orders_of_any_date_and_a_change_from_then_on(program):
    assert versions() == [(1, "published", None, None)]
    assert apply(define(earning_rules=[{"units": 2}]), day(1)).changes
    assert versions() == [(1, "published", None, day(1)), (2, "published", day(1), None)]
    record(order("old", "10", at=day(-900)), order("new", "10", at=day(2)), now=day(3))
    assert spendable(at=day(3)) == 30


def test_a_rule_that_left_and_came_back_gets_a_further_version(program):
    apply(define(earning_rules=[]), day(1))
    assert versions() == [(1, "published", None, day(1))]
    assert definition_of(program, timezone.now()).earning_rules == ()
    apply(define(), day(2))
    assert versions() == [(1, "published", None, day(1)), (2, "published", day(2), None)]
    record(order("between", "10", at=day(1.5)), order("after", "5", at=day(3)), now=day(4))
    assert spendable(at=day(4)) == 5


def test_a_draft_is_reworded_in_place_and_published_when_it_goes_live(db):
    apply(define(status="draft"))
    apply(define(status="draft", earning_rules=[{"units": 3}]), day(1))
    assert versions() == [(1, "draft", None, None)]
    apply(define(earning_rules=[{"units": 3}]), day(2))
    assert versions() == [(1, "published", None, None)]
    assert Program.objects.get().live_since == day(2)
    record(order(at=day(3)))
    assert spendable(at=day(3)) == 30


def test_a_rule_leaves_a_draft_without_a_trace(db):
    apply(define(status="draft"))
    apply(define(status="draft", earning_rules=[]))
    assert not EarningRule.objects.exists()


def test_a_draft_that_was_put_away_can_still_change_and_go_live(db):
    apply(define(status="draft"))
    apply(define(status="archived"), day(1))
    apply(define(status="archived", earning_rules=[{"units": 3}]), day(2))
    apply(define(status="live", earning_rules=[{"units": 3}]), day(3))
    record(order(at=day(4)))
    assert spendable(at=day(4)) == 30


def test_a_program_that_was_live_never_becomes_a_draft_but_comes_back_from_the_archive(program):
    with pytest.raises(ConflictError, match="draft"), transaction.atomic():
        apply(define(status="draft"))
    apply(define(status="archived"), day(1))
    apply(define(status="live"), day(2))
    record(order(at=day(3)))
    assert spendable(at=day(3)) == 10
    assert Program.objects.get().live_since == NOW


USED = {
    "decimals once units exist": (define(unit={"decimals": 2}), "wallet_types[0].decimals"),
    "the currency once orders were judged": (define(currency="EUR"), "currency"),
    "the wallet type once somebody holds it": (
        define(wallet_types=[{"code": "stars"}], earning_rules=[{"wallet_type": "stars"}]),
        "wallet_types",
    ),
    "a rule's wallet type": (
        define(wallet_types=[{}, {"code": "stars"}], earning_rules=[{"wallet_type": "stars"}]),
        "earning_rules[0].wallet_type",
    ),
}


@pytest.mark.parametrize(("definition", "field"), USED.values(), ids=USED.keys())
def test_what_would_rewrite_the_past_is_refused_and_nothing_changes(program, definition, field):
    record(order())
    before = definition_of(program, timezone.now())
    with pytest.raises(ConflictError) as refused, transaction.atomic():
        apply(definition, day(1))
    assert refused.value.code == "would_rewrite_the_past"
    assert [error.field for error in refused.value.errors] == [field]
    assert definition_of(Program.objects.get(), timezone.now()) == before


def test_what_nobody_used_yet_may_change(program):
    apply(define(currency="EUR", unit={"decimals": 2}), day(1))
    record(order(total="1.50", currency="EUR", at=day(2)))
    assert spendable(at=day(2)) == 150


def test_a_wallet_type_that_nobody_used_leaves_a_draft(db):
    apply(define(status="draft", **FULL))
    apply(define(status="draft"))
    assert list(WalletType.objects.values_list("code", flat=True)) == ["points"]
    assert LotPolicy.objects.count() == 1


def test_members_who_are_there_get_a_wallet_of_a_new_kind(program):
    make_wallet(program)
    more = define(wallet_types=[{}, {"code": "stars"}],
                  earning_rules=[{}, {"code": "stars", "wallet_type": "stars"}])  # fmt: skip
    apply(more, day(1))
    assert Wallet.objects.count() == 2
    record(order(at=day(2)))
    assert list(Wallet.objects.order_by("pk").values_list("balance", flat=True)) == [10, 10]


def test_another_expiry_is_a_further_policy_and_the_old_one_stays(program):
    monthly = {"expiry": {"kind": "months", "length": 6}}
    assert apply(define(unit=monthly), day(1)).changes
    assert apply(define(unit=monthly), day(2)).changes == []
    kept = LotPolicy.objects.order_by("pk").values_list("kind", "length")
    assert list(kept) == [("never", None), ("months", 6)]


def test_changes_say_what_was_and_what_is(program):
    (change,) = apply(define(name="Better club"), day(1)).changes
    assert "Club" in change
    assert "Better club" in change
    entry = AuditEntry.objects.first()
    assert (entry.action, entry.after) == ("program.changed", {"changes": [change]})


def test_programs_do_not_touch_each_other(program):
    make_program("other", earning_rules=[{"units": 9}])
    apply(define(earning_rules=[]), day(1))
    assert (
        definition_of(Program.objects.get(code="other"), timezone.now()).earning_rules[0].units == 9
    )


def test_changes_are_in_the_words_of_the_staff(db):
    made = apply(define(status="draft", unit={"singular": "Bean", "plural": "Beans"})).changes
    assert made[:2] == ["Program created", "Beans can be collected"]
    live = apply(define(status="live", unit={"singular": "Bean", "plural": "Beans"}), day(1))
    assert f"{live.program}, status: Draft → Live" in live.changes
