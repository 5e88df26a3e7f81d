"""Companies: what they are beside a pool, their roles, and what their buyers spend."""

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from loyalty.errors import PoolRefusedError
from loyalty.models import Company, Pool, PoolMember, SpendRequest
from loyalty.pool_roles import RIGHTS, ROLES_OF
from loyalty.selectors.companies import companies as all_companies
from loyalty.selectors.companies import (
    company_of,
    get_company,
    room_to_spend,
    search_companies,
    spend_by_buyer,
)
from loyalty.selectors.pools import places_of, pool_wallets
from loyalty.services.companies import change_company
from loyalty.services.pools import change_pool, change_pool_member
from loyalty.services.redemptions import reverse_redemption
from members.errors import NotFoundError
from members.models import AuditEntry
from members.services.audit import SYSTEM
from tests.factories import StaffMemberFactory
from tests.loyalty.factories import (
    NOW,
    day,
    give_back,
    make_program,
    order,
    record,
    refund,
    spendable,
)
from tests.loyalty.services.buying import add_buyer, found_company, fund
from tests.loyalty.services.pooling import HOW, add, found_pool, in_pool, join, leave, spend, take
from tests.sharing import of_each_test

_made_once, ann = of_each_test(lambda: join(make_program(), "ann"))


@pytest.fixture
def ben(ann):
    return join(ann.program, "ben")


def refusal(**details):
    with pytest.raises(PoolRefusedError) as refused, transaction.atomic():
        found_company(details.pop("owner"), **details)
    return refused.value


# --- what a company is


def test_a_company_says_how_it_is_registered_and_who_looks_after_it(ann):
    mia = StaffMemberFactory(role="marketing_manager", phone="+4930123456")
    company = found_company(
        ann, external_id="K-17", legal_name="Hart Supplies GmbH", vat_number="de 123.456.789",
        registration_number="hrb 12345 b", tags=("Office", "key account"), employees=40,
        manager=mia, address=" Long Lane 1 \n\n Berlin ",
    )  # fmt: skip
    found = get_company(company.pool.public_id)
    assert (found.vat_number, found.registration_number) == ("DE123456789", "HRB 12345 B")
    assert (found.tags, found.address) == (["key-account", "office"], "Long Lane 1\nBerlin")
    assert (found.manager, found.buyer_count, found.waiting_count) == (mia, 1, 0)
    with pytest.raises(NotFoundError):
        get_company(found_pool(join(ann.program, "eve")).public_id)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("vat_number", "DE12"),
        ("vat_number", "12345678"),
        ("vat_number", "NL123456789"),
        ("registration_number", "#1"),
        ("billing_email", "nobody"),
        ("tags", ("ten%",)),
        ("employees", -1),
        ("most_at_once", -5),
        ("period", "week"),
        ("answer_days", 0),
        ("external_id", "x" * 65),
    ],
)
def test_what_has_not_the_right_form_is_refused_at_its_field(ann, name, value):
    error = refusal(owner=ann, **{name: value})
    assert (error.status, [item.field for item in error.errors]) == (422, [name])
    assert not Pool.objects.exists()


@pytest.mark.parametrize("name", ["external_id", "vat_number", "registration_number"])
def test_numbers_are_given_once_in_a_program(ann, ben, name):
    found_company(ann, **{name: "DE123456789"})
    error = refusal(owner=ben, **{name: "DE123456789"})
    assert (error.code, error.status) == ("taken", 409)
    elsewhere = join(make_program("tea"), "cid")
    assert found_company(elsewhere, **{name: "DE123456789"}).pk
    other = found_company(ben)
    with pytest.raises(IntegrityError), transaction.atomic():
        Company.objects.filter(pk=other.pk).update(**{name: "DE123456789"})


def test_new_companies_begin_with_the_limits_of_the_program(ann):
    program = make_program("tea", companies={"most_at_once": 200, "answer_days": 3})
    eve = join(program, "eve")
    company = found_company(eve, most_in_period=900)
    assert (company.most_at_once, company.most_in_period, company.answer_days) == (200, 900, 3)
    make_program("tea", companies={"most_at_once": 50})
    company.refresh_from_db()
    assert company.most_at_once == 200


def test_what_is_changed_is_written_down_once(ann):
    company = found_company(ann, employees=4)
    changed = change_company(
        company=company, changes={"employees": 5}, terms={"name": "Harts"}, actor=SYSTEM
    )
    change_company(company=changed, changes={"employees": 5}, actor=SYSTEM)
    (entry,) = AuditEntry.objects.filter(action="company.changed")
    assert (entry.before, entry.after) == ({"employees": 4}, {"employees": 5})
    assert Pool.objects.get().name == "Harts"


def test_companies_are_found_by_name_and_by_number(ann, ben):
    found_company(ann, vat_number="DE123456789", tags=("office",))
    found_company(ben, terms={"name": "Tailor & Co"}, external_id="K-9")
    for text, names in (
        ("hart", ["Hart Supplies"]), ("DE 123 456 789", ["Hart Supplies"]),
        ("k-9", ["Tailor & Co"]),
        ("Office", ["Hart Supplies"]), ("nobody\x00", []), ("", ["Hart Supplies", "Tailor & Co"]),
    ):  # fmt: skip
        found = search_companies(all_companies(), text)
        assert [company.pool.name for company in found] == names


def test_a_member_of_staff_who_leaves_leaves_companies_without_a_manager(ann):
    mia = StaffMemberFactory()
    company = found_company(ann, manager=mia)
    mia.delete()
    company.refresh_from_db()
    assert company.manager is None


# --- roles


def test_every_role_says_what_it_may(ann):
    assert set(RIGHTS) == {role for roles in ROLES_OF.values() for role in roles}
    assert set(RIGHTS) == set(PoolMember.Role.values)


def test_members_of_companies_are_buyers_and_those_of_households_are_not(ann, ben):
    company = found_company(ann)
    place = add(company.pool, ben)
    assert place.role == "buyer"
    change_pool_member(member=place, changes={"role": "approver"}, actor=SYSTEM)
    assert PoolMember.objects.get(pk=place.pk).decides
    with pytest.raises(DatabaseError), transaction.atomic():
        PoolMember.objects.filter(pk=place.pk).update(role="member")
    with pytest.raises(IntegrityError), transaction.atomic():
        PoolMember.objects.filter(pk=place.pk).update(role="boss")
    household = found_pool(join(ann.program, "eve"))
    with pytest.raises(PoolRefusedError), transaction.atomic():
        add(household, join(ann.program, "fay"), role="approver")


def test_a_household_may_become_a_company_and_a_company_stays_one(ann, ben):
    pool = found_pool(ann)
    add(pool, ben)
    change_pool(pool=pool, changes={"kind": "company"}, actor=SYSTEM)
    assert sorted(pool.members.values_list("role", flat=True)) == ["buyer", "owner"]
    assert Company.objects.get().pool == pool
    with pytest.raises(PoolRefusedError), transaction.atomic():
        change_pool(pool=pool, changes={"kind": "household"}, actor=SYSTEM)
    with pytest.raises(DatabaseError), transaction.atomic():
        Pool.objects.update(kind="household")


def test_a_company_is_the_row_of_a_company_pool_alone(ann):
    household = found_pool(ann)
    with pytest.raises(DatabaseError), transaction.atomic():
        Company.objects.create(pool=household, program=ann.program, created_at=NOW)


def test_when_the_owner_leaves_an_approver_follows(ann, ben):
    company = found_company(ann)
    add_buyer(company, join(ann.program, "cid"))
    add_buyer(company, ben, "approver")
    leave(company.pool.members.get(membership=ann))
    assert company.pool.members.get(left_at=None, role="owner").membership == ben


# --- spending without asking


@pytest.fixture
def company(ann, ben):
    """Ann's, in which Ben buys: 100 at once and 150 in a month, with 1,000 in it."""
    found = found_company(ann, most_at_once=100, most_in_period=150)
    add_buyer(found, ben)
    fund(found)
    return found


def refused(act, *how, **more):
    with pytest.raises(PoolRefusedError) as error, transaction.atomic():
        act(*how, **more)
    return error.value.code


def test_buyers_spend_up_to_the_limits_and_owners_freely(ann, ben, company):
    assert refused(spend, ben, 101) == "approval_needed"
    spend(ben, 100, "r1")
    assert refused(spend, ben, 51, "r2") == "approval_needed"
    spend(ben, 50, "r2")
    assert refused(spend, ben, 1, "r3") == "approval_needed"
    spend(ann, 500, "r4")
    assert in_pool(company.pool) == (350, 0)
    # Told again it is what it was.
    assert spend(ben, 100, "r1").amount == 100


def test_taking_out_counts_as_spending(ben, company):
    take("ben", 100)
    assert spendable("ben") == 100
    assert refused(take, "ben", 51, "t2") == "approval_needed"
    assert refused(spend, ben, 51, "r1") == "approval_needed"


def test_what_came_back_may_be_spent_again(ben, company):
    transfer = spend(ben, 100, "r1")
    spend(ben, 50, "r2")
    reverse_redemption(transfer=transfer, units=60, key="b1", now=NOW, **HOW)
    place = company.pool.members.get(membership=ben)
    room = room_to_spend(place, pool_wallets(company.pool)[0], NOW)
    assert (room.at_once, room.in_period, room.now) == (100, 60, 60)


def test_a_new_month_begins_anew_and_a_day_where_the_company_says_so(ben, company):
    spend(ben, 100, "r1")
    spend(ben, 50, "r2")
    assert refused(spend, ben, 1, "r3", now=day(16)) == "approval_needed"
    spend(ben, 100, "r3", now=day(17))
    change_company(company=company, changes={"period": "day"}, actor=SYSTEM)
    spend(ben, 100, "r4", now=day(18))


def test_without_limits_buyers_spend_as_the_pool_says(ann, ben):
    company = found_company(ann, terms={"spending": "owners"})
    place = add_buyer(company, ben)
    fund(company)
    assert refused(spend, ben, 1) == "pool_refused"
    change_pool_member(member=place, changes={"role": "approver"}, actor=SYSTEM)
    spend(ben, 1)


# --- what was bought


def test_what_buyers_ordered_for_the_company_counts_less_what_came_back(ann, ben):
    record(order("A0", "70", buyer="ben", at=day(-5)))
    company = found_company(ann, now=day(-2))
    place = add_buyer(company, ben, now=day(-2))
    record(order("A1", "100", buyer="ann", at=day(-1)), order("A2", "40", buyer="ben", at=NOW))
    give_back(refund("R0", of="A0", total="70", at=day(1)))
    give_back(refund("R1", of="A1", total="30", at=day(1)))
    leave(place, now=day(2))
    record(order("A3", "500", buyer="ben", at=day(3)))
    found = spend_by_buyer(company.pool, day(-30), day(30))
    assert [(item.member.membership, item.orders, item.spent) for item in found] == [
        (ann, 1, 70), (ben, 1, 40),
    ]  # fmt: skip


def test_a_customer_knows_the_companies_they_buy_for(ann, ben, company):
    [place] = places_of(ben.customer)
    assert (company_of(place.pool), place.role) == (company, "buyer")
    assert places_of(join(ann.program, "eve").customer) == []
    assert not SpendRequest.objects.exists()
