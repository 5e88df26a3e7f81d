"""Insights → Program review: the list, one review with its findings, what became of them, the file,
and the reminder on the home page."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from loyalty.backoffice import program_reviews
from loyalty.models import ProgramReview, ReviewFinding, ReviewReading
from loyalty.selectors.program_reviews import quarters_to_review
from loyalty.services.insight_points import rebuild_points
from loyalty.services.program_reviews import KIND, make_review, run_reviews
from members.models import AuditEntry, Job
from members.services.audit import SYSTEM
from tests.factories import StaffMemberFactory
from tests.loyalty.backoffice.conftest import Member, htmx, queries_of, url
from tests.loyalty.factories import make_program

pytestmark = pytest.mark.usefixtures("ana_for_all")


def text_of(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return " ".join(response.content.decode().replace("\xa0", " ").split())


def reviewed(member: Member) -> ProgramReview:
    """Of the quarter that runs."""
    now = timezone.now()
    rebuild_points([member.program], now)
    quarter = quarters_to_review(member.program, now)[0]
    return make_review(program=member.program, quarter=quarter, actor=SYSTEM, now=now)[0]


@pytest.fixture
def review(ana: Member) -> ProgramReview:
    return reviewed(ana)


def test_without_a_review_the_page_says_what_one_is_and_managers_make_one(
    ana: Member,
    manager: Client,
    client_of: Callable[[str], Client],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = text_of(manager, url("review_list"))
    assert "No review yet" in page
    assert "until now" in page
    assert "until now" not in text_of(client_of("analyst"), url("review_list"))
    monkeypatch.setattr(program_reviews, "hand_over", lambda _request, _job: None)
    quarter = quarters_to_review(ana.program, timezone.now())[0].name
    answer = manager.post(url("review_make", "beans", quarter))
    assert (answer.status_code, answer["Location"]) == (302, f"{url('review_list')}?program=beans")
    job = Job.objects.get(kind=KIND)
    assert "A review is being made" in text_of(manager, answer["Location"])
    run_reviews(job.pk)
    page = text_of(manager, url("review_list"))
    assert "The quarter runs" in page
    assert manager.post(url("review_make", "beans", "2026-q9")).status_code == 404
    manager.post(url("review_make", "beans", "1999-q1"))
    assert "This quarter cannot be reviewed." in text_of(manager, url("review_list"))


def test_a_review_tells_each_finding_with_its_number_its_page_and_what_is_proposed(
    review: ProgramReview, manager: Client
) -> None:
    page = text_of(manager, url("review_page", review.public_id))
    assert "100% of the customers who buy are members." in page
    assert "to be: 60% to 80%" in page
    assert "The program had no goal." in page
    assert reverse("loyalty_backoffice:goal_create", args=["beans"]) in page
    assert "No member was asked anything" in page
    assert "What is proposed is done by people alone." in page
    assert f"{url('overview')}?program=beans#enrollment_share" in page


def test_what_became_of_a_finding_is_kept_with_a_note_by_managers_alone(
    review: ProgramReview, manager: Client, client_of: Callable[[str], Client]
) -> None:
    finding = ReviewFinding.objects.get(review=review, key="said:nobody")
    address = url("finding_decide", finding.public_id)
    assert client_of("analyst").post(address, {"state": "done"}).status_code == 403
    assert client_of("auditor").get(address).status_code == 403
    assert manager.get(address).context["form"].initial["state"] == "done"
    refused = manager.post(address, {"state": "dismissed", "note": ""})
    assert refused.status_code == 422
    assert "Say why it is dismissed." in refused.content.decode()
    assert manager.post(address, {"state": "dismissed", "note": "Later"}).status_code == 302
    finding.refresh_from_db()
    assert (finding.state, finding.note) == ("dismissed", "Later")
    assert AuditEntry.objects.filter(action="review_finding.decided").count() == 1
    page = text_of(manager, url("review_page", review.public_id))
    assert ": Later" in page
    done = manager.post(address, {"state": "open", "note": ""}, headers=htmx())
    assert done["HX-Redirect"].endswith(f"#finding-{finding.pk}")


def test_the_file_has_every_finding_in_words(review: ProgramReview, manager: Client) -> None:
    response = manager.get(url("review_csv", review.public_id))
    text = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == review.findings.count()
    (nobody,) = [row for row in rows if row["part"] == "said"]
    assert (nobody["tone"], nobody["number"], nobody["state"]) == ("bad", "0 answers", "open")


def test_a_new_review_is_on_the_home_page_until_somebody_opened_it(
    review: ProgramReview, manager: Client, client_of: Callable[[str], Client], agent: Client
) -> None:
    panel = url("attention_panel")
    assert "Read the review" in text_of(manager, panel)
    # Whoever does not read figures is not reminded of them.
    assert "Read the review" not in text_of(agent, panel)
    manager.head(url("review_page", review.public_id))
    assert not ReviewReading.objects.exists()
    manager.get(url("review_page", review.public_id))
    assert "Read the review" not in text_of(manager, panel)
    assert "Read the review" in text_of(client_of("analyst"), panel)


def test_whoever_is_limited_to_another_program_finds_no_review(review: ProgramReview) -> None:
    other = make_program("tea", name="Tea Club")
    user = StaffMemberFactory(role="marketing_manager", programs=[other.pk]).user
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    assert client.get(url("review_page", review.public_id)).status_code == 404
    assert client.get(url("review_csv", review.public_id)).status_code == 404
    finding = review.findings.first()
    assert finding is not None
    assert client.get(url("finding_decide", finding.public_id)).status_code == 404
    assert "Read the review" not in text_of(client, url("attention_panel"))
    assert "Bean Club" not in text_of(client, url("review_list"))


def test_an_installation_without_a_program_says_so(ana: Member, manager: Client) -> None:
    ana.program.status = "draft"
    ana.program.save()
    assert "No program has been live yet" in text_of(manager, url("review_list"))


def test_it_is_in_the_menu_of_insights_and_found_by_the_search_box(
    ana: Member, manager: Client
) -> None:
    page = text_of(manager, url("overview"))
    assert "Program review" in page.split('id="nav-insights"')[1]
    found = manager.get(reverse("backoffice:search"), {"q": "Program rev"}, headers=htmx())
    assert url("review_list") in found.content.decode()


def test_a_page_costs_as_many_queries_with_many_findings_as_with_few(
    review: ProgramReview, manager: Client
) -> None:
    page, listed = url("review_page", review.public_id), url("review_list")
    few = queries_of(manager, page), queries_of(manager, listed)
    for number in range(20):
        ReviewFinding.objects.create(
            review=review, key=f"unused:rule:x{number}", rule="unused", part="unused", tone="bad",
            position=100 + number, facts={"kind": "rule", "name": "X", "used": "0", "days": "40"},
            place="loyalty_backoffice:rule_by_id", place_key="1",
        )  # fmt: skip
    assert (queries_of(manager, page), queries_of(manager, listed)) == few
