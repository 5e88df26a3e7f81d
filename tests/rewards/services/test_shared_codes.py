"""Codes that many may use, once each: never more often, whoever comes at once."""

import threading

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from loyalty.ledger.checks import check_rule
from members.errors import ConflictError, DomainError
from members.program_scope import limited_to
from members.services.audit import SYSTEM
from rewards.checks import CHECKS
from rewards.errors import VoucherRefusedError
from rewards.models import Voucher, VoucherUse
from rewards.services.shared_codes import create_shared_code, stop_shared_code
from rewards.services.vouchers import (
    check_voucher,
    find_voucher,
    hold_voucher,
    release_voucher,
    use_voucher,
)
from tests.loyalty.factories import NOW, day, make_program
from tests.rewards.factories import make_member, offer
from tests.rewards.services.racing import at_once
from tests.sharing import of_each_test

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("undone_when_refused")]


def make_people():
    program = make_program()
    return [make_member(0, f"c{number}", program=program) for number in range(4)]


_made_once, people = of_each_test(make_people)


def share(people, most=2, written="SUMMER-26", **how):
    reward = offer(people[0].program)
    how = {"expires_at": None, "now": NOW, "actor": SYSTEM} | how
    return create_shared_code(reward=reward, written=written, most_uses=most, **how)


def use(code, member, checkout, at=NOW):
    return use_voucher(
        voucher=code, checkout=checkout, occasion=None, actor=SYSTEM, now=at, member=member
    )[0]


def refused(code, member, checkout, at=NOW):
    with pytest.raises(VoucherRefusedError) as error:
        use(code, member, checkout, at)
    return error.value.code


def agrees():
    return all(check_rule(name, NOW) is None for name in CHECKS)


def test_each_member_uses_it_once_until_it_is_used_up(people):
    ann, bob, cem, _dan = people
    code = share(people)
    assert find_voucher("summer 26") == code
    assert use(code, ann, "A").slot == 1
    assert use(code, ann, "A").slot == 1
    assert refused(code, ann, "B") == "voucher_used_by_member"
    assert refused(code, None, "C") == "voucher_needs_member"
    assert use(code, bob, "D").slot == 2
    code.refresh_from_db()
    assert (code.status, refused(code, cem, "E"), agrees()) == ("used", "voucher_used", True)
    release_voucher(voucher=code, checkout="A", actor=SYSTEM, now=NOW)
    code.refresh_from_db()
    assert (code.status, use(code, cem, "E").slot, agrees()) == ("issued", 1, True)


def test_what_is_let_go_in_the_middle_is_used_by_the_next(people):
    ann, bob, cem, dan = people
    code = share(people, 3)
    for member, checkout in ((ann, "A"), (bob, "B"), (cem, "C")):
        hold_voucher(voucher=code, checkout=checkout, occasion=None, now=NOW, member=member)
    release_voucher(voucher=code, checkout="B", actor=SYSTEM, now=NOW)
    assert (use(code, dan, "D").slot, agrees()) == (2, True)
    code.refresh_from_db()
    assert (code.uses_taken, code.status) == (3, "issued")
    for member, checkout in ((ann, "A"), (cem, "C")):
        use(code, member, checkout)
    code.refresh_from_db()
    assert (code.uses_taken, code.status, agrees()) == (3, "used", True)


def test_the_database_counts_its_uses_and_lets_nobody_count_more(people):
    code = share(people, 1)
    own = Voucher.objects.create(
        code="OWN1", written="OWN1", program=code.program, reward=code.reward, status="issued",
        membership=people[0], issued_at=NOW,
    )  # fmt: skip
    for which, most in ((code, 1), (own, 0)):
        with (
            pytest.raises(IntegrityError, match="voucher_used_as_often_as_it_may_be"),
            transaction.atomic(),
        ):
            Voucher.objects.filter(pk=which.pk).update(uses_taken=most + 1)
    Voucher.objects.filter(pk=code.pk).update(uses_taken=1)
    assert not agrees()


def test_a_hold_takes_one_of_its_uses_until_it_passes(people):
    ann, bob, *_others = people
    code = share(people, 1)
    hold_voucher(voucher=code, checkout="A", occasion=None, now=NOW, member=ann)
    assert refused(code, bob, "B") == "voucher_used_up"
    assert use(code, bob, "B", day(1)).membership == bob
    assert VoucherUse.objects.get(checkout="A").state == "released"


def test_what_was_held_is_used_without_naming_the_member_again(people):
    code = share(people)
    hold_voucher(voucher=code, checkout="A", occasion=None, now=NOW, member=people[0])
    assert use(code, None, "A").membership == people[0]


def test_a_look_says_who_may_not(people):
    code = share(people)
    use(code, people[0], "A")
    with pytest.raises(VoucherRefusedError):
        check_voucher(code, None, checkout="B", now=NOW, member=people[0])
    assert check_voucher(code, None, checkout="B", now=NOW, member=people[1]).amount == 0


def test_it_ends_when_it_is_stopped_or_runs_out(people):
    code = share(people, expires_at=day(3))
    assert refused(code, people[0], "A", day(3)) == "voucher_expired"
    use(code, people[0], "A")
    stop_shared_code(voucher=code, actor=SYSTEM, now=NOW)
    stop_shared_code(voucher=code, actor=SYSTEM, now=NOW)
    code.refresh_from_db()
    assert (refused(code, people[1], "B"), agrees()) == ("voucher_void", True)


def test_what_cannot_be_shared_is_refused(people):
    code = share(people)
    with pytest.raises(ConflictError):
        create_shared_code(
            reward=code.reward, written="summer26", most_uses=1, expires_at=None, actor=SYSTEM,
            now=NOW,
        )  # fmt: skip
    for wrong in (
        {"written": "a"},
        {"most": 0, "written": "OTHER-1"},
        {"expires_at": NOW, "written": "OTHER-2"},
    ):
        with pytest.raises(DomainError):
            create_shared_code(
                reward=code.reward, written=wrong["written"], most_uses=wrong.get("most", 5),
                expires_at=wrong.get("expires_at"), actor=SYSTEM, now=NOW,
            )  # fmt: skip


def test_the_database_lets_nobody_use_it_more_often(people):
    code = share(people)
    own = Voucher.objects.create(
        code="OWN1", written="OWN1", program=code.program, reward=code.reward, status="issued",
        membership=people[0], issued_at=NOW,
    )  # fmt: skip
    use(code, people[0], "A")
    for wrong in (
        {"voucher": code, "slot": 3, "membership": people[1]},
        {"voucher": code, "slot": 1, "membership": people[1]},
        {"voucher": code, "slot": 2, "membership": people[0]},
        {"voucher": own, "slot": 2},
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            VoucherUse.objects.create(
                **wrong, checkout="X", state="used", created_at=NOW, closed_at=NOW
            )


@pytest.mark.django_db(transaction=True)
def test_ten_at_once_use_it_as_often_as_it_may_be(people):
    program = people[0].program
    crowd = [make_member(0, f"d{number}", program=program) for number in range(10)]
    code, gone = share(people, 3), []

    def come(member):
        try:
            use(code, member, f"cart-{member.pk}")
        except VoucherRefusedError as error:
            gone.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=come, args=(member,)) for member in crowd]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert VoucherUse.objects.filter(state="used").count() == 3
    assert len(gone) == 7
    assert agrees()


def test_a_checkout_that_was_left_takes_no_use_from_others(people):
    code = share(people, most=1)
    hold_voucher(voucher=code, checkout="A", occasion=None, now=NOW, member=people[0])
    with pytest.raises(VoucherRefusedError):
        check_voucher(code, None, checkout="B", now=NOW, member=people[0])
    check_voucher(code, None, checkout="B", now=day(1), member=people[0])
    check_voucher(code, None, checkout="C", now=day(1), member=people[1])


def test_a_code_may_be_used_several_times_by_each_member(people):
    ann, bob, _cem, _dan = people
    code = share(people, 5, per_member=2)
    assert [use(code, ann, place).own_slot for place in ("A", "B", "B")] == [1, 2, 2]
    assert refused(code, ann, "C") == "voucher_used_by_member"
    hold_voucher(voucher=code, checkout="D", occasion=None, now=NOW, member=bob)
    assert use(code, bob, "E").own_slot == 2
    assert refused(code, bob, "F") == "voucher_used_by_member"
    # What is let go can be used again, in its place; a hold that passed keeps nobody from it.
    release_voucher(voucher=code, checkout="A", actor=SYSTEM, now=NOW)
    assert use(code, ann, "C").own_slot == 1
    assert (use(code, bob, "F", day(1)).own_slot, agrees()) == (1, True)


@pytest.mark.django_db(transaction=True)
def test_several_times_by_each_is_exact_when_all_come_at_once(people):
    code = share(people, 10, per_member=3)
    found = at_once(lambda number: use(code, people[number % 2], f"A{number}"), 40)
    assert found == {"done": 6, "voucher_used_by_member": 34}
    assert sorted(
        VoucherUse.objects.values_list("membership__customer__external_id", "own_slot")
    ) == [(person, slot) for person in ("c0", "c1") for slot in (1, 2, 3)]
    assert agrees()


@pytest.mark.parametrize("wrong", [0, 3])
def test_by_each_is_not_more_often_than_by_all(people, wrong):
    with pytest.raises(DomainError) as error:
        share(people, 2, per_member=wrong)
    assert [item.field for item in error.value.errors] == ["per_member"]


def test_the_database_lets_no_member_use_it_more_often(people):
    code = share(people, 5, per_member=2)
    row = use(code, people[0], "A")
    for own_slot in (0, 3):
        with pytest.raises(DatabaseError), transaction.atomic():
            VoucherUse.objects.filter(pk=row.pk).update(own_slot=own_slot)
    use(code, people[0], "B")
    with pytest.raises(IntegrityError), transaction.atomic():
        VoucherUse.objects.filter(checkout="B").update(own_slot=1)


def test_a_code_of_a_program_that_the_actor_does_not_see_is_taken(people):
    share(people)
    own = offer(make_program("own"))
    with limited_to([own.program_id]), pytest.raises(ConflictError) as taken:
        create_shared_code(
            reward=own, written="summer 26", most_uses=2, expires_at=None, actor=SYSTEM, now=NOW
        )
    assert taken.value.errors[0].field == "written"
