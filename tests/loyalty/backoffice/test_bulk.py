"""Many at once on the screens: uploaded, looked at, posted, undone, and asked for."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from loyalty.backoffice.bulk_forms import FORMATS, SAMPLES
from loyalty.models import BulkAdjustment, Program, Transfer
from loyalty.services import bulk_posting
from loyalty.services.bulk_adjustments import Plan, create_bulk, post_bulk
from loyalty.services.bulk_sources import from_rows
from members.models import Job
from members.services import job_runs
from members.services.audit import SYSTEM, Actor
from members.services.segments import add_to_list, create_segment
from tests.factories import ApiKeyFactory
from tests.loyalty.backoffice.conftest import Member, htmx, queries_of, url
from tests.loyalty.factories import adjust, make_wallet, spendable

pytestmark = [
    pytest.mark.django_db, pytest.mark.usefixtures("ana_for_all", "undone_when_refused"),
]  # fmt: skip

ROWS = "customer_id,units,note\nc1,-50,Counted twice\nc2,30,\nnobody,5,\n"


@pytest.fixture
def members(ana: Member) -> Member:
    """Ana and two more."""
    for number in ("c2", "c3"):
        make_wallet(ana.program, number, timezone.now())
    return ana


def wallet_type(ana: Member) -> int:
    return int(ana.wallet.wallet_type_id)


def upload(client: Client, ana: Member, text: str = ROWS, **changes: Any) -> Any:
    values = {
        "wallet_type": wallet_type(ana), "reason": "correction", "note": "",
        "file": SimpleUploadedFile("march.csv", text.encode()),
    }  # fmt: skip
    return client.post(url("bulk_create", "adjustment"), values | changes)


def give(client: Client, ana: Member, **changes: Any) -> Any:
    values = {
        "wallet_type": wallet_type(ana), "reason": "surprise", "amount": "100",
        "message": "Thank you for ten years.", "customers": "c1\nc2\n", "budget": "", "note": "",
    }  # fmt: skip
    return client.post(url("bulk_create", "grant"), values | changes)


def latest() -> BulkAdjustment:
    return BulkAdjustment.objects.latest("pk")


def text_of(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode().replace("\N{NO-BREAK SPACE}", " ")


def page_of(client: Client) -> str:
    return text_of(client, url("bulk_page", latest().public_id))


def act(client: Client, name: str, **values: str) -> str:
    """Press a button of the page, and read what it says afterwards."""
    response = client.post(url(name, latest().public_id), values, follow=True)
    return response.content.decode().replace("\N{NO-BREAK SPACE}", " ")


def test_a_file_is_looked_at_posted_and_undone(manager: Client, members: Member) -> None:
    response = upload(manager, members)
    assert response.url == url("bulk_page", latest().public_id)
    shown = page_of(manager)
    assert "of 3 rows" in shown
    assert "All members hold afterwards" in shown
    assert "worth $0.30" in shown
    assert "There is no such customer." in shown
    assert "Ana Lima" in shown
    assert "Counted twice" in shown
    assert members.spendable() == 150
    act(manager, "bulk_post")
    assert (members.spendable(), spendable("c2", timezone.now())) == (100, 30)
    shown = page_of(manager)
    assert "Posted" in shown
    assert "Undo all" in shown
    act(manager, "bulk_undo")
    assert (members.spendable(), spendable("c2", timezone.now())) == (150, 0)
    assert latest().state == "undone"
    assert "Undo all" not in page_of(manager)


def test_what_could_not_be_undone_is_named_and_can_be_downloaded(
    manager: Client, members: Member
) -> None:
    upload(manager, members)
    act(manager, "bulk_post")
    wallet = latest().rows.get(number=3).wallet
    wallet.wallet_type = members.wallet.wallet_type
    adjust(wallet, -20, "spent", now=timezone.now())
    act(manager, "bulk_undo")
    shown = page_of(manager)
    assert "1 member had spent it meanwhile." in shown
    assert "Spent meanwhile: only 10 Beans are left." in shown
    response = manager.get(url("bulk_problems", latest().public_id))
    found = list(csv.DictReader(io.StringIO(response.getvalue().decode())))
    assert [(row["row"], row["who"], row["state"]) for row in found] == [
        ("3", "c2", "Could not be undone"), ("4", "nobody", "Cannot be posted"),
    ]  # fmt: skip


def test_a_cell_that_a_spreadsheet_would_run_is_made_harmless(
    manager: Client, members: Member
) -> None:
    upload(manager, members, "customer_id,units\n=1+1,@SUM(A1)\n")
    response = manager.get(url("bulk_problems", latest().public_id))
    found = list(csv.DictReader(io.StringIO(response.getvalue().decode())))
    assert {(row["who"], row["value"]) for row in found} == {
        ("'=1+1", "'=1+1"), ("'=1+1", "'@SUM(A1)"),
    }  # fmt: skip


def test_the_samples_fit_their_formats() -> None:
    for kind, (head, *rows) in SAMPLES.items():
        assert head == tuple(column.name for column in FORMATS[kind])
        assert all(len(row) == len(head) for row in rows)


def test_the_sample_can_be_filled_in_and_uploaded(manager: Client, members: Member) -> None:
    sample = manager.get(url("bulk_sample", "adjustment")).getvalue().decode()
    upload(manager, members, sample.replace("C-17", "c1"))
    assert latest().row_count == 3
    assert latest().member_count == 1
    assert manager.get(url("bulk_sample", "unheard-of")).status_code == 404
    assert manager.get(url("bulk_create", "unheard-of")).status_code == 404


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name\nAnn\n", "must name the columns"),
        ("customer_id\nc1\n", "missing: units"),
        ("customer_id,units\n", "nobody in it"),
        ("", "empty"),
    ],
)
def test_a_file_that_is_none_is_refused_at_its_field(
    manager: Client, members: Member, text: str, message: str
) -> None:
    response = upload(manager, members, text)
    assert response.status_code == 422
    assert message in response.content.decode()
    assert not BulkAdjustment.objects.exists()
    assert not Job.objects.exists()


def test_a_gift_goes_to_a_list_and_is_read_on_the_customers_own_page(
    manager: Client, members: Member
) -> None:
    give(manager, members)
    assert "Thank you for ten years." in page_of(manager)
    act(manager, "bulk_post")
    assert members.spendable() == 250
    transfer = Transfer.objects.get(bulk_row__number=1)
    movements = text_of(manager, url("movement_panel", members.customer.public_id))
    assert "Gift: A surprise" in movements
    assert "Thank you for ten years." in movements
    timeline = reverse("backoffice:customer_timeline", args=[members.customer.public_id])
    assert "Thank you for ten years." in text_of(manager, timeline)
    assert transfer.explanation["grant"] is True


def test_a_gift_goes_to_whoever_is_in_a_segment(manager: Client, members: Member) -> None:
    now = timezone.now()
    segment = create_segment(name="Regulars", kind="static", actor=SYSTEM, now=now)
    refused = give(manager, members, customers="", segment=segment.code)
    assert "Nobody in this segment" in " ".join(refused.content.decode().split())
    add_to_list(segment=segment, customer=members.customer, actor=SYSTEM, now=now)
    give(manager, members, customers="", segment=segment.code)
    assert "Gift · Segment" in page_of(manager)
    act(manager, "bulk_post")
    assert members.spendable() == 250
    assert BulkAdjustment.objects.get().rows.count() == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"amount": "0"}, "other than zero"),
        ({"amount": "-5"}, "above zero"),
        ({"amount": "many"}, "not a number"),
        ({"amount": "50,001"}, "At most 50,000 at once"),
        ({"budget": "99"}, "less than one member gets"),
        ({"customers": " "}, "one of the three"),
        ({"message": "x" * 201}, "at most 200 characters"),
        ({"reason": "invented"}, "not one of the available"),
    ],
)
def test_a_gift_that_cannot_be_is_refused_at_the_field(
    manager: Client, members: Member, changes: dict[str, str], message: str
) -> None:
    response = give(manager, members, **changes)
    assert response.status_code == 422
    assert message in response.content.decode()
    assert not BulkAdjustment.objects.exists()


def test_a_gift_takes_a_file_or_a_list_and_not_both(manager: Client, members: Member) -> None:
    file = SimpleUploadedFile("friends.csv", b"customer_id\nc1\nc3\n")
    assert give(manager, members, file=file).status_code == 422
    file.seek(0)
    assert give(manager, members, file=file, customers="").status_code == 302
    assert (latest().source_name, latest().given) == ("friends.csv", 200)


def test_more_than_the_budget_cannot_be_posted(manager: Client, members: Member) -> None:
    give(manager, members, budget="150")
    shown = page_of(manager)
    assert "It comes to 200 Beans, and the budget is 150 Beans." in shown
    assert "bulk_post" not in shown
    assert "more than the budget" in act(manager, "bulk_post")
    assert members.spendable() == 150


def test_the_same_file_again_is_noticed_before_it_is_posted(
    manager: Client, members: Member
) -> None:
    upload(manager, members)
    act(manager, "bulk_post")
    upload(manager, members)
    assert "has exactly these rows" in page_of(manager)
    assert "posted already" in act(manager, "bulk_post")
    assert members.spendable() == 100
    act(manager, "bulk_post", again="1")
    assert members.spendable() == 50


def test_above_the_limit_somebody_else_approves_it_as_a_whole(
    client_of: Callable[[str], Client], manager: Client, members: Member
) -> None:
    upload(manager, members, "customer_id,units\nc1,6000\nc2,6000\n")
    assert "Somebody else has to approve this" in page_of(manager)
    assert "waits until somebody else approves" in act(manager, "bulk_post")
    assert members.spendable() == 150
    other = client_of("marketing_manager")
    listed = text_of(other, url("approval_list"))
    assert "march.csv" in listed
    assert "1 wait" in text_of(other, reverse("backoffice:home"))
    assert "Approve" not in page_of(manager).split("<main")[1].split('id="bulk"')[0]
    act(other, "bulk_approve")
    assert members.spendable() == 6_150
    assert latest().state == "posted"


def test_nobody_approves_their_own_batch(manager: Client, members: Member) -> None:
    upload(manager, members, "customer_id,units\nc1,20000\n")
    act(manager, "bulk_post")
    assert "Somebody else has to decide" in act(manager, "bulk_approve")
    assert members.spendable() == 150


def test_a_rejection_says_why(
    client_of: Callable[[str], Client], manager: Client, members: Member
) -> None:
    upload(manager, members, "customer_id,units\nc1,20000\n")
    act(manager, "bulk_post")
    other = client_of("administrator")
    address = url("bulk_reject", latest().public_id)
    assert other.post(address, {"note": ""}).status_code == 422
    response = other.post(address, {"note": "Too generous"}, headers=htmx("dialog-body"))
    assert response.status_code == 204
    assert "bulk-changed" in response["HX-Trigger"]
    shown = page_of(manager)
    assert "It was rejected" in shown
    assert "Too generous" in shown


def test_what_is_left_is_left(manager: Client, members: Member) -> None:
    upload(manager, members)
    assert "It is withdrawn" in act(manager, "bulk_withdraw")
    assert "not possible any more" in act(manager, "bulk_post")
    assert members.spendable() == 150


def test_only_who_made_it_posts_it(
    client_of: Callable[[str], Client], manager: Client, members: Member
) -> None:
    upload(manager, members)
    assert "Only who made it" in act(client_of("administrator"), "bulk_post")
    assert members.spendable() == 150


def test_without_a_worker_it_is_said_and_the_work_waits(
    manager: Client, members: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(manager, members)

    class Away:
        def signature(self, *args: Any, **how: Any) -> Any:
            raise OSError("no broker")

    with monkeypatch.context() as context:
        context.setattr(job_runs, "current_app", Away())
        assert "No worker could be reached" in act(manager, "bulk_post")
    assert (latest().state, latest().job.state) == ("posting", "queued")
    job_runs.resume_stale_jobs(now=timezone.now() + job_runs.UNASKED * 2)
    assert (latest().state, members.spendable()) == ("posted", 100)


def test_from_the_list_of_jobs_one_comes_to_what_the_work_is_about(
    client_of: Callable[[str], Client], manager: Client, members: Member
) -> None:
    upload(manager, members)
    act(manager, "bulk_post")
    jobs = text_of(manager, reverse("backoffice:job_list"))
    assert "Check of a bulk adjustment" in jobs
    assert "Cannot be posted: 1, Posted: 2" in jobs
    response = manager.get(url("bulk_of_job", latest().job.public_id))
    assert response.url == url("bulk_page", latest().public_id)
    assert "march.csv" not in text_of(client_of("support_agent"), reverse("backoffice:job_list"))


def test_work_that_failed_says_so_and_goes_on(
    manager: Client, members: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(manager, members)
    with monkeypatch.context() as context:
        context.setattr(bulk_posting, "write_rows", lambda rows: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            act(manager, "bulk_post")
    shown = page_of(manager)
    assert "The work stopped" in shown
    assert "ZeroDivisionError" in shown
    assert "Undo all" in shown
    assert members.spendable() == 150
    act(manager, "bulk_resume")
    assert (latest().state, members.spendable()) == ("posted", 100)


def test_work_that_runs_shows_its_progress_and_can_be_stopped(
    manager: Client, members: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(manager, members)
    with monkeypatch.context() as context:
        context.setattr("loyalty.backoffice.bulk.hand_over", lambda request, job: None)
        act(manager, "bulk_post")
    shown = page_of(manager)
    assert "job-progress" in shown
    assert "Stop" in shown
    assert "The work stops" in act(manager, "bulk_stop")
    assert latest().job.state == "cancelled"
    assert "The work was stopped" in page_of(manager)
    act(manager, "bulk_resume")
    assert members.spendable() == 100


def test_the_list_shows_all_of_them(manager: Client, members: Member) -> None:
    assert "Nothing was moved in bulk yet" in text_of(manager, url("bulk_list"))
    upload(manager, members)
    few = queries_of(manager, url("bulk_list"))
    for _ in range(4):
        give(manager, members)
    listed = text_of(manager, url("bulk_list"))
    assert "march.csv" in listed
    assert "List that begins with c1" in listed
    assert queries_of(manager, url("bulk_list")) == few


def test_one_that_came_over_the_api_is_shown_and_can_be_undone(
    manager: Client, members: Member
) -> None:
    key = ApiKeyFactory(name="Web shop")
    shop = Actor.of_api_key(key)
    batch = create_bulk(
        plan=Plan(kind="adjustment", wallet_type=members.wallet.wallet_type, reason="correction"),
        source=from_rows([{"customer_id": "c1", "units": "-50"}], "Recount"),
        actor=shop, now=timezone.now(),
    )  # fmt: skip
    job_runs.run_job(batch.job_id)
    assert "API key Web shop" in text_of(manager, url("bulk_list"))
    shown = page_of(manager)
    assert "It was made over the API" in shown
    assert url("bulk_post", batch.public_id) not in shown
    job_runs.run_job(post_bulk(batch=latest(), actor=shop, now=timezone.now()).job_id)
    assert members.spendable() == 100
    act(manager, "bulk_undo")
    assert (latest().state, members.spendable()) == ("undone", 150)


def test_without_a_live_program_there_is_nothing_to_move(manager: Client, ana: Member) -> None:
    Program.objects.update(status="draft")
    for address in (url("bulk_list"), url("bulk_create", "grant")):
        assert "First a live program" in text_of(manager, address)


def test_it_is_in_the_audit_log_with_its_page(
    client_of: Callable[[str], Client], manager: Client, members: Member
) -> None:
    upload(manager, members)
    act(manager, "bulk_post")
    log = text_of(client_of("administrator"), reverse("backoffice:audit_log"))
    assert "Prepared a bulk adjustment" in log
    assert "Posted a bulk adjustment" in log
    assert url("bulk_page", latest().public_id) in log
