"""The audit log: written by every service, read by anybody who may, changed by nobody."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone, translation

from members.audit import Difference, action_label, differences, target_kind, target_url
from members.models import AuditEntry, User
from members.selectors.audit import entries_of, filter_entries
from members.services.audit import SYSTEM, Actor, record_audit
from tests.factories import ApiKeyFactory, CustomerFactory, StaffMemberFactory

pytestmark = pytest.mark.django_db


def test_an_entry_cannot_be_changed_or_removed_even_by_sql(actor: Actor) -> None:
    record_audit(actor=actor, action="customer.updated", target=CustomerFactory())
    for statement in (
        "UPDATE members_auditentry SET action = 'x'",
        "DELETE FROM members_auditentry",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert AuditEntry.objects.get().action == "customer.updated"


def test_entries_of_an_object_are_its_own_newest_first(actor: Actor) -> None:
    one, other = CustomerFactory(), CustomerFactory()
    for number in range(3):
        record_audit(actor=actor, action=f"customer.step_{number}", target=one)
        record_audit(actor=actor, action="customer.updated", target=other)
    assert [entry.action for entry in entries_of(one)] == [
        "customer.step_2", "customer.step_1", "customer.step_0",
    ]  # fmt: skip


def test_entries_are_filtered_by_person_action_and_time(actor: Actor, agent: User) -> None:
    customer, sam = CustomerFactory(), Actor.of_user(agent)
    record_audit(actor=actor, action="customer.created", target=customer)
    record_audit(actor=sam, action="customer.updated", target=customer)
    record_audit(actor=SYSTEM, action="customer.updated", target=customer)
    now = timezone.now()
    assert filter_entries(actor=agent).count() == 1
    assert filter_entries(action="customer.updated").count() == 2
    minute = timedelta(minutes=1)
    assert filter_entries(since=now - minute, until=now + minute).count() == 3
    assert not filter_entries(since=now + minute).exists()


def test_who_acted_is_named_even_without_a_person() -> None:
    key = ApiKeyFactory(name="Web shop")
    assert Actor.of_api_key(key).label == "API key Web shop"
    assert SYSTEM.label == "Setia"


def test_a_difference_is_readable(actor: Actor) -> None:
    customer = CustomerFactory()
    entry = record_audit(
        actor=actor,
        action="customer.updated",
        target=customer,
        before={"tags": ["a", "b"], "email": "old@example.com", "birthday": None, "x": {"y": 1}},
        after={"tags": [], "email": "new@example.com", "birthday": "1990-05-12", "x": {"y": 2}},
    )
    entry.refresh_from_db()
    with translation.override("en"):
        assert differences(entry) == [
            Difference("E-mail", "old@example.com", "new@example.com"),
            Difference("Birthday", "", "May 12, 1990"),
            Difference("Tags", "a, b", ""),
            Difference("X", "y: 1", "y: 2"),
        ]


def test_chosen_values_and_instants_are_written_in_words(actor: Actor) -> None:
    staff_member = StaffMemberFactory()
    entry = record_audit(
        actor=actor,
        action="staff.role_changed",
        target=staff_member,
        before={"role": "analyst", "seen": True},
        after={"role": "support_agent", "seen": False, "at": "2026-03-04T12:00:00+00:00"},
    )
    with translation.override("en"):
        assert [(item.before, item.after) for item in differences(entry)] == [
            ("Analyst", "Support agent"),
            ("", "Mar 4, 2026, 12:00 PM"),
            ("✓", "✗"),
        ]


def test_what_nobody_has_named_is_shown_as_it_is() -> None:
    assert action_label("rocket.launched_twice") == "rocket: launched twice"
    assert target_kind("space.rocket:1") == "space.rocket"
    assert target_url("space.rocket:1") == ""
    assert target_url("members.customer:no-uuid") == ""


def test_every_action_of_this_application_has_words() -> None:
    from members.words import ACTIONS

    for action in ACTIONS:
        assert action_label(action) != action.replace(".", ": ").replace("_", " ")
