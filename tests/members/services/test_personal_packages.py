"""Files with what is known of a person: asked for, made by a job, fetched, and gone again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from members.errors import ConflictError
from members.models import (
    AuditEntry,
    Customer,
    Job,
    PersonalPackage,
    PersonalPackagePart,
)
from members.selectors.merges import get_merge_of
from members.selectors.personal_packages import State, latest_package, state_of
from members.services import personal_packages
from members.services.audit import SYSTEM
from members.services.customers import erase_customer_details
from members.services.job_runs import run_job
from members.services.merging import merge_customers, undo_merge
from members.services.personal_packages import (
    MOST_A_DAY,
    MOST_FETCHES,
    AskedTooOftenError,
    fetch_package,
    link_to,
    package_of_link,
    prune_packages,
    request_package,
)
from tests.factories import CustomerFactory
from tests.members.packages import made_package, make_open_packages

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def anna() -> Customer:
    return CustomerFactory(given_name="Secretname", email="secretname@example.com")


def ask(customer: Customer, *, for_staff: bool = False) -> PersonalPackage:
    return request_package(customer=customer, actor=SYSTEM, for_staff=for_staff, now=timezone.now())


def fetch(package: PersonalPackage) -> bytes:
    return b"".join(fetch_package(package=package, actor=SYSTEM, now=timezone.now()))


def test_while_one_is_made_asking_again_is_asking_for_that_one(anna: Customer) -> None:
    asked = ask(anna)
    assert ask(anna) == asked
    assert ask(anna, for_staff=True) != asked
    with pytest.raises(ConflictError) as refused:
        fetch(asked)
    assert refused.value.code == "not_ready"
    make_open_packages()
    asked.refresh_from_db()
    assert state_of(asked, timezone.now()) == State.READY
    assert asked.size == len(fetch(asked))
    job = Job.objects.get(pk=asked.job_id)
    assert (job.state, job.done) == (Job.State.SUCCEEDED, job.total)
    assert job.total > 20
    actions = AuditEntry.objects.order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["customer.exported", "customer.exported", "customer.data_fetched"]
    assert "Secretname" not in job.label


def test_the_database_holds_one_that_is_being_made(anna: Customer) -> None:
    ask(anna)
    with pytest.raises(IntegrityError), transaction.atomic():
        PersonalPackage.objects.create(customer=anna, for_staff=False, asked_at=timezone.now())
    with pytest.raises(IntegrityError), transaction.atomic():
        PersonalPackage.objects.update(made_at=timezone.now())


def test_large_ones_are_kept_and_sent_in_pieces(
    anna: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(personal_packages, "PIECE", 500)
    made = made_package(anna)
    assert made.parts.count() == -(-made.size // 500) > 2
    assert fetch(made)[:2] == b"PK"


def test_a_run_that_failed_is_tried_again_by_asking(
    anna: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ask(anna)
    with monkeypatch.context() as broken:
        broken.setattr(personal_packages, "write_package", lambda *_args: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run_job(asked.job_id)  # type: ignore[arg-type]
    found = latest_package(anna, for_staff=False)
    assert found is not None
    assert state_of(found, timezone.now()) == State.FAILED
    assert ask(anna) == asked
    make_open_packages()
    asked.refresh_from_db()
    assert state_of(asked, timezone.now()) == State.READY


def test_the_newest_is_the_one_that_is_there_and_so_often_a_day(anna: Customer) -> None:
    first, second = made_package(anna), made_package(anna)
    assert not first.parts.exists()
    with pytest.raises(ConflictError) as gone:
        fetch(first)
    assert gone.value.code == "not_there"
    assert fetch(second)
    for _again in range(MOST_A_DAY - 2):
        made_package(anna)
    with pytest.raises(AskedTooOftenError) as refused:
        ask(anna)
    assert 0 < refused.value.seconds <= DAY.total_seconds() + 1
    PersonalPackage.objects.filter(pk=first.pk).update(asked_at=timezone.now() - DAY)
    assert ask(anna)


def test_a_link_is_signed_counts_and_ends(anna: Customer, client: Client) -> None:
    made = made_package(anna)
    address = link_to(made).partition("/data-packages/")[2]
    path = f"/data-packages/{address}"
    assert package_of_link(address.rstrip("/")) == made
    for wrong in (f"/data-packages/{made.public_id.hex}/", path.replace(":", ":x")):
        assert client.get(wrong).status_code == 404
    assert client.head(path).status_code == 405
    for _again in range(MOST_FETCHES):
        response = client.get(path)
        assert b"".join(response.streaming_content)[:2] == b"PK"  # type: ignore[attr-defined]
        assert "no-store" in response["Cache-Control"]
        assert response["X-Robots-Tag"] == "noindex"
    assert client.get(path).status_code == 404
    entry = AuditEntry.objects.filter(action="customer.data_fetched").latest("pk")
    assert entry.actor_label == "Link to the file"


def test_what_is_over_is_dropped_and_later_forgotten(anna: Customer, client: Client) -> None:
    made = made_package(anna)
    now = timezone.now()
    assert prune_packages(now=now + 6 * DAY) == 0
    assert PersonalPackagePart.objects.exists()
    assert prune_packages(now=now + 8 * DAY) == 0
    assert not PersonalPackagePart.objects.exists()
    assert prune_packages(now=now + 31 * DAY) == 1
    assert client.get(link_to(made).removeprefix("http://testserver")).status_code == 404


def test_erasing_takes_the_files_along_also_one_that_is_being_made(anna: Customer) -> None:
    made_package(anna)
    asked = ask(anna, for_staff=True)
    erase_customer_details(customer=anna, actor=SYSTEM)
    assert not PersonalPackagePart.objects.exists()
    job = run_job(asked.job_id)  # type: ignore[arg-type,func-returns-value]
    assert job is None
    assert not PersonalPackage.objects.exists()
    assert Job.objects.get(pk=asked.job_id).state == Job.State.SUCCEEDED


def test_who_is_merged_or_parted_asks_anew(anna: Customer) -> None:
    ana = CustomerFactory(given_name="Ana")
    made_package(ana)
    now = timezone.now()
    merge_customers(kept=anna, merged=ana, actor=SYSTEM, source="api", now=now, reason="")
    assert not PersonalPackage.objects.exists()
    made_package(anna)
    undo_merge(merge=get_merge_of(ana), actor=SYSTEM, source="api", now=now)
    assert not PersonalPackage.objects.exists()
