"""Settings → Webhooks and Operations → Webhook deliveries."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from campaigns.models import WebhookDelivery, WebhookEndpoint
from campaigns.services.webhook_endpoints import change_endpoint, delete_endpoint
from campaigns.webhook_addresses import without_secrets
from members.models import AuditEntry, Job
from members.selectors.audit_seals import verify_chain
from members.services.audit import SYSTEM, record_audit
from members.services.audit_seals import seal_entries
from members.services.job_runs import run_job
from tests.campaigns.receiver import receiving
from tests.campaigns.webhooks import deliver, happened, make_endpoint

pytestmark = pytest.mark.django_db
URL = "https://shop.example/hooks"


@pytest.fixture
def admin(client_of) -> Client:
    return client_of("administrator")


def url(name: str, *args: object) -> str:
    return reverse(f"webhooks:{name}", args=args)


def text(response) -> str:
    return response.content.decode()


def off(endpoint: WebhookEndpoint, why: str) -> None:
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(
        enabled=False, off_why=why, off_at=timezone.now()
    )


def test_an_empty_list_says_what_webhooks_are_for(admin):
    page = text(admin.get(url("endpoint_list")))
    assert "Nobody is told yet" in page
    assert url("endpoint_create") in page


def test_one_is_made_its_secret_shown_once_and_its_page_says_what_it_is_told(admin):
    form = {
        "url": URL, "description": "Shop", "types_points": ["points.earned", "points.spent"],
        "types_tier": ["tier.changed"],
    }  # fmt: skip
    page = text(admin.post(url("endpoint_create"), form))
    secret = re.search(r"whsec_[\w+/=]+", page)
    assert secret
    endpoint = WebhookEndpoint.objects.get()
    assert endpoint.types == ["points.earned", "points.spent", "tier.changed"]
    page = text(admin.get(url("endpoint", endpoint.public_id)))
    assert secret.group() not in page
    assert "tier.changed" in page
    assert AuditEntry.objects.get(action="webhook.created").actor_label


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"url": "http://shop.example", "everything": "on"}, "begins with https://"),
        ({"url": "https://192.168.1.1/", "everything": "on"}, "private network"),
        ({"url": URL}, "Choose what it is told"),
        ({"url": "", "everything": "on"}, "This field is required"),
    ],
)
def test_what_is_wrong_is_said_in_the_form(admin, form, words):
    response = admin.post(url("endpoint_create"), form)
    assert response.status_code == 422
    assert words in text(response)
    assert not WebhookEndpoint.objects.exists()


def test_it_is_changed_and_the_form_knows_what_it_is(admin):
    endpoint = make_endpoint(URL, types=["tier.changed"])
    page = text(admin.get(url("endpoint_edit", endpoint.public_id)))
    assert re.search(r'value="tier.changed"[^>]* checked', page)
    form = {"url": f"{URL}/new", "everything": "on"}
    response = admin.post(url("endpoint_edit", endpoint.public_id), form)
    assert response["Location"] == url("endpoint", endpoint.public_id)
    endpoint.refresh_from_db()
    assert (endpoint.url, endpoint.types) == (f"{URL}/new", [])


def test_it_is_switched_off_and_on(admin):
    endpoint = make_endpoint(URL)
    happened("a")
    admin.post(url("endpoint_switch", endpoint.public_id))
    endpoint.refresh_from_db()
    assert (endpoint.enabled, WebhookDelivery.objects.get().state) == (False, "canceled")
    assert "It is off" in text(admin.get(url("endpoint", endpoint.public_id)))
    admin.post(url("endpoint_switch", endpoint.public_id), {"on": "1"})
    endpoint.refresh_from_db()
    assert endpoint.enabled


def test_another_secret_is_shown_once(admin):
    endpoint = make_endpoint(URL)
    dialog = url("endpoint_rotate", endpoint.public_id)
    assert "either verifies" in text(admin.get(dialog))
    assert "whsec_" in text(admin.post(dialog, {"overlap_hours": "24"}))
    assert endpoint.secrets.count() == 2
    assert admin.post(dialog, {"overlap_hours": "7"}).status_code == 422


def test_a_test_leads_to_the_page_that_shows_what_came_back(admin):
    with receiving(answers=(503,), text=b"later, please") as receiver:
        endpoint = make_endpoint(receiver.url)
        response = admin.post(url("endpoint_ping", endpoint.public_id))
        made = WebhookDelivery.objects.get()
        assert response["Location"] == url("delivery", made.public_id)
        assert "Not sent yet" in text(admin.get(response["Location"]))
        deliver()
    page = text(admin.get(response["Location"]))
    assert "503 Service Unavailable" in page
    assert "later, please" in page
    assert "&quot;webhook.ping&quot;" in page


def test_one_that_is_off_gets_no_test(admin):
    endpoint = make_endpoint(URL)
    off(endpoint, "by_hand")
    response = admin.post(url("endpoint_ping", endpoint.public_id), follow=True)
    assert "switch it on first" in text(response)
    assert not WebhookDelivery.objects.exists()


def test_what_failed_is_sent_again_by_a_job(admin, monkeypatch):
    monkeypatch.setattr("campaigns.backoffice.webhooks.queue_job", lambda _job: None)
    endpoint = make_endpoint(URL)
    happened("a", "b")
    WebhookDelivery.objects.update(state="failed", next_at=None, finished_at=timezone.now())
    dialog = url("endpoint_replay", endpoint.public_id)
    assert admin.get(dialog).status_code == 200
    response = admin.post(dialog, {"since": timezone.localdate().isoformat()})
    job = Job.objects.get()
    assert str(job.public_id) in response["Location"]
    run_job(job.pk)
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {"waiting"}
    again = admin.post(dialog, {"since": timezone.localdate().isoformat()})
    assert "Nothing has failed since then" in text(again)


def test_one_delivery_is_sent_again(admin):
    make_endpoint(URL)
    happened("a")
    WebhookDelivery.objects.update(state="failed", next_at=None, finished_at=timezone.now())
    made = WebhookDelivery.objects.get()
    admin.post(url("delivery_replay", made.public_id))
    made.refresh_from_db()
    assert (made.state, made.tries) == ("waiting", 0)


def test_the_log_is_filtered_and_passes_over_what_is_no_choice(admin):
    endpoint = make_endpoint(URL, description="Shop")
    happened("a", "b")
    WebhookDelivery.objects.filter(event__key="a").update(
        state="failed", next_at=None, finished_at=timezone.now(), error="timed_out"
    )
    log = url("delivery_list")
    assert text(admin.get(log)).count("row-link") == 2
    page = text(admin.get(f"{log}?state=failed&endpoint={endpoint.public_id}"))
    assert page.count("row-link") == 1
    assert "It did not answer in time." in page
    assert text(admin.get(f"{log}?state=nonsense&endpoint=x&type=y")).count("row-link") == 2
    assert "Nothing like that" in text(admin.get(f"{log}?state=delivered"))


def test_the_home_page_says_that_one_was_given_up_and_is_silent_otherwise(admin):
    endpoint = make_endpoint(URL, description="Shop")
    assert url("home_panel") not in text(admin.get(reverse("backoffice:home")))
    off(endpoint, "failing")
    assert url("home_panel") in text(admin.get(reverse("backoffice:home")))
    for page in ("home_panel", "endpoint_list"):
        assert "is told nothing any more" in text(admin.get(url(page)))
    off(endpoint, "gone")
    assert "gone for good (410)" in text(admin.get(url("endpoint", endpoint.public_id)))


def test_it_is_deleted_with_its_log(admin):
    endpoint = make_endpoint(URL)
    happened("a")
    admin.post(url("endpoint_delete", endpoint.public_id))
    assert not WebhookEndpoint.objects.exists()
    assert not WebhookDelivery.objects.exists()
    assert "Deleted a webhook" in text(admin.get(reverse("backoffice:audit_log")))


def test_pages_cost_as_many_queries_with_many_rows(admin):
    make_endpoint(URL)
    admin.get(url("endpoint_list"))
    costs = []
    for number in range(2):
        happened(*(f"{number}-{part}" for part in range(1 + 10 * number)))
        make_endpoint(f"{URL}/{number}")
        counts = []
        for page in ("endpoint_list", "delivery_list"):
            with CaptureQueriesContext(connection) as queries:
                admin.get(url(page))
            counts.append(len(queries))
        costs.append(counts)
    assert costs[0] == costs[1]


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_form_hides_its_choices_and_no_screen_breaks_a_rule_of_accessibility(
    page, sign_in, assert_no_axe_violations
):
    endpoint = make_endpoint(URL, description="Shop")
    happened("a")
    sign_in("administrator")
    page.goto(url("endpoint_create"))
    assert_no_axe_violations(page)
    choice = page.get_by_label("A member has another tier.")
    expect(choice).not_to_be_visible()
    page.get_by_label("All events, also those").uncheck()
    expect(choice).to_be_visible()
    for address in (
        url("endpoint_list"), url("endpoint", endpoint.public_id),
        url("delivery_list"), url("delivery", WebhookDelivery.objects.get().public_id),
    ):  # fmt: skip
        page.goto(address)
        assert_no_axe_violations(page)


def test_an_auditor_reads_what_was_told_and_finds_nothing_to_change(admin, client_of):
    endpoint = make_endpoint(URL)
    happened("one")
    auditor, delivery = client_of("auditor"), WebhookDelivery.objects.get()
    for name, args, button in (
        ("endpoint_list", (), "New webhook"),
        ("endpoint", (endpoint.public_id,), "Send a test"),
        ("endpoint", (endpoint.public_id,), "Another secret"),
        ("endpoint", (endpoint.public_id,), "Delete"),
        ("delivery", (delivery.public_id,), "Send it again"),
    ):
        assert button in text(admin.get(url(name, *args)))
        page = text(auditor.get(url(name, *args)))
        assert "shop.example" in page
        assert button not in page
    assert auditor.get(url("endpoint_rotate", endpoint.public_id)).status_code == 403
    WebhookEndpoint.objects.all().delete()
    page = text(auditor.get(url("endpoint_list")))
    assert "Nobody is told yet" in page
    assert "New webhook" not in page


def test_what_follows_the_host_of_an_address_is_for_those_who_may_change_it(admin, client_of):
    endpoint = make_endpoint(f"{URL}/Secretname")
    written = f"{URL}/Secretname?key=Secretname"
    change_endpoint(endpoint=endpoint, actor=SYSTEM, changes={"url": written})
    happened("one")
    delivery = WebhookDelivery.objects.get()
    for address in (url("endpoint", endpoint.public_id), url("endpoint_list")):
        assert written in text(admin.get(address))
    auditor = client_of("auditor")
    for address in (
        url("endpoint_list"), url("endpoint", endpoint.public_id), url("delivery_list"),
        url("delivery", delivery.public_id), reverse("backoffice:audit_log"),
    ):  # fmt: skip
        page = text(auditor.get(address))
        assert "https://shop.example/…" in page
        assert "Secretname" not in page
    assert "What follows the host is another" in page
    delete_endpoint(endpoint=endpoint, actor=SYSTEM)
    assert AuditEntry.objects.filter(action="webhook.deleted").exists()
    for entry in AuditEntry.objects.filter(action__startswith="webhook."):
        assert "Secretname" not in f"{entry.before} {entry.after}"


def test_entries_of_before_keep_what_they_say_and_show_the_host_alone(client_of):
    """The chain holds as it was; what people read of the log has no key in it."""
    endpoint = make_endpoint(URL)
    full = f"{URL}/Secretname?key=Secretname"
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(description=full)
    endpoint.refresh_from_db()
    record_audit(
        actor=SYSTEM, action="webhook.changed", target=endpoint,
        before={"url": f"{full}&old"}, after={"url": "https://new.example/Secretname", "types": []},
    )  # fmt: skip
    seal_entries(now=timezone.now())
    assert not verify_chain(timezone.now()).flaws
    assert AuditEntry.objects.filter(after__url="https://new.example/Secretname").exists()
    auditor = client_of("auditor")
    pages = [text(auditor.get(reverse("backoffice:audit_log")))]
    for kind in ("csv", "ndjson"):
        answer = auditor.get(reverse("backoffice:audit_export", args=[kind]))
        pages.append(b"".join(answer.streaming_content).decode())
    for page in pages:
        assert "https://shop.example/…" in page
        assert "https://new.example/…" in page
        assert "Secretname" not in page


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://shop.example", "https://shop.example"),
        ("https://shop.example/", "https://shop.example/"),
        ("https://shop.example/hooks", "https://shop.example/…"),
        ("https://shop.example?a=Secretname", "https://shop.example/…"),
        ("https://shop.example#Secretname", "https://shop.example/…"),
        ("https://shop.example/a@Secretname", "https://shop.example/…"),
        ("https://a:Secretname@shop.example:8443/h?a=Secretname#x", "https://shop.example:8443/…"),
        ("https://[Secretname", "https://[Secretname"),
        ("https://a.example/b, http://c.d/e", "https://a.example/… http://c.d/…"),
        ("https://shop.example/…", "https://shop.example/…"),
        ("No address", "No address"),
    ],
)  # fmt: skip
def test_an_address_without_its_secrets(address: str, shown: str):
    assert without_secrets(address) == shown
