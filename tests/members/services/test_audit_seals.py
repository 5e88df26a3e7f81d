"""The chain over the audit log: it names what was tampered with, and lets people be forgotten."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from members.models import AuditEntry, AuditSeal, Job
from members.selectors.audit_seals import Flaw, head, verify_chain
from members.services.audit import SYSTEM, Actor, record_audit
from members.services.audit_jobs import CHECK, SEAL, check_words, latest_check
from members.services.audit_seals import seal_entries
from members.services.customers import erase_customer_details
from members.services.job_runs import run_scheduled
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db


@contextmanager
def tampering() -> Iterator[Callable[[str], None]]:
    """SQL of somebody who switches the triggers off first."""

    def run(statement: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(statement)
            cursor.execute("SET LOCAL session_replication_role = origin")

    yield run


@pytest.fixture
def entries(actor: Actor) -> list[AuditEntry]:
    customer = CustomerFactory(given_name="Anna")
    written = [
        record_audit(
            actor=actor, action=f"customer.step_{number}", target=customer,
            before={"email": None}, after={"email": f"anna{number}@example.com", "n": 1.5},
        )
        for number in range(5)
    ]  # fmt: skip
    seal_entries(now=timezone.now())
    return written


def flaws() -> list[Flaw]:
    return verify_chain(timezone.now()).flaws


def test_every_entry_has_a_link_and_the_chain_holds(entries: list[AuditEntry]) -> None:
    sealed = AuditSeal.objects.values_list("entry_id", flat=True)
    assert list(sealed) == list(AuditEntry.objects.order_by("pk").values_list("pk", flat=True))
    assert seal_entries(now=timezone.now()) == 0
    assert flaws() == []


def test_batches_are_one_chain(actor: Actor, entries: list[AuditEntry]) -> None:
    for number in range(5):
        record_audit(actor=actor, action=f"later.{number}", target=CustomerFactory())
    while seal_entries(now=timezone.now(), limit=2):
        pass
    assert AuditSeal.objects.count() == AuditEntry.objects.count()
    assert flaws() == []


@pytest.mark.parametrize(
    "change",
    [
        "action = 'x'", "target = 'x'", "at = at + interval '1 microsecond'", "actor_id = NULL",
        "actor_label = 'x'", "target_label = 'x'", "reason = 'x'", "before = '{}'",
        """after = '{"email": "eve@example.com", "n": 1.5}'""", "erased_at = now()",
    ],
)  # fmt: skip
def test_a_changed_entry_is_named(entries: list[AuditEntry], change: str) -> None:
    with tampering() as run:
        run(f"UPDATE members_auditentry SET {change} WHERE id = {entries[2].pk}")
    assert [flaw.entry_id for flaw in flaws()] == [entries[2].pk]


def test_a_removed_entry_is_named_and_so_is_a_removed_link(entries: list[AuditEntry]) -> None:
    with tampering() as run:
        run(f"DELETE FROM members_auditentry WHERE id = {entries[1].pk}")
        run(f"DELETE FROM members_auditseal WHERE entry_id = {entries[3].pk}")
    found = verify_chain(timezone.now() + timedelta(hours=2)).flaws
    assert found == [
        Flaw(entries[1].pk, "removed"),
        Flaw(entries[4].pk, "broken"),
        Flaw(entries[3].pk, "unsealed"),
    ]


def test_a_link_made_anew_for_a_changed_entry_breaks_the_next(entries: list[AuditEntry]) -> None:
    with tampering() as run:
        run(f"UPDATE members_auditseal SET digest = content WHERE entry_id = {entries[2].pk}")
    assert [flaw.entry_id for flaw in flaws()] == [entries[2].pk, entries[3].pk]


def test_a_whole_chain_made_anew_has_not_the_head_that_was_noted(
    entries: list[AuditEntry],
) -> None:
    noted = head()
    assert noted is not None
    assert verify_chain(timezone.now(), [noted]).flaws == []
    with tampering() as run:
        run("DELETE FROM members_auditseal")
        run(f"UPDATE members_auditentry SET reason = 'x' WHERE id = {entries[0].pk}")
    seal_entries(now=timezone.now())
    assert flaws() == []
    assert [flaw.what for flaw in verify_chain(timezone.now(), [noted]).flaws] == ["noted"]


def test_links_cannot_be_changed_or_removed_by_sql(entries: list[AuditEntry]) -> None:
    for statement in (
        "DELETE FROM members_auditseal",
        "UPDATE members_auditseal SET digest = content, salt = NULL",
        "UPDATE members_auditseal SET salt = content",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert flaws() == []


def test_somebody_is_forgotten_and_the_chain_still_holds(actor: Actor) -> None:
    anna = CustomerFactory(given_name="Anna", email="anna@example.com")
    entry = record_audit(
        actor=actor, action="customer.updated", target=anna,
        before={"email": None}, after={"email": "anna@example.com"}, reason="She rang",
    )  # fmt: skip
    seal_entries(now=timezone.now())
    erase_customer_details(actor=actor, customer=anna)
    entry.refresh_from_db()
    assert entry.after == {"email": None}
    # Nothing is left from which it could be guessed what was in it.
    assert AuditSeal.objects.get(entry_id=entry.pk).salt is None
    assert flaws() == []
    seal_entries(now=timezone.now())
    assert AuditSeal.objects.filter(entry_id=entry.pk).count() == 2
    assert seal_entries(now=timezone.now()) == 0
    assert flaws() == []
    with tampering() as run:
        run(f"UPDATE members_auditentry SET reason = 'x' WHERE id = {entry.pk}")
    assert flaws() == [Flaw(entry.pk, "changed")]


def test_jobs_seal_what_waits_and_name_the_first_that_was_changed(actor: Actor) -> None:
    entry = record_audit(actor=actor, action="a.b", target=CustomerFactory())
    now = timezone.now()
    assert run_scheduled(kind=SEAL, now=now) is not None
    assert run_scheduled(kind=SEAL, now=now) is None
    fine = run_scheduled(kind=CHECK, now=now)
    assert fine is not None
    assert "all hold" in check_words(fine) or "it holds" in check_words(fine)
    with tampering() as run:
        run(f"UPDATE members_auditentry SET reason = 'x' WHERE id = {entry.pk}")
    broken = run_scheduled(kind=CHECK, now=now)
    assert broken is not None
    assert broken.state == Job.State.SUCCEEDED
    assert check_words(broken).startswith(f"Entry {entry.pk} is not what it was")
    assert latest_check() == broken
    assert broken.log_lines.filter(level="error").count() == 1


def test_the_command_says_what_holds_and_what_does_not(entries: list[AuditEntry]) -> None:
    out = io.StringIO()
    call_command("verify_audit", stdout=out)
    printed = out.getvalue().strip().rpartition(" ")[2]
    call_command("verify_audit", noted=[printed], stdout=io.StringIO())
    with pytest.raises(CommandError, match="is no head"):
        call_command("verify_audit", noted=["x"])
    with tampering() as run:
        run(f"UPDATE members_auditentry SET reason = 'x' WHERE id = {entries[2].pk}")
    err = io.StringIO()
    with pytest.raises(CommandError, match="1 flaws in 5 seals"):
        call_command("verify_audit", stdout=io.StringIO(), stderr=err)
    assert f"Entry {entries[2].pk} is not what it was" in err.getvalue()


def test_writing_an_entry_makes_no_link(actor: Actor) -> None:
    record_audit(actor=SYSTEM, action="a.b", target=CustomerFactory())
    assert not AuditSeal.objects.exists()
