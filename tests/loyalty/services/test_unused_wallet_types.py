"""Kinds of units that were never used go; what anything hangs on stays, and says why."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from loyalty.models import Account, Program, TierSet, Wallet, WalletType
from loyalty.selectors.programs import definition_of
from loyalty.services.programs import apply_definition
from members.errors import ConflictError
from members.services.audit import SYSTEM
from tests.loyalty.factories import adjust, define, make_program, make_wallet

TWO = [{}, {"code": "stars", "singular": "star", "plural": "stars"}]


def without_stars(program: Program) -> None:
    said = definition_of(program, timezone.now())
    kept = [item for item in said.wallet_types if item.code != "stars"]
    wanted = type(said).model_validate(
        {**{name: getattr(said, name) for name in type(said).model_fields}, "wallet_types": kept}
    )
    apply_definition(wanted, actor=SYSTEM, now=timezone.now())


def codes(program: Program) -> list[str]:
    return list(program.wallet_types.order_by("pk").values_list("code", flat=True))


@pytest.mark.usefixtures("coherent_ledger")
def test_a_kind_that_nobody_was_ever_given_goes_with_the_empty_wallets_of_members(db):
    program = make_program(wallet_types=TWO)
    account = make_wallet(program).account_id
    assert Wallet.objects.filter(account=account).count() == 2
    without_stars(program)
    assert codes(program) == ["points"]
    assert Wallet.objects.filter(account=account).count() == 1


@pytest.mark.usefixtures("coherent_ledger")
def test_a_kind_that_was_given_once_stays_also_when_nobody_has_any_left(db):
    program = make_program(wallet_types=TWO)
    account = make_wallet(program).account_id
    stars = Wallet.objects.get(account=account, wallet_type__code="stars")
    adjust(stars, 5, "g1")
    with pytest.raises(ConflictError, match="in the books") as refused:
        without_stars(program)
    assert refused.value.errors[0].field == "wallet_types"
    assert codes(program) == ["points", "stars"]


def test_a_kind_that_a_rule_has_counted_in_stays_after_the_rule_has_ended(db):
    rule = {"code": "stars", "name": "Stars", "wallet_type": "stars"}
    program = make_program(wallet_types=TWO, earning_rules=[{}, rule])
    apply_definition(define(wallet_types=TWO), actor=SYSTEM, now=timezone.now())
    with pytest.raises(ConflictError, match="a rule that counts or has counted"):
        without_stars(program)


def test_a_kind_that_tiers_have_counted_stays(db):
    tiers = {"metric": "units", "wallet_type": "stars", "tiers": [
        {"code": "first", "name": "First", "threshold": 0},
        {"code": "second", "name": "Second", "threshold": 10},
    ]}  # fmt: skip
    program = make_program(wallet_types=TWO, tiers=tiers)
    apply_definition(define(wallet_types=TWO), actor=SYSTEM, now=timezone.now())
    assert TierSet.objects.filter(program=program).exists()
    with pytest.raises(ConflictError, match="tier set"):
        without_stars(program)


def test_what_was_said_before_of_a_kind_that_was_never_used_goes_with_it(db):
    program = make_program(wallet_types=TWO)
    stars = WalletType.objects.get(program=program, code="stars")
    stars.former_terms.create(said={}, ended_at=timezone.now())
    without_stars(program)
    assert codes(program) == ["points"]


def test_taking_one_away_reads_no_wallet_however_many_members_have_one(db):
    statements = []
    for number, members in enumerate((1, 300)):
        program = make_program(f"club{number}", wallet_types=TWO)
        stars = WalletType.objects.get(program=program, code="stars")
        accounts = Account.objects.bulk_create(
            Account(program=program, kind=Account.Kind.POOL) for _one in range(members)
        )
        Wallet.objects.bulk_create(Wallet(account=one, wallet_type=stars) for one in accounts)
        with CaptureQueriesContext(connection) as captured:
            without_stars(program)
        statements.append(len(captured))
        assert not Wallet.objects.filter(account__in=accounts).exists()
    assert statements[0] == statements[1]
