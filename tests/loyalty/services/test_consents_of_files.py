"""A file of people brings what they want to be told, with when and how it is known."""

import datetime as dt
import json
from pathlib import Path

import pytest

from campaigns.models import Consent, ConsentChange
from campaigns.services.consents import set_consents
from loyalty.services.enrollment_files import run_enrollment_import, start_enrollment_import
from members.models import Customer, Job, JobError
from members.services.audit import SYSTEM
from tests.factories import CustomerFactory
from tests.loyalty.factories import make_program

pytestmark = pytest.mark.django_db


def take_in(path: Path) -> Job:
    job = start_enrollment_import(
        program=make_program(), path=path, name="people.csv", actor=SYSTEM
    )
    run_enrollment_import(job.pk)
    return Job.objects.get(pk=job.pk)


def said() -> list[tuple[str, str, str, str]]:
    found = Consent.objects.order_by("customer__external_id", "channel", "topic")
    return list(found.values_list("customer__external_id", "channel", "topic", "state"))


def test_columns_say_yes_no_or_the_day_of_a_yes(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text(
        "external_id,consent_email_offers,consent_sms_offers,consent_email_points,consent_at,"
        "consent_source\n"
        "c1,yes,no,,2025-05-04,Fair in May\n"
        "c2,2024-02-03,,no 2024-03-01,,\n"
        "c3,,,,,\n"
        "c4,perhaps,,,,\n"
        "c5,,,,,\n"
    )
    job = take_in(path)
    assert said() == [
        ("c1", "email", "offers", "granted"), ("c1", "sms", "offers", "denied"),
        ("c2", "email", "offers", "granted"), ("c2", "email", "points", "denied"),
    ]  # fmt: skip
    first = ConsentChange.objects.get(customer__external_id="c1", channel="email")
    assert (first.source, first.evidence, first.at.date()) == (
        "import", "Fair in May", dt.date(2025, 5, 4),
    )  # fmt: skip
    assert ConsentChange.objects.filter(evidence="people.csv").count() == 2
    error = JobError.objects.get(job=job)
    assert (error.row, error.column, error.value) == (5, "consent_email_offers", "perhaps")
    # A row that is wrong in this enrolls nobody.
    assert not Customer.objects.filter(external_id="c4").exists()


def test_a_topic_that_nobody_has_is_refused_by_its_column(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("external_id,consent_email_cooking\nc1,yes\n")
    error = JobError.objects.get(job=take_in(path))
    assert (error.column, error.code) == ("consent_email_cooking", "not_found")


def test_a_file_undoes_no_withdrawal_that_is_later(tmp_path: Path) -> None:
    ana = CustomerFactory(external_id="c1")
    set_consents(
        customer=ana, wanted={("email", "offers"): False}, source="link", actor=SYSTEM,
        now=dt.datetime(2025, 6, 1, tzinfo=dt.UTC),
    )  # fmt: skip
    path = tmp_path / "people.csv"
    path.write_text("external_id,consent_email_offers\nc1,2025-05-04\n")
    take_in(path)
    assert said() == [("c1", "email", "offers", "denied")]


def test_lines_of_ndjson_say_what_a_request_says(tmp_path: Path) -> None:
    path = tmp_path / "people.ndjson"
    consent = {
        "channel": "email", "topic": "offers", "wanted": True, "said_at": "2025-05-04T09:00:00Z",
        "evidence": "Fair", "wording": "Yes, write to me.",
    }  # fmt: skip
    path.write_text(json.dumps({"external_id": "c1", "consents": [consent]}) + "\n")
    take_in(path)
    change = ConsentChange.objects.get()
    assert (change.evidence, change.at.isoformat()) == ("Fair", "2025-05-04T09:00:00+00:00")
    assert change.wording is not None
    assert change.wording.text == "Yes, write to me."
