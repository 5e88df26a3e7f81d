"""Units that go on in another program when their own ends: previewed, once, both sides tied."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from hypothesis import given
from hypothesis import strategies as st

from loyalty.conversion_rates import ConversionRate
from loyalty.errors import NotReversibleError
from loyalty.ledger.checks import verify_ledger
from loyalty.models import ConvertedWallet, EndingConversion, Membership, Program, Transfer
from loyalty.program_words import leftover_words, notices
from loyalty.selectors.member_tiers import member_standing
from loyalty.selectors.program_times import program_state
from loyalty.selectors.programs import definition_of
from loyalty.services import ending_conversions
from loyalty.services.ending_conversions import (
    ConversionTerms,
    convert_wallets,
    find_conversions,
    run_conversions,
    units_left_then,
)
from loyalty.services.expiry import write_down_expired
from loyalty.services.program_endings import (
    EndingDays,
    call_off_ending,
    end_units,
    plan_ending,
    preview_ending,
)
from loyalty.services.programs import apply_definition
from loyalty.services.redemptions import redeem_units, reverse_redemption
from members.errors import ConflictError, DomainError
from members.models import Customer
from members.services.audit import SYSTEM
from members.services.jobs import start_or_resume_job
from tests.loyalty.factories import (
    NOW,
    adjust,
    day,
    define,
    give_back,
    make_program,
    make_wallet,
    order,
    record,
    refund,
    wallet_of,
)
from tests.rewards.cards import money_program

pytestmark = pytest.mark.django_db
TERMS = ConversionTerms("points", "stars", "stars", Decimal(2), Decimal(1))
DAYS = EndingDays(day(5).date(), day(10).date(), day(20).date(), (TERMS,))
# The end of the last day to spend, and when the work runs.
END = dt.datetime.combine(day(21).date(), dt.time(), dt.UTC)
LATE = END + dt.timedelta(hours=9)


@pytest.fixture
def stars(db: None) -> Program:
    """Another program, which nobody joins by buying."""
    return make_program(
        "stars", name="Star Club", enrollment="explicit",
        unit={"code": "stars", "singular": "star", "plural": "stars", "unit_value": "0.5"},
        earning_rules=[{"wallet_type": "stars"}],
    )  # fmt: skip


@pytest.fixture
def ending(program: Program, stars: Program) -> EndingConversion:
    """Ann has 320 points, Ben 101, Cid one."""
    for number, total in (("ann", "320"), ("ben", "101"), ("cid", "1")):
        record(order(f"A-{number}", total, buyer=number, at=day(1)))
    plan_ending(program=program, days=DAYS, actor=SYSTEM, now=day(2))
    return EndingConversion.objects.get()


def balance(number: str, program: Program, at: dt.datetime = LATE) -> int:
    from loyalty.ledger.balances import holdings

    membership = Membership.objects.filter(
        customer__external_id=number, program=program
    ).first()  # fmt: skip
    if membership is None:
        return 0
    wallet = wallet_of(membership.account_id)
    return holdings([wallet], at)[wallet.pk].spendable


def do_it(now: dt.datetime = LATE) -> int:
    """As the schedule does: the whole job."""
    work = find_conversions(now)
    if work is None:
        return 0
    job = start_or_resume_job(
        kind=ending_conversions.KIND, label=work.label, fingerprint=str(now), params=work.params,
        actor=SYSTEM,
    )  # fmt: skip
    done = run_conversions(job.pk)
    assert done is not None
    return int(done.result["wallets"])


@given(
    units=st.integers(0, 10**12), take=st.integers(1, 10**6), give=st.integers(1, 10**6),
    scale=st.integers(0, 4), to_scale=st.integers(0, 4),
)  # fmt: skip
def test_nothing_is_made_and_nothing_more_is_taken_than_it_took(
    units: int, take: int, give: int, scale: int, to_scale: int
) -> None:
    rate = ConversionRate(Decimal(take) / 100, Decimal(give) / 100, scale, to_scale)
    found = rate.convert(units)
    assert found.taken + found.rest == units
    assert found.rest >= 0
    # No more than the rate gives, and not another one.
    assert found.given <= units * rate.ratio < found.given + 1
    # With one unit less it would be less.
    assert not found.given or (found.taken - 1) * rate.ratio < found.given
    assert rate.ratio == Fraction(give * 10**to_scale, take * 10**scale)


def test_the_preview_says_what_it_comes_to(ending: EndingConversion, program: Program) -> None:
    [effect] = preview_ending(program, DAYS, day(3)).conversions
    # 160 and 50 stars; a point each of Ben and Cid is too little.
    assert (effect.holders, effect.taken, effect.given, effect.rest) == (2, 420, 210, 2)
    assert effect.worth == Decimal(105)


def test_members_read_what_theirs_become(ending: EndingConversion, program: Program) -> None:
    state = program_state(program, day(6))
    kind = ending.wallet_type_id

    def read(units: int) -> list[str]:
        return [text.replace("\N{NO-BREAK SPACE}", " ") for text in leftover_words(
            state, {kind: units})]  # fmt: skip

    [whole], [odd], [few] = read(320), read(101), read(1)
    assert whole.endswith("your 320 points become 160 stars in Star Club.")
    assert "101 points become 50 stars in Star Club; 1 point expire" in odd
    assert "too few to go on" in few
    assert read(0) == []
    assert leftover_words(program_state(program, day(3)), {kind: 320}) == []
    [notice] = notices(state)
    assert "2 points become 1 star in Star Club." in notice.text.replace("\N{NO-BREAK SPACE}", " ")


def test_members_read_of_what_they_will_have_on_the_last_day(stars: Program) -> None:
    program = make_program("short", unit={"expiry": {"kind": "days", "length": 12}})
    record(order("A1", "50", buyer="dan", at=day(1)), order("A2", "30", buyer="dan", at=day(10)))
    dan = Membership.objects.get(program=program)
    plan_ending(program=program, days=DAYS, actor=SYSTEM, now=day(2))
    kind = program.wallet_types.get().pk
    assert units_left_then(dan, END) == {kind: 30}
    # What the end itself takes is there up to it.
    assert end_units(day(11)) == 1
    assert units_left_then(dan, END) == {kind: 30}
    redeem_units(
        wallet=wallet_of(dan.account_id), units=70, key="s", source="api", actor=SYSTEM, now=day(12)
    )
    assert units_left_then(dan, END) == {kind: 10}
    give_back(refund("R", "50", of="A1", at=day(12)))
    assert units_left_then(dan, END) == {kind: 0}


def test_what_was_left_on_the_last_day_goes_on_though_it_has_expired_since(
    ending: EndingConversion, program: Program, stars: Program
) -> None:
    wallet = make_wallet(program, "ann")
    redeem_units(
        wallet=wallet, units=20, key="s", source="api", actor=SYSTEM, now=END - dt.timedelta(1)
    )
    assert end_units(day(11)) == 3
    assert find_conversions(END - dt.timedelta(seconds=1)) is None
    write_down_expired(now=LATE)
    assert balance("ann", program) == 0
    assert do_it() == 2
    assert [balance(number, stars) for number in ("ann", "ben", "cid")] == [150, 50, 0]
    assert balance("ann", program) == balance("ben", program) == 0
    pair = ConvertedWallet.objects.get(left__amount=300)
    assert pair.left.kind == "redemption"
    assert pair.left.occurred_at == END - ending_conversions.INSTANT
    assert (pair.came.kind, pair.came.amount) == ("accrual", 150)
    assert pair.came.wallet.account.membership.customer.external_id == "ann"
    # Who has nothing to bring along is no member there.
    assert Membership.objects.filter(program=stars).count() == 2


def test_what_still_waits_goes_on_too(stars: Program) -> None:
    program = make_program("slow", currency="USD", unit={"pending_days": 30})
    record(order("A", "50", buyer="dan", at=day(8)))
    days = replace(DAYS, conversions=(replace(TERMS, take=Decimal(1)),))
    plan_ending(program=program, days=days, actor=SYSTEM, now=day(2))
    assert end_units(day(11)) == 1
    write_down_expired(now=LATE)
    assert do_it() == 1
    assert balance("dan", stars) == 50


def test_what_comes_keeps_what_is_there_where_earning_does(program: Program) -> None:
    stars = make_program(
        "stars", enrollment="explicit", earning_rules=[{"wallet_type": "stars"}],
        unit={"code": "stars", "expiry": {"kind": "inactivity", "length": 1}},
    )  # fmt: skip
    record(order("A", "320", buyer="ann", at=day(1)))
    adjust(make_wallet(stars, "ann"), 5, "start")
    plan_ending(program=program, days=DAYS, actor=SYSTEM, now=day(2))
    assert do_it() == 1
    assert balance("ann", stars, day(40)) == 5 + 160


def test_what_comes_counts_for_no_tier(program: Program) -> None:
    tiers = {
        "metric": "units", "wallet_type": "stars", "window": "lifetime", "downgrade": "none",
        "tiers": [{"code": "a", "name": "A"}, {"code": "b", "name": "B", "threshold": 10}],
    }  # fmt: skip
    stars = make_program(
        "stars", enrollment="explicit", unit={"code": "stars"}, tiers=tiers,
        earning_rules=[{"wallet_type": "stars"}],
    )  # fmt: skip
    record(order("A", "320", buyer="ann", at=day(1)))
    plan_ending(program=program, days=DAYS, actor=SYSTEM, now=day(2))
    assert do_it() == 1
    standing = member_standing(Membership.objects.get(program=stars), LATE)
    assert standing is not None
    assert standing.tier.code == "a"
    record(order("B", "10", buyer="ann", at=LATE), now=LATE)
    standing = member_standing(Membership.objects.get(program=stars), LATE + dt.timedelta(1))
    assert standing is not None
    assert standing.tier.code == "b"


def test_twice_is_once(ending: EndingConversion, program: Program, stars: Program) -> None:
    assert do_it() == 2
    assert find_conversions(LATE) is None
    before = Transfer.objects.count()
    # Even where the note that it is done was lost.
    assert convert_wallets(ending, after=0, now=LATE)[1] == 0
    assert Transfer.objects.count() == before
    assert balance("ann", stars) == 160


def test_killed_half_way_it_goes_on(
    ending: EndingConversion, stars: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ending_conversions, "CHUNK", 1)
    real, calls = ending_conversions.convert_wallets, []

    def interrupted(*args: object, **kwargs: object) -> tuple[int, int]:
        calls.append(1)
        if len(calls) == 2:
            raise SystemExit
        return real(*args, most=1, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(ending_conversions, "convert_wallets", interrupted)
    with pytest.raises(SystemExit):
        do_it()
    assert ConvertedWallet.objects.count() == 1
    assert do_it() == 2
    assert [balance(number, stars) for number in ("ann", "ben")] == [160, 50]


def test_where_something_is_owed_nothing_goes_on(
    ending: EndingConversion, program: Program, stars: Program
) -> None:
    wallet = make_wallet(program, "ben")
    redeem_units(wallet=wallet, units=100, key="s", source="api", actor=SYSTEM, now=day(12))
    give_back(refund("R", "101", of="A-ben", at=day(13)))
    assert do_it() == 1
    assert balance("ben", stars) == 0


@pytest.mark.parametrize("written_down", [False, True])
def test_what_was_refunded_since_the_last_day_does_not_go_on(
    written_down: bool, ending: EndingConversion, program: Program, stars: Program
) -> None:
    record(order("B-ann", "40", buyer="ann", at=day(3)))
    assert end_units(day(11)) == 4
    if written_down:
        write_down_expired(now=END + dt.timedelta(hours=1))
    give_back(refund("R", "120", of="A-ann", at=END + dt.timedelta(hours=2)))
    # 200 of one order and all of the other.
    assert do_it() == 2
    assert [balance(number, stars) for number in ("ann", "ben")] == [120, 50]
    assert sum(pair.left.amount for pair in ConvertedWallet.objects.all()) == 240 + 100
    assert verify_ledger(LATE) == []


def test_who_owes_since_the_last_day_holds_up_nobody_else(
    ending: EndingConversion, program: Program, stars: Program
) -> None:
    record(order("B-ann", "40", buyer="ann", at=day(3)))
    redeem_units(
        wallet=make_wallet(program, "ann"), units=20, key="s", source="api", actor=SYSTEM,
        now=day(12),
    )  # fmt: skip
    assert end_units(day(11)) == 4
    give_back(refund("R", "320", of="A-ann", at=END + dt.timedelta(hours=2)))
    # Of that order 300 were left; the 40 of the other had expired before something was owed.
    assert do_it() == 1
    assert [balance(number, stars) for number in ("ann", "ben")] == [0, 50]
    assert find_conversions(LATE) is None
    assert verify_ledger(LATE) == []


def test_units_that_came_back_since_the_last_day_bring_no_more_than_there_was(
    ending: EndingConversion, program: Program, stars: Program
) -> None:
    spent, _replayed = redeem_units(
        wallet=make_wallet(program, "ann"), units=20, key="s", source="api", actor=SYSTEM,
        now=day(12),
    )  # fmt: skip
    assert end_units(day(13)) == 3
    reverse_redemption(
        transfer=spent, key="back", source="api", actor=SYSTEM, now=END + dt.timedelta(hours=1)
    )  # fmt: skip
    give_back(refund("R", "10", of="A-ann", at=END + dt.timedelta(hours=2)))
    assert do_it() == 2
    assert balance("ann", stars) == 150
    assert verify_ledger(LATE) == []


def test_whoever_left_the_other_program_is_left_alone(
    ending: EndingConversion, stars: Program
) -> None:
    make_wallet(stars, "ann")
    Membership.objects.filter(program=stars).update(status=Membership.Status.LEFT)
    assert do_it() == 1
    assert Membership.objects.get(program=stars, customer__external_id="ann").status == "left"


def test_an_end_that_is_called_off_converts_nothing(
    ending: EndingConversion, program: Program, stars: Program
) -> None:
    call_off_ending(program=program, actor=SYSTEM, now=day(4))
    assert find_conversions(LATE) is None
    assert not Membership.objects.filter(program=stars).exists()
    assert balance("ann", program) == 320


def test_what_went_on_is_not_given_back(ending: EndingConversion) -> None:
    do_it()
    pair = ConvertedWallet.objects.first()
    assert pair is not None
    with pytest.raises(NotReversibleError):
        reverse_redemption(
            transfer=pair.left, key="back", source="api", actor=SYSTEM, now=LATE
        )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"program": "nobody"}, "no such kind of units"),
        ({"program": "club", "to_wallet_type": "points"}, "no such kind of units"),
        ({"wallet_type": "miles"}, "no units miles"),
        ({"take": Decimal(0)}, "above zero"),
        ({"program": "draft"}, "is not live"),
    ],
)
def test_what_cannot_go_on_is_refused_in_words(
    changes: dict[str, object], words: str, program: Program, stars: Program
) -> None:
    make_program("draft", status="draft", unit={"code": "stars"}, earning_rules=[])
    values = {name: getattr(TERMS, name) for name in TERMS.__dataclass_fields__} | changes
    days = replace(DAYS, conversions=(ConversionTerms(**values),))
    with pytest.raises(ConflictError, match=words):
        preview_ending(program, days, NOW)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"wallet_type": "credit"}, "stays as it is"),
        ({"program": "shop", "to_wallet_type": "credit"}, "paid in"),
    ],
)
def test_stored_value_neither_goes_on_nor_comes_of_units(
    changes: dict[str, Any], words: str, stars: Program
) -> None:
    program = money_program()
    money_program("shop", enrollment="explicit")
    days = replace(DAYS, conversions=(replace(TERMS, **changes),))
    with pytest.raises(ConflictError, match=words):
        preview_ending(program, days, NOW)
    with pytest.raises(ConflictError, match=words), transaction.atomic():
        plan_ending(program=program, days=days, actor=SYSTEM, now=NOW)
    assert not EndingConversion.objects.exists()


def test_the_database_refuses_stored_value_on_either_side(program: Program) -> None:
    points = program.wallet_types.get()
    credit = money_program("shop").wallet_types.get(stored_value=True)
    for kind, other in ((points, credit), (credit, points)):
        plain = replace(DAYS, conversions=())
        ending = plan_ending(program=kind.program, days=plain, actor=SYSTEM, now=day(2))
        with pytest.raises(DatabaseError, match="stored value"), transaction.atomic():
            EndingConversion.objects.create(
                ending=ending, wallet_type=kind, to_wallet_type=other, take=1, give=1
            )


def test_another_program_that_ends_takes_nothing_in(program: Program, stars: Program) -> None:
    plain = replace(DAYS, conversions=())
    plan_ending(program=stars, days=plain, actor=SYSTEM, now=NOW)
    with pytest.raises(ConflictError, match="will end, too"):
        plan_ending(program=program, days=DAYS, actor=SYSTEM, now=NOW)


def test_a_file_says_it_and_is_written_back(program: Program, stars: Program) -> None:
    said = {
        "announced_on": DAYS.announced_on, "last_earning_day": DAYS.last_earning_day,
        "last_spending_day": DAYS.last_spending_day,
        "conversions": [{"wallet_type": "points", "program": "stars", "to_wallet_type": "stars",
                         "take": "2", "give": "1"}],
    }  # fmt: skip
    definition = define(ending=said)
    apply_definition(definition, actor=SYSTEM, now=NOW)
    program.refresh_from_db()
    assert definition_of(program, NOW).ending == definition.ending
    assert not apply_definition(definition, actor=SYSTEM, now=NOW).changes
    said["conversions"][0]["give"] = "3"
    assert apply_definition(define(ending=said), actor=SYSTEM, now=NOW).changes
    assert EndingConversion.objects.get(ending__called_off_at=None).give == 3
    said["conversions"][0]["program"] = "nobody"
    with pytest.raises(DomainError):
        apply_definition(define(ending=said), actor=SYSTEM, now=NOW)


def test_the_database_keeps_the_terms(ending: EndingConversion, program: Program) -> None:
    for change in ({"give": 5}, {"take": 5}):
        with pytest.raises(DatabaseError), transaction.atomic():
            EndingConversion.objects.filter(pk=ending.pk).update(**change)
    own = program.wallet_types.get()
    with pytest.raises(DatabaseError), transaction.atomic():
        EndingConversion.objects.create(
            ending=ending.ending, wallet_type=own, to_wallet_type=own, take=1, give=1
        )
    assert Customer.objects.count() == 3
