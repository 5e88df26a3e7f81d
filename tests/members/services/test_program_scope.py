"""Roles that are limited to programs: said, kept, and asked by every manager."""

import pytest
from django.apps import apps
from django.http import HttpResponse
from django.test import RequestFactory

from campaigns.models import Delivery, Message
from campaigns.selectors.messages import get_delivery
from campaigns.services.contact_addresses import name_address
from loyalty.models import Membership, Order, Program
from members.errors import ConflictError, DomainError, NotFoundError
from members.models import AuditEntry, Customer, StaffMember
from members.origins import API, coming_by
from members.policy import is_allowed
from members.program_scope import (
    ProgramScopeMiddleware,
    limited_to,
    program_of,
    programs_in_scope,
    registered_ways,
)
from members.selectors.audit import entries_of, filter_entries
from members.selectors.audit_seals import verify_chain
from members.selectors.merges import current
from members.services.audit import SYSTEM, record_audit
from members.services.audit_seals import seal_entries
from members.services.merging import merge_customers
from members.services.staff import change_role, invite_staff
from rewards.models import Storefront
from rewards.selectors.storefront import get_storefront
from tests.factories import StaffMemberFactory
from tests.loyalty.factories import NOW, make_program, make_wallet, order, record

Role = StaffMember.Role
# What names a program, or something of one, and is not of it: people and the shop's own.
OF_NOBODY = {
    "loyalty.ActivityType", "campaigns.ForumTask", "campaigns.ForumSignIn",
}  # fmt: skip


def test_every_model_that_leads_to_a_program_says_how() -> None:
    """A new one without a way would be seen by everybody."""
    ways = registered_ways()
    leading = set(ways)
    missing = {
        model._meta.label
        for model in apps.get_models()
        if model._meta.app_label in {"members", "loyalty", "rewards", "campaigns"}
        and model not in ways
        and any(
            field.related_model in leading
            for field in model._meta.concrete_fields
            if field.is_relation
        )
    }
    assert missing - OF_NOBODY == set()


@pytest.mark.django_db
def test_a_customer_of_two_programs_is_seen_with_the_membership_of_one() -> None:
    mine = make_program("mine", enrollment="explicit")
    other = make_program("other", enrollment="explicit")
    make_wallet(mine, "both")
    make_wallet(other, "both")
    make_wallet(other, "theirs")
    Customer.objects.create(external_id="nobody")
    record(order("A1", buyer="both"), order("A2", buyer="theirs"))
    with limited_to([mine.pk]):
        assert [row.program for row in Membership.objects.all()] == [mine]
        found = set(Customer.objects.values_list("external_id", flat=True))
        assert found == {"both", "nobody"}
        assert [row.external_id for row in Order.objects.all()] == ["A1"]
        assert Program.objects.count() == 1
    with limited_to([]):
        assert (Program.objects.count(), Order.objects.count()) == (2, 2)


@pytest.mark.django_db
def test_who_was_merged_is_seen_by_those_who_see_whom_they_are_now() -> None:
    mine = make_program("mine", enrollment="explicit")
    other = make_program("other", enrollment="explicit")
    make_wallet(other, "kept")
    make_wallet(other, "double")
    kept, double = (Customer.objects.get(external_id=name) for name in ("kept", "double"))
    merge_customers(kept=kept, merged=double, actor=SYSTEM, source="test", now=NOW)
    with limited_to([mine.pk]):
        assert not Customer.objects.exists()
    with limited_to([other.pk]):
        assert Customer.objects.count() == 2


@pytest.mark.django_db
def test_a_write_that_concerns_several_programs_sees_all_of_them() -> None:
    mine, other = make_program("mine"), make_program("other")
    make_wallet(mine, "both")
    make_wallet(other, "both")
    with limited_to([mine.pk]):
        record(order("A1", buyer="both"))
    assert Order.objects.get().evaluations.count() == 2


@pytest.mark.django_db
def test_who_is_limited_does_nothing_that_concerns_everybody() -> None:
    program = make_program()
    limited = StaffMemberFactory(role=Role.MARKETING_MANAGER, programs=[program.pk]).user
    colleague = StaffMemberFactory(role=Role.MARKETING_MANAGER).user
    for action in ("programs.create", "segments.edit", "messages.edit", "imports.run"):
        assert is_allowed(colleague, action)
        assert not is_allowed(limited, action)
    assert is_allowed(limited, "programs.edit")


@pytest.mark.django_db
def test_who_is_limited_neither_erases_nor_hands_out_what_other_programs_know_too() -> None:
    program = make_program()
    limited = StaffMemberFactory(role=Role.SUPPORT_AGENT, programs=[program.pk]).user
    colleague = StaffMemberFactory(role=Role.SUPPORT_AGENT).user
    for action in ("customers.erase", "customers.export"):
        assert is_allowed(colleague, action)
        assert not is_allowed(limited, action)
    assert is_allowed(limited, "customers.edit")


@pytest.mark.django_db
@pytest.mark.parametrize("prefix", ["", "/shop"])
def test_screens_are_limited_also_below_a_path_of_the_server(prefix: str) -> None:
    program = make_program()
    request = RequestFactory().get("/backoffice/customers/", SCRIPT_NAME=prefix)
    request.user = StaffMemberFactory(role=Role.ANALYST, programs=[program.pk]).user
    seen = []

    def answer(_request: object) -> HttpResponse:
        seen.append(programs_in_scope())
        return HttpResponse()

    ProgramScopeMiddleware(answer)(request)
    assert seen == [{program.pk}]
    assert programs_in_scope() is None


@pytest.mark.django_db
def test_the_limits_are_written_down_and_go_with_an_administrators_role() -> None:
    program = make_program(name="Harvest")
    person = invite_staff(
        actor=SYSTEM, email="kim@example.com", name="Kim", role=Role.ANALYST, programs=[program.pk]
    )
    entry = AuditEntry.objects.get(action="staff.invited")
    assert entry.after["programs"] == "Harvest"
    changed = change_role(actor=SYSTEM, staff_member=person, role=Role.SUPPORT_AGENT)
    assert changed.programs == [program.pk]
    changed = change_role(actor=SYSTEM, staff_member=person, role=Role.SUPPORT_AGENT, programs=[])
    entry = AuditEntry.objects.filter(action="staff.role_changed").latest("pk")
    assert (entry.before, entry.after) == ({"programs": "Harvest"}, {"programs": ""})
    change_role(actor=SYSTEM, staff_member=person, role=Role.ANALYST, programs=[program.pk])
    raised = change_role(actor=SYSTEM, staff_member=person, role=Role.ADMINISTRATOR)
    assert raised.programs == []


@pytest.mark.django_db
@pytest.mark.parametrize(("role", "missing"), [(Role.ADMINISTRATOR, 0), (Role.ANALYST, 1)])
def test_limits_that_make_no_sense_are_refused_at_the_field(role: str, missing: int) -> None:
    pk = make_program().pk + missing
    with pytest.raises(DomainError) as refused:
        invite_staff(actor=SYSTEM, email="k@example.com", name="Kim", role=role, programs=[pk])
    assert refused.value.errors[0].field == "programs"


@pytest.mark.django_db
def test_an_entry_says_how_it_came_and_about_which_program_and_is_sealed_with_it() -> None:
    program, other = make_program("mine"), make_program("other")
    member = Membership.objects.get(account=make_wallet(program).account_id)
    before = record_audit(actor=SYSTEM, action="points.adjusted", target=member.customer)
    with coming_by(API, "Web shop", RequestFactory().get("/", REMOTE_ADDR="203.0.113.7")):
        entry = record_audit(
            actor=SYSTEM, action="points.adjusted", target=member.customer, about=member,
            reason="Goodwillword",
        )  # fmt: skip
    assert (entry.way, entry.way_name, entry.place) == ("api", "Web shop", "203.0.113.…")
    assert entry.program == program.pk == program_of(member)
    assert (before.way, before.place, before.program) == ("", "", None)
    seal_entries(now=NOW)
    assert verify_chain(NOW).flaw_count == 0
    assert [row.pk for row in filter_entries(text="goodwillWORD", way="api")] == [entry.pk]
    assert list(filter_entries(text="goodwillword", way="job")) == []
    with limited_to([program.pk]):
        assert entry in filter_entries()
        assert before not in filter_entries()
    with limited_to([other.pk]):
        assert entry not in filter_entries()
        of_customer = entries_of(member.customer)
        assert before in of_customer
        assert entry not in of_customer


@pytest.mark.django_db
def test_what_is_kept_for_everybody_is_there_for_whoever_asks() -> None:
    """Also where it names a program that they do not see, or a customer."""
    mine, other = make_program("mine", enrollment="explicit"), make_program("other")
    with limited_to([mine.pk]):
        made = get_storefront()
    Storefront.objects.update(program=other)
    with limited_to([mine.pk]):
        assert get_storefront() == made
    make_wallet(mine, "ana")
    make_wallet(other, "ben")
    ana, ben = (Customer.objects.get(external_id=name) for name in ("ana", "ben"))
    said = {"channel": "whatsapp", "address": "+60123456789", "actor": SYSTEM, "now": NOW}
    name_address(customer=ben, **said)
    with limited_to([mine.pk]), pytest.raises(ConflictError) as refused:
        name_address(customer=ana, **said)
    assert refused.value.code == "taken"


@pytest.mark.django_db
def test_a_message_to_a_duplicate_names_only_whom_the_reader_sees() -> None:
    mine, third = make_program("mine", enrollment="explicit"), make_program("third")
    make_wallet(mine, "double")
    make_wallet(make_program("other", enrollment="explicit"), "kept")
    kept, double = (Customer.objects.get(external_id=name) for name in ("kept", "double"))
    message = Message.objects.create(
        customer=double, occasion="welcome", occurrence="one", created_at=NOW
    )
    sent = Delivery.objects.create(
        message=message, channel="email", state="queued", priority=1, available_at=NOW
    )
    merge_customers(kept=kept, merged=double, actor=SYSTEM, source="test", now=NOW)
    with limited_to([mine.pk]):
        # The membership is whose the duplicate is now: they are on the reader's list.
        found = current(get_delivery(sent.public_id).message.customer)
        assert found in Customer.objects.all()
    with limited_to([third.pk]), pytest.raises(NotFoundError):
        get_delivery(sent.public_id)
