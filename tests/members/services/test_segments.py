"""Segments: made, changed, worked out, put away; and lists of customers."""

import datetime as dt

import pytest
from django.utils import timezone

from members.errors import ConflictError, DomainError
from members.models import (
    AuditEntry,
    Customer,
    CustomerFacts,
    Job,
    Segment,
    SegmentMember,
    SegmentSize,
)
from members.segment_templates import segment_templates
from members.services.audit import SYSTEM, Actor
from members.services.job_runs import run_job, run_scheduled
from members.services.merging import merge_customers, undo_merge
from members.services.segment_jobs import KIND, find_due, latest_job
from members.services.segment_lists import load_list
from members.services.segment_previews import preview_condition
from members.services.segment_refresh import refresh_customers, refresh_segment
from members.services.segments import (
    add_to_list,
    archive_segment,
    change_segment,
    create_segment,
    remove_from_list,
    restore_segment,
)
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 3, 4, 12, tzinfo=dt.UTC)
GREEK = {"field": "customer.country", "op": "is", "value": "GR"}


def greeks(**details: object) -> Segment:
    values = {"name": "Greeks", "condition": {"all": [GREEK]}, "actor": SYSTEM, "now": NOW}
    return create_segment(**(values | details))


def a_list(**details: object) -> Segment:
    return greeks(name="Guests", kind="static", condition=None, **details)


def work_out(segment: Segment, now: dt.datetime = NOW) -> list[str]:
    refresh_segment(segment, now=now)
    return inside(segment)


def inside(segment: Segment) -> list[str]:
    rows = SegmentMember.objects.filter(segment=segment)
    segment.refresh_from_db()
    names = sorted(rows.values_list("customer__external_id", flat=True))
    assert segment.size == len(names)
    return names


def people(*countries: str) -> list[Customer]:
    return [
        CustomerFactory(external_id=f"c{number}", country=country)
        for number, country in enumerate(countries)
    ]


def test_a_new_segment_is_worked_out_by_a_worker_and_says_who_made_it(actor: Actor) -> None:
    people("GR", "CY", "GR")
    segment = greeks(actor=actor)
    assert (segment.code, segment.refreshed_at) == ("greeks", None)
    run_job(latest_job(segment).pk)
    assert inside(segment) == ["c0", "c2"]
    assert segment.refreshed_at is not None
    assert latest_job(segment).result == {"segments": 1, "came": 2, "gone": 0}
    assert AuditEntry.objects.filter(action="segment.created").get().actor == actor.user
    assert SegmentSize.objects.get().size == 2


def test_codes_follow_the_name_and_do_not_clash() -> None:
    assert [greeks().code for _number in range(3)] == ["greeks", "greeks-2", "greeks-3"]
    with pytest.raises(ConflictError, match="code"):
        greeks(code="greeks")
    assert greeks(name="林", code="").code == "segment"


@pytest.mark.parametrize(
    ("details", "field"),
    [
        ({"name": " "}, "name"), ({"name": "x" * 121}, "name"), ({"code": "No!"}, "code"),
        ({"kind": "other"}, "kind"), ({"condition": {}}, "condition"),
        ({"kind": "static"}, "condition"), ({"description": "x" * 2001}, "description"),
        ({"condition": {"all": [{"field": "order.total", "op": "is", "value": 1}]}},
         "condition.all[0].field"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_at_its_field(details: dict[str, object], field: str) -> None:
    with pytest.raises(DomainError) as refused:
        greeks(**details)
    assert [error.field for error in refused.value.errors] == [field]
    assert not Segment.objects.exists()


def test_a_segment_must_not_lead_back_to_itself() -> None:
    first = greeks()

    def of(code: str) -> dict[str, object]:
        return {"all": [{"field": "customer.segments", "op": "has_any", "value": [code]}]}

    greeks(name="Second", condition=of("greeks"))
    greeks(name="Third", condition=of("second"))
    with pytest.raises(DomainError, match="greeks → third → second → greeks"):
        change_segment(actor=SYSTEM, segment=first, changes={"condition": of("third")})
    with pytest.raises(DomainError, match="greeks → greeks"):
        change_segment(actor=SYSTEM, segment=first, changes={"condition": of("greeks")})


def test_a_segment_of_segments_is_worked_out_after_them() -> None:
    people("GR", "CY")
    named = {"field": "customer.segments", "op": "has_any", "value": ["zz-greeks"]}
    greeks(code="zz-greeks")
    greeks(name="AA first by name", code="aa", condition={"not": named})
    run_scheduled(kind=KIND, now=NOW)
    assert inside(Segment.objects.get(code="aa")) == ["c1"]
    customer = Customer.objects.get(external_id="c0")
    Customer.objects.filter(pk=customer.pk).update(country="CY")
    refresh_customers([customer.pk], now=NOW)
    assert inside(Segment.objects.get(code="aa")) == ["c0", "c1"]


def test_only_differences_are_written_and_who_stays_keeps_their_day() -> None:
    first, second = people("GR", "GR")
    segment = greeks()
    work_out(segment)
    Customer.objects.filter(pk=second.pk).update(country="CY")
    CustomerFactory(external_id="c2", country="GR")
    later = NOW + dt.timedelta(days=1)
    assert work_out(segment, later) == ["c0", "c2"]
    since = dict(SegmentMember.objects.values_list("customer__external_id", "since"))
    assert since == {"c0": NOW, "c2": later}
    assert list(SegmentSize.objects.order_by("day").values_list("size", flat=True)) == [2, 2]
    assert first.external_id == "c0"


def test_changed_customers_follow_in_every_segment_and_others_are_left_alone() -> None:
    first, second = people("CY", "CY")
    segment = greeks()
    work_out(segment)
    Customer.objects.update(country="GR")
    refresh_customers([first.pk], now=NOW)
    assert inside(segment) == ["c0"]
    refresh_customers([first.pk, second.pk], now=NOW)
    assert inside(segment) == ["c0", "c1"]


def test_one_that_was_never_worked_out_waits_for_that() -> None:
    first = people("GR")[0]
    segment = greeks()
    refresh_customers([first.pk], now=NOW)
    assert inside(segment) == []


def test_segments_are_worked_out_once_a_day_of_the_merchant() -> None:
    segment = greeks()
    assert find_due(NOW) is not None
    work_out(segment, NOW)
    assert find_due(NOW + dt.timedelta(hours=1)) is None
    assert find_due(NOW + dt.timedelta(days=1)) is not None


def test_a_condition_that_cannot_be_read_any_more_holds_up_nothing() -> None:
    people("GR")
    broken, segment = greeks(), greeks(name="Fine")
    Segment.objects.filter(pk=broken.pk).update(condition={"field": "gone", "op": "is"})
    job = run_scheduled(kind=KIND, now=NOW)
    assert job.state == Job.State.SUCCEEDED
    assert inside(segment) == ["c0"]
    refresh_customers([Customer.objects.get().pk], now=NOW)


def test_another_condition_is_worked_out_anew_and_the_same_leaves_no_trace() -> None:
    people("GR", "CY")
    segment = greeks()
    work_out(segment)
    condition = {"all": [{**GREEK, "value": "CY"}]}
    assert change_segment(actor=SYSTEM, segment=segment, changes={"condition": condition}).pk
    segment.refresh_from_db()
    assert segment.refreshed_at is None
    run_job(latest_job(segment).pk)
    assert inside(segment) == ["c1"]
    entries = AuditEntry.objects.filter(action="segment.updated")
    change_segment(actor=SYSTEM, segment=segment, changes={"condition": condition})
    assert entries.count() == 1
    with pytest.raises(DomainError, match="cannot be changed"):
        change_segment(actor=SYSTEM, segment=segment, changes={"code": "new"})


def test_a_condition_that_changes_while_it_is_worked_out_is_worked_out_again() -> None:
    segment = greeks()
    first = latest_job(segment)
    Job.objects.filter(pk=first.pk).update(state=Job.State.RUNNING, heartbeat_at=timezone.now())
    changed = {"condition": {"all": [{**GREEK, "value": "CY"}]}}
    change_segment(actor=SYSTEM, segment=segment, changes=changed)
    second = latest_job(segment)
    assert (second.pk != first.pk, second.state) == (True, Job.State.QUEUED)
    change_segment(actor=SYSTEM, segment=segment, changes={"condition": {"all": [GREEK]}})
    assert latest_job(segment) == second


def test_what_is_in_use_is_not_put_away() -> None:
    segment = greeks()
    named = {"field": "customer.segments", "op": "has_any", "value": ["greeks"]}
    other = greeks(name="Others", condition={"not": named})
    with pytest.raises(ConflictError, match="Others"):
        archive_segment(actor=SYSTEM, segment=segment, now=NOW)
    archive_segment(actor=SYSTEM, segment=other, now=NOW)
    archive_segment(actor=SYSTEM, segment=segment, now=NOW)
    with pytest.raises(DomainError):
        restore_segment(actor=SYSTEM, segment=other)
    restore_segment(actor=SYSTEM, segment=segment)
    assert restore_segment(actor=SYSTEM, segment=other).archived_at is None


def test_customers_are_put_on_a_list_and_taken_off_once() -> None:
    customer = people("GR")[0]
    guests = a_list()
    for _time in range(2):
        add_to_list(actor=SYSTEM, segment=guests, customer=customer, now=NOW)
    assert inside(guests) == ["c0"]
    assert AuditEntry.objects.filter(action="segment.customer_added").count() == 1
    assert remove_from_list(actor=SYSTEM, segment=guests, customer=customer, now=NOW)
    assert not remove_from_list(actor=SYSTEM, segment=guests, customer=customer, now=NOW)
    assert inside(guests) == []
    with pytest.raises(ConflictError, match="condition"):
        add_to_list(actor=SYSTEM, segment=greeks(), customer=customer, now=NOW)


def test_a_file_names_customers_by_number_or_address_and_says_which_rows_name_nobody() -> None:
    people("GR", "CY", "MY")
    CustomerFactory(external_id="x", email="Anna@example.com")
    guests = a_list()
    file = b"email\nc0\nanna@EXAMPLE.com,Anna\n\nnobody@example.com\nc0\nghost\n"
    loaded = load_list(actor=SYSTEM, segment=guests, content=file, now=NOW)
    assert (loaded.added, loaded.already) == (2, 0)
    assert [(error.row, error.value) for error in loaded.errors] == [
        (5, "nobody@example.com"), (7, "ghost"),
    ]  # fmt: skip
    again = load_list(actor=SYSTEM, segment=guests, content=file, now=NOW)
    assert (again.added, again.already) == (0, 2)
    other = load_list(actor=SYSTEM, segment=guests, content=b"c1\nc0", replace=True, now=NOW)
    assert (other.added, other.removed) == (1, 1)
    assert inside(guests) == ["c0", "c1"]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xff\xfe", b"email\n", b"ghost"])
def test_a_file_that_names_nobody_empties_no_list(content: bytes) -> None:
    customer = people("GR")[0]
    guests = a_list()
    add_to_list(actor=SYSTEM, segment=guests, customer=customer, now=NOW)
    with pytest.raises(DomainError):
        load_list(actor=SYSTEM, segment=guests, content=content, replace=True, now=NOW)
    assert inside(guests) == ["c0"]


def test_a_merged_customer_counts_once_on_a_list_and_twice_after_it_is_undone(
    actor: Actor,
) -> None:
    first, second = people("GR", "GR")
    both, one = a_list(), a_list()
    load_list(actor=SYSTEM, segment=both, content=b"c0\nc1", now=NOW)
    load_list(actor=SYSTEM, segment=one, content=b"c1", now=NOW)

    def sizes() -> list[int]:
        return [Segment.objects.get(pk=each.pk).size for each in (both, one)]

    merge, _warnings = merge_customers(
        actor=actor, kept=first, merged=second, now=NOW, source="backoffice"
    )
    assert sizes() == [1, 1]
    undo_merge(actor=actor, merge=merge, now=NOW, source="backoffice")
    assert sizes() == [2, 1]


def test_a_condition_is_tried_before_it_is_saved() -> None:
    people("GR", "CY", "GR")
    preview = preview_condition({"all": [GREEK]}, now=NOW)
    assert (preview.count, preview.total) == (2, 3)
    assert [customer.external_id for customer in preview.sample] == ["c2", "c0"]


def test_who_waits_too_long_is_told_so_and_the_transaction_goes_on(monkeypatch) -> None:
    from django.db.models import Func, IntegerField, Q

    from members.services import segment_previews

    slow = Customer.objects.annotate(
        slow=Func(template="length(pg_sleep(1)::text)",
                  output_field=IntegerField())
    ).filter(Q(slow__gt=-1))  # fmt: skip
    CustomerFactory()
    monkeypatch.setattr(segment_previews, "customers_matching", lambda _node, _moment: slow)
    with pytest.raises(DomainError, match="too long"):
        preview_condition({"all": [GREEK]}, now=NOW, milliseconds=50)
    assert Customer.objects.count() == 1


def test_ready_segments_can_all_be_asked_and_find_their_customers() -> None:
    templates = {template.key: template for template in segment_templates()}
    assert set(templates) >= {
        "best", "at-risk", "lapsed", "new", "price-sensitive", "advocates",
    }  # fmt: skip
    now = timezone.now()

    def customer(name: str, first: int, last: int, orders: int, **facts: object) -> None:
        CustomerFacts.objects.create(
            customer=CustomerFactory(external_id=name), as_of=now, orders=orders,
            first_order_at=now - dt.timedelta(days=first),
            last_order_at=now - dt.timedelta(days=last), **facts,
        )  # fmt: skip

    customer("new", 3, 3, 1, spend_percentile=10)
    customer("late", 100, 50, 6, spend_percentile=90)
    customer("gone", 400, 200, 2, spend_percentile=20, goods=100, discounts=30)
    customer("fan", 90, 40, 2, activities={"review": 2})
    found = {
        key: [who.external_id for who in preview_condition(one.condition, now=now).sample]
        for key, one in templates.items()
    }
    assert found["best"] == ["late"]
    assert found["new"] == ["new"]
    assert found["lapsed"] == ["gone"]
    assert found["price-sensitive"] == ["gone"]
    assert found["advocates"] == ["fan"]
    assert found["at-risk"] == []
    customer("due", 130, 30, 11, spend_percentile=50)
    found = preview_condition(templates["at-risk"].condition, now=now).sample
    assert [who.external_id for who in found] == ["due"]
