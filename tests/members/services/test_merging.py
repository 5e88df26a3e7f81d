"""Two customers become one and part again: details, notes, who is found and who signs in."""

import datetime as dt

import pytest
from allauth.account.models import EmailAddress
from django.db import DatabaseError, transaction
from django.utils import timezone

from members import merging
from members.errors import ConflictError, DomainError
from members.merging import uncovered_fields
from members.models import (
    AuditEntry,
    Customer,
    CustomerFacts,
    CustomerMerge,
    CustomerNote,
    Segment,
    SegmentMember,
    User,
)
from members.selectors.customer_search import search_customers
from members.selectors.customers import count_customers, get_customer_by_external_id
from members.selectors.erased import erased_at
from members.selectors.segments import segments_of
from members.services.audit import SYSTEM, Actor
from members.services.customers import (
    add_note,
    create_customer,
    erase_customer_details,
    update_customer,
)
from members.services.merging import merge_customers, preview_merge, preview_undo, undo_merge
from members.services.sign_in import link_customer, provide_user
from members.timeline import list_timeline
from tests.factories import CustomerFactory, UserFactory

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def anna() -> Customer:
    return CustomerFactory(
        given_name="Anna", family_name="Kowalska", email="anna@example.com", phone="+60123456789",
        external_id="K-1", tags=["vip"], attributes={"size": 38},
    )  # fmt: skip


@pytest.fixture
def ana() -> Customer:
    """The same person under another address."""
    return CustomerFactory(
        given_name="Ana", family_name="", email="ana.k@example.org", phone="+60198765432",
        external_id="K-2", birthday=dt.date(1990, 5, 1), tags=["vip", "news"],
        attributes={"size": 40, "pet": "cat"},
    )  # fmt: skip


def merge(kept: Customer, merged: Customer, *, reason: str = "", actor: Actor = SYSTEM):
    done, _replayed = merge_customers(
        kept=kept, merged=merged, actor=actor, source="api", now=NOW, reason=reason
    )
    return done


def part(merge: CustomerMerge) -> None:
    undo_merge(merge=merge, actor=SYSTEM, source="api", now=NOW)


def state(*customers: Customer) -> list[dict[str, object]]:
    """Everything of these rows but the time of their last change."""
    rows = Customer.objects.filter(pk__in=[c.pk for c in customers]).order_by("pk").values()
    return [{k: v for k, v in row.items() if k != "updated_at"} for row in rows]


def test_the_kept_ones_own_details_win_and_gaps_are_filled(anna, ana):
    merge(anna, ana)
    anna.refresh_from_db()
    assert (anna.given_name, anna.email, anna.phone) == ("Anna", "anna@example.com", "+60123456789")
    assert anna.birthday == dt.date(1990, 5, 1)
    assert anna.tags == ["vip", "news"]
    assert anna.attributes == {"size": 38, "pet": "cat"}
    ana.refresh_from_db()
    assert (ana.merged_into, ana.email, ana.external_id) == (anna, "ana.k@example.org", "K-2")


def test_what_only_one_can_have_goes_over_and_comes_back(ana):
    known = CustomerFactory(given_name="Anna", email="", external_id=None)
    before = state(known, ana)
    done = merge(known, ana)
    known.refresh_from_db()
    assert (known.email, known.external_id, known.phone) == (
        "ana.k@example.org", "K-2", "+60198765432",
    )  # fmt: skip
    part(done)
    assert state(known, ana) == before


def test_parting_leaves_two_as_they_were(anna, ana):
    add_note(customer=ana, actor=SYSTEM, text="Likes calls.")
    before = state(anna, ana)
    done = merge(anna, ana)
    assert CustomerNote.objects.get().customer == anna
    part(done)
    assert state(anna, ana) == before
    assert CustomerNote.objects.get().customer == ana


def test_what_was_changed_meanwhile_stays(anna, ana):
    Customer.objects.filter(pk=anna.pk).update(phone="")
    anna.refresh_from_db()
    done = merge(anna, ana)
    update_customer(
        customer=anna, actor=SYSTEM, changes={"phone": "+60111111111", "birthday": "1991-01-01"}
    )
    part(done)
    anna.refresh_from_db()
    ana.refresh_from_db()
    assert (anna.phone, anna.birthday) == ("+60111111111", dt.date(1991, 1, 1))
    assert (ana.phone, ana.birthday) == ("+60198765432", dt.date(1990, 5, 1))


@pytest.mark.parametrize("typed", ["ana.k@example.org", "+60198765432", "K-2", "ana.k", "Ana"])
def test_the_old_details_find_who_is_kept(anna, ana, typed):
    merge(anna, ana)
    assert [hit.customer for hit in search_customers(typed)] == [anna]


def test_who_was_merged_is_no_customer_any_more(anna, ana):
    merge(anna, ana)
    assert count_customers() == 1
    assert [hit.customer for hit in search_customers("")] == [anna]
    assert get_customer_by_external_id("K-2") == anna


@pytest.mark.parametrize("signed_in", [True, False])
def test_the_old_address_signs_in_as_who_is_kept(anna, ana, signed_in):
    if signed_in:
        ana.user = UserFactory(email=ana.email)
        ana.save()
    merge(anna, ana)
    user = provide_user("ana.k@example.org")
    assert user is not None
    EmailAddress.objects.filter(user=user).update(verified=True)
    assert link_customer(user) == anna
    assert link_customer(user) == anna


def test_an_address_that_goes_over_takes_its_sign_in_along(ana):
    known = CustomerFactory(email="")
    user = UserFactory(email=ana.email)
    Customer.objects.filter(pk=ana.pk).update(user=user)
    done = merge(known, ana)
    known.refresh_from_db()
    assert known.user == user
    # Whoever is given another address has to prove it; the former one opens nothing.
    update_customer(customer=known, actor=SYSTEM, changes={"email": "new@example.com"})
    assert not Customer.objects.filter(user=user).exists()
    part(done)
    ana.refresh_from_db()
    assert (ana.email, ana.user) == ("ana.k@example.org", None)


def test_the_kept_one_may_take_what_a_duplicate_still_has(anna, ana):
    done = merge(anna, ana)
    update_customer(customer=anna, actor=SYSTEM, changes={"phone": "+60198765432"})
    assert [hit.customer for hit in search_customers("+60198765432")] == [anna]
    part(done)
    ana.refresh_from_db()
    assert ana.phone == ""
    with pytest.raises(ConflictError):
        create_customer(actor=SYSTEM, phone="+60198765432")


def test_who_was_merged_is_not_changed(anna, ana):
    merge(anna, ana)
    with pytest.raises(ConflictError) as refused:
        update_customer(customer=ana, actor=SYSTEM, changes={"given_name": "X"})
    assert refused.value.code == "customer_merged"
    ana.refresh_from_db()
    with pytest.raises(ConflictError):
        add_note(customer=ana, actor=SYSTEM, text="x")


# --- Order and repeats ---------------------------------------------------------------------------


def test_nobody_is_merged_with_themselves(anna):
    with pytest.raises(DomainError) as refused:
        merge(anna, anna)
    assert refused.value.code == "same_customer"


def test_who_was_merged_away_is_neither_merged_again_nor_merged_into(anna, ana):
    other = CustomerFactory()
    merge(anna, ana)
    ana.refresh_from_db()
    for kept, merged in ((other, ana), (ana, other), (ana, anna)):
        with pytest.raises(ConflictError) as refused:
            merge(kept, merged)
        assert refused.value.code == "customer_merged"
        assert (
            "was merged into Anna Kowalska"
            in preview_merge(kept=kept, merged=merged, now=NOW).problem
        )
    assert CustomerMerge.objects.count() == 1


def test_a_merge_is_undone_before_those_that_it_led_to(anna, ana):
    other = CustomerFactory(given_name="Other", family_name="One")
    first = merge(anna, ana)
    second = merge(other, anna)
    ana.refresh_from_db()
    assert ana.merged_into == other
    with pytest.raises(ConflictError) as refused:
        part(first)
    assert refused.value.code == "merged_since"
    first.refresh_from_db()
    assert "Undo that first" in preview_undo(merge=first, now=NOW).problem
    part(second)
    ana.refresh_from_db()
    assert ana.merged_into == anna
    part(first)
    ana.refresh_from_db()
    assert ana.merged_into is None


def test_two_duplicates_part_in_any_order(anna, ana):
    third = CustomerFactory(birthday=None, phone="")
    first, second = merge(anna, ana), merge(anna, third)
    part(first)
    assert search_customers("K-2")[0].customer == ana
    assert search_customers(third.email)[0].customer == anna
    part(second)
    assert count_customers() == 3


def test_a_reason_is_short(anna, ana):
    with pytest.raises(DomainError) as refused:
        merge(anna, ana, reason="x" * 301)
    assert [error.field for error in refused.value.errors] == ["reason"]


def test_a_merge_that_fails_on_the_way_leaves_nothing(anna, ana, monkeypatch):
    def fail(_merging: object) -> dict[str, object]:
        raise DatabaseError("disk full")

    broken = merging.MergeHandler(
        fields=(), preview=lambda *_: [], merge=fail, undo=lambda *_: None,
        preview_undo=lambda *_: [],
    )  # fmt: skip
    monkeypatch.setitem(merging._handlers, "zzz", (999, broken))
    before = state(anna, ana)
    with pytest.raises(DatabaseError), transaction.atomic():
        merge(anna, ana)
    assert (state(anna, ana), CustomerMerge.objects.count()) == (before, 0)


@pytest.mark.parametrize("wrong", ["into itself", "in two steps"])
def test_the_database_refuses_a_longer_way(anna, ana, wrong):
    target = ana
    if wrong == "in two steps":
        Customer.objects.filter(pk=anna.pk).update(merged_into=CustomerFactory())
        target = anna
    with pytest.raises(DatabaseError), transaction.atomic():
        Customer.objects.filter(pk=ana.pk).update(merged_into=target)


# --- What is told --------------------------------------------------------------------------------


def test_the_preview_says_what_there_will_be(anna, ana):
    Customer.objects.filter(pk=anna.pk).update(phone="")
    anna.refresh_from_db()
    sections = preview_merge(kept=anna, merged=ana, now=NOW).sections
    section = next(section for section in sections if section.icon == "id")
    rows = {row.label: row for row in section.rows}
    assert (rows["Phone"].kept, rows["Phone"].after, rows["Phone"].note) == (
        "", "+60 19-876 5432", "Taken over",
    )  # fmt: skip
    assert rows["E-mail"].after == "anna@example.com"
    assert "still finds and signs in" in rows["E-mail"].note
    assert rows["Tags"].after == "vip, news"
    before = state(anna, ana)
    assert (before, CustomerMerge.objects.count()) == (state(anna, ana), 0)


def test_both_timelines_and_the_audit_log_tell_of_it(anna, ana, actor):
    done = merge(anna, ana, reason="Wrote to us from both addresses", actor=actor)
    titles = [event.title for event in list_timeline(anna)]
    assert "Merged with the duplicate Ana" in titles
    told = next(event for event in list_timeline(ana) if event.title.startswith("Merged into"))
    assert (told.text, told.actor) == ("Wrote to us from both addresses", "Ada Admin")
    part(done)
    assert "The merge with Anna Kowalska was undone" in [e.title for e in list_timeline(ana)]
    actions = list(AuditEntry.objects.filter(action__contains="merge").values_list("action"))
    assert sorted(action for (action,) in actions) == [
        "customer.merge_undone", "customer.merge_undone", "customer.merged",
        "customer.merged_away",
    ]  # fmt: skip


def test_every_foreign_key_to_a_customer_is_looked_after():
    assert uncovered_fields(merging.merge_handlers().values()) == set()
    assert "members.customernote.customer" in uncovered_fields([])


def test_the_user_of_an_unknown_address_is_not_linked(anna, ana):
    merge(anna, ana)
    assert User.objects.count() == 0
    assert provide_user("nobody@example.com") is None


def test_lists_follow_a_merge_and_what_was_worked_out_is_forgotten(anna, ana):
    lists = [Segment.objects.create(code=code, name=code, kind="static") for code in ("a", "b")]
    rule = Segment.objects.create(code="c", name="c", condition={})
    for segment, customer in ((lists[0], anna), (lists[0], ana), (lists[1], ana), (rule, ana)):
        SegmentMember.objects.create(segment=segment, customer=customer, since=NOW)
    CustomerFacts.objects.create(customer=ana, as_of=NOW)
    done = merge(anna, ana)
    assert segments_of([anna.pk])[anna.pk] == {"a", "b"}
    assert not CustomerFacts.objects.exists()
    part(done)
    assert segments_of([anna.pk, ana.pk]) == {anna.pk: {"a"}, ana.pk: {"a", "b", "c"}}


def test_who_is_erased_is_erased_under_each_name_and_stays_so_when_they_are_parted(anna, ana):
    anna.phone = ""
    anna.save()
    done = merge(anna, ana)
    anna.refresh_from_db()
    assert anna.phone == "+60198765432"
    erase_customer_details(customer=anna, actor=SYSTEM)
    part(done)
    for row in Customer.objects.all():
        assert erased_at(row) is not None
        assert (row.given_name, row.email, row.phone, row.birthday) == ("", "", "", None)
        assert (row.tags, row.attributes, row.merged_into) == ([], {}, None)
    assert set(Customer.objects.values_list("external_id", flat=True)) == {"K-1", "K-2"}
    done.refresh_from_db()
    assert "+60198765432" not in str(done.record)
    said = str(list(AuditEntry.objects.values()))
    for word in ("Ana", "Anna", "Kowalska"):
        assert word not in said


def test_the_log_does_not_name_who_was_parted_and_is_erased_then(anna, ana):
    part(merge(anna, ana))
    erase_customer_details(customer=ana, actor=SYSTEM)
    said = str(list(AuditEntry.objects.values()))
    assert "'Ana'" not in said
    assert "Anna Kowalska" in said
