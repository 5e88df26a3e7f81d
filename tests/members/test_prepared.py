"""Kept statements say the same as Django's own."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, F, OuterRef, Prefetch
from django.test.utils import CaptureQueriesContext

from loyalty.models import Membership, Program, Wallet, WalletType
from members.models import AuditEntry, Customer
from members.prepared import (
    KeptQuery,
    KeptRows,
    insert_row,
    insert_rows,
    put_related,
    read_again,
    read_along,
    run_prepared,
    update_row,
)
from members.program_scope import limited_to
from rewards.models import Reward, RewardPrice
from tests.loyalty.factories import make_program
from tests.rewards.factories import make_member, offer

pytestmark = pytest.mark.django_db


def values_of(row):
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def test_a_kept_query_reads_what_the_query_reads_with_whatever_it_joins():
    members = [make_member(100, "m1"), make_member(0, "m2")]

    def build(pk):
        return Membership.objects.select_related("program", "customer", "merged_into").filter(pk=pk)

    kept = KeptQuery(build)
    for member in members:
        own, found = build(member.pk).get(), kept.one(member.pk)
        assert found == own
        assert not found._state.adding
        with CaptureQueriesContext(connection) as asked:
            pairs = [
                (found, own), (found.program, own.program), (found.customer, own.customer),
            ]  # fmt: skip
            assert all(values_of(one) == values_of(other) for one, other in pairs)
            assert found.merged_into is None
        assert len(asked) == 0


def test_what_it_prefetches_is_there_where_it_has_rows():
    program = make_program()
    kept = KeptQuery(
        lambda pk: Reward.objects.filter(pk=pk).order_by().prefetch_related("tier_prices")
    )
    for number in range(2):
        reward = offer(program, f"r{number}")
        price = RewardPrice.objects.create(reward=reward, tier="gold", price=number + 1)
        with CaptureQueriesContext(connection) as asked:
            found = kept.one(reward.pk)
            assert [item.pk for item in found.tier_prices.all()] == [price.pk]
        assert len(asked) == 2
    with CaptureQueriesContext(connection) as asked:
        assert kept.rows(0) == []
    assert len(asked) == 1


def test_json_arrays_and_money_come_as_the_model_has_them():
    reward = offer(make_program(), kind="free_product", skus=["A", "B"], worth="2.50")
    kept = KeptQuery(lambda pk: Reward.objects.filter(pk=pk).order_by())
    assert values_of(kept.one(reward.pk)) == values_of(Reward.objects.get())


def test_what_is_deferred_is_read_when_it_is_asked_for():
    member = make_member()
    kept = KeptQuery(lambda pk: Membership.objects.only("program").filter(pk=pk))
    found = kept.one(member.pk)
    with CaptureQueriesContext(connection) as asked:
        assert found.program_id == member.program_id
        assert len(asked) == 0
        assert found.account_id == member.account_id
    assert len(asked) == 1


def test_what_is_annotated_is_there_too():
    own = OuterRef("pk")
    kept = KeptQuery(
        lambda pk: (
            Reward.objects.annotate(
                priced=Exists(RewardPrice.objects.filter(reward=own)), dear=F("price") * F("taken")
            )
            .filter(pk=pk)
            .order_by()
        )
    )
    program = make_program()
    found = [kept.one(offer(program, f"r{n}").pk) for n in range(2)]
    assert [(item.priced, item.dear) for item in found] == [(False, 0), (False, 0)]
    RewardPrice.objects.create(reward=found[0], tier="gold", price=1)
    assert [kept.one(item.pk).priced for item in found] == [True, False]


def test_a_query_with_values_of_its_own_is_refused():
    kept = KeptQuery(lambda pk: Reward.objects.filter(pk=pk, status="live"))
    with pytest.raises(AssertionError, match="live"):
        kept.rows(1)


def test_kept_rows_are_those_of_the_query_and_as_many():
    program, other = make_program(), make_program("other")
    for name, price, where in (("r1", 10, program), ("r2", 20, program), ("r3", 30, other)):
        offer(where, name, price=price)

    def build(least, dearest, name):
        cheap = Reward.objects.filter(price__gte=least, price__lt=dearest, status="live")
        named = Reward.objects.exclude(status="archived").filter(name=name)
        return cheap.order_by().values_list("name", "price").union(
            named.order_by().values_list("name", "price"), all=True
        )  # fmt: skip

    kept = KeptRows(build, (-1, -2), (-3, -4), ("one", "other"))
    for asked in ((10, 25, "none"), (15, 40, Reward.objects.first().name), (0, 5, "none")):
        assert sorted(kept.rows(*asked)) == sorted(build(*asked))
        assert kept.count(*asked) == build(*asked).count()
    with limited_to([other.pk]):
        assert kept.count(0, 40, "none") == len(kept.rows(0, 40, "none")) == 1
    assert KeptRows(lambda: Reward.objects.values("pk")).count() == 3


def test_who_is_limited_to_programs_asks_by_a_text_of_their_own_for_theirs():
    program, other, third = make_program(), make_program("other"), make_program("third")
    for name, where in (("r1", program), ("r2", other), ("r3", third), ("r4", third)):
        reward = offer(where, name)
        RewardPrice.objects.create(reward=reward, tier="gold", price=1)

    def build(least):
        prices = Prefetch("tier_prices", RewardPrice.objects.filter(price__lt=9).order_by("pk"))
        found = Reward.objects.filter(price__gte=least).order_by("code")
        return found.prefetch_related(prices)

    kept = KeptQuery(build)
    counted = KeptRows(lambda least: Reward.objects.filter(price__gte=least).values("pk"), (-1, -2))
    scopes = [[other.pk], [program.pk, other.pk], [], [third.pk], [0]]
    for programs in (*scopes, *reversed(scopes)):
        with limited_to(programs):
            own, found = list(build(0)), kept.rows(0)
            assert found == own
            # None of another program, with what belongs to it.
            assert [len(item.tier_prices.all()) for item in found] == [1] * len(own)
            assert counted.count(0) == len(counted.rows(0)) == len(own)
    with limited_to([other.pk, third.pk]), CaptureQueriesContext(connection) as asked:
        assert [item.code for item in kept.rows(0)] == ["r2", "r3", "r4"]
    # As it was put into words for those of one program, or of three.
    assert "ANY(" in asked.captured_queries[0]["sql"]


def test_who_is_not_there_is_none_or_raises():
    kept = KeptQuery(lambda pk: Customer.objects.filter(pk=pk))
    assert kept.first(0) is None
    with pytest.raises(Customer.DoesNotExist):
        kept.one(0)


def test_a_row_is_inserted_and_changed_as_saving_does():
    entry = AuditEntry(
        actor=None, actor_label="Ann", action="thing.made", target="x.y:1", target_label="Thing",
        before=None, after={"amount": 1, "words": ["a"]}, reason="because",
    )  # fmt: skip
    insert_row(entry)
    assert entry.at is not None
    assert values_of(entry) == values_of(AuditEntry.objects.get())
    customer = Customer(external_id="c9")
    insert_row(customer)
    customer.external_id = "c10"
    update_row(customer, "external_id")
    assert Customer.objects.get(pk=customer.pk).external_id == "c10"


def test_several_rows_are_inserted_at_once_each_with_its_key():
    people = [Customer(external_id=f"c{n}", tags=["a"] * n) for n in range(3)]
    with CaptureQueriesContext(connection) as asked:
        insert_rows(people)
    assert len(asked) == 1
    for person in people:
        assert not person._state.adding
        assert values_of(person) == values_of(Customer.objects.get(pk=person.pk))


def test_a_row_that_is_read_again_is_as_the_database_has_it_and_knows_nothing_else():
    make_program()
    [unit] = Program.objects.prefetch_related("wallet_types").get().wallet_types.all()
    assert unit.program.name == "Club"
    unit.singular = "bean"
    WalletType.objects.update(plural="beans")
    Program.objects.update(name="Beans")
    with CaptureQueriesContext(connection) as asked:
        read_again(unit)
    assert len(asked) == 1
    assert values_of(unit) == values_of(WalletType.objects.get())
    assert (unit.singular, unit.plural, unit.program.name) == ("point", "beans", "Beans")
    gone = Customer.objects.create(external_id="c1")
    Customer.objects.all().delete()
    with pytest.raises(Customer.DoesNotExist):
        read_again(gone)


def test_what_the_database_refuses_is_refused_as_ever():
    insert_row(Customer(external_id="c1"))
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_row(Customer(external_id="c1"))
    assert Customer.objects.count() == 1


def test_rows_that_are_put_are_not_asked_for():
    reward = offer(make_program())
    price = RewardPrice.objects.create(reward=reward, tier="gold", price=1)
    put_related(reward, "tier_prices", [price])
    put_related(reward, "prizes", [])
    with CaptureQueriesContext(connection) as asked:
        assert (list(reward.tier_prices.all()), list(reward.prizes.all())) == ([price], [])
    assert len(asked) == 0


def test_any_number_of_values_is_asked_for_by_the_same_query():
    members = [make_member(0, f"m{n}") for n in range(3)]
    kept = KeptQuery(
        lambda customers, ids: Membership.objects.filter(
            customer__among=customers, pk__among=ids
        ).order_by("pk")
    )
    customers = [member.customer_id for member in members]
    for ids in ([], [members[1].pk], [member.pk for member in members]):
        assert [member.pk for member in kept.rows(customers, ids)] == ids
    named = KeptQuery(lambda names: Customer.objects.filter(external_id__among=names))
    assert [found.pk for found in named.rows(["m1", "nobody"])] == [members[1].customer_id]


def test_a_value_that_is_too_long_for_its_column_is_not_cut_to_what_it_has():
    Customer.objects.create(external_id="x" * 128)
    kept = KeptQuery(lambda names: Customer.objects.filter(external_id__among=names))
    assert kept.rows(["x" * 128 + "y"]) == []


def test_nothing_is_asked_for_as_the_query_itself_asks_for_it():
    """Django looks for what is empty, which is another text."""
    member = make_member()
    kept = KeptQuery(lambda merged, pk: Membership.objects.filter(merged_into=merged, pk=pk))
    for _first_and_again in range(2):
        assert kept.rows(None, member.pk) == [member]
        assert kept.rows(member.pk, member.pk) == []


def test_who_asks_while_another_asks_first_has_the_lock_too():
    class Ending(str):
        def __radd__(self, text):
            assert kept.readings == {}
            return f"{text!s}{self!s}"

    kept = KeptQuery(lambda pk: Customer.objects.filter(pk=pk), ending=Ending(" FOR UPDATE"))
    assert kept.first(0) is None
    assert kept.readings[False].text.endswith(" FOR UPDATE")


def test_those_that_belong_to_rows_are_read_along_and_know_them():
    program = make_program()
    rewards = [offer(program, code) for code in ("a", "b")]
    price = RewardPrice.objects.create(reward=rewards[1], tier="gold", price=1)
    query = KeptQuery(lambda ids: RewardPrice.objects.filter(reward__among=ids))
    with CaptureQueriesContext(connection) as asked:
        assert read_along(rewards, "tier_prices", query) == [price]
        assert [list(reward.tier_prices.all()) for reward in rewards] == [[], [price]]
        assert rewards[1].tier_prices.all()[0].reward is rewards[1]
        assert read_along([], "tier_prices", query) == []
    assert len(asked) == 1


def test_prepared_statements_are_logged_with_all_others_and_with_their_values():
    make_member()
    with CaptureQueriesContext(connection) as asked:
        assert run_prepared("SELECT count(*) FROM loyalty_wallet WHERE id > %s", [0]) == [
            (Wallet.objects.count(),)
        ]
    assert len(asked) == 2
    assert asked[0]["sql"] == "SELECT count(*) FROM loyalty_wallet WHERE id > 0"
