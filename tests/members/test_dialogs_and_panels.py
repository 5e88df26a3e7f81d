"""One URL for a page and its fragment; a dialog that ends tells the page what changed."""

from __future__ import annotations

import json

import pytest
from django.contrib import messages
from django.contrib.messages.storage.fallback import FallbackStorage
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django_htmx.middleware import HtmxMiddleware

from members.models import StaffMember, User
from members.responses import dialog_done
from members.toasts import ToastMiddleware

pytestmark = pytest.mark.django_db
DIALOG = {"HX-Request": "true", "HX-Target": "dialog-body"}
PANEL = {"HX-Request": "true", "HX-Target": "panel-wallet-fine"}
GOOD = {"name": "Ada", "email": "a@example.com", "amount": 5, "reason": "goodwill"} | {
    "rounding": "down"
}


@pytest.fixture
def staff_client(client: Client) -> Client:
    user = User.objects.create_user("sam@example.com", name="Sam")
    StaffMember.objects.create(user=user, role=StaffMember.Role.SUPPORT_AGENT)
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def test_a_dialog_is_a_page_of_its_own_without_javascript(staff_client: Client) -> None:
    html = staff_client.get("/backoffice/styleguide/dialog/").content.decode()
    assert "<!doctype html>" in html
    assert "<title>Adjust Beans" in html
    assert "hx-post" not in html


def test_a_dialog_is_only_its_form_for_htmx(staff_client: Client) -> None:
    html = staff_client.get("/backoffice/styleguide/dialog/", headers=DIALOG).content.decode()
    assert "<html" not in html
    assert 'id="dialog-title"' in html
    assert 'hx-post="/backoffice/styleguide/dialog/"' in html


def test_a_wrong_form_comes_back_into_the_dialog(staff_client: Client) -> None:
    response = staff_client.post("/backoffice/styleguide/dialog/", {}, headers=DIALOG)
    assert response.status_code == 422
    assert "data-focus" in response.content.decode()


def test_a_finished_dialog_closes_and_says_what_changed(staff_client: Client) -> None:
    response = staff_client.post("/backoffice/styleguide/dialog/", GOOD, headers=DIALOG)
    assert response.status_code == 204
    events = json.loads(response["HX-Trigger"])
    assert set(events) == {"setia:dialog-close", "setia:toast", "sample-changed"}


def test_without_javascript_a_finished_dialog_leads_back_with_a_message(
    staff_client: Client,
) -> None:
    response = staff_client.post("/backoffice/styleguide/dialog/", GOOD, follow=True)
    assert response.redirect_chain == [("/backoffice/styleguide/", 302)]
    assert "this is only a sample" in response.content.decode()


def test_a_panel_is_a_card_for_htmx_and_a_page_otherwise(staff_client: Client) -> None:
    url = "/backoffice/styleguide/panel/fine/"
    card = staff_client.get(url, headers=PANEL).content.decode()
    assert "<html" not in card
    assert 'hx-trigger="sample-changed from:body"' in card
    page = staff_client.get(url).content.decode()
    assert "<!doctype html>" in page
    assert "<h1" in page


def test_the_style_page_is_for_staff(client: Client) -> None:
    response = client.get("/backoffice/styleguide/")
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")


def htmx_request(path: str = "/", **headers: str) -> HttpRequest:
    request = RequestFactory().get(path, headers={"HX-Request": "true", **headers})
    request.session = {}  # type: ignore[assignment]
    request._messages = FallbackStorage(request)  # type: ignore[attr-defined]
    return request


def through_middleware(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    def view(request: HttpRequest) -> HttpResponse:
        messages.success(request, "Saved.", extra_tags="undo:/undo/1/")
        return response

    answer = HtmxMiddleware(ToastMiddleware(view))(request)
    assert isinstance(answer, HttpResponse)
    return answer


def test_a_message_of_an_htmx_request_becomes_a_toast() -> None:
    response = through_middleware(htmx_request(), HttpResponse("x"))
    event = json.loads(response["HX-Trigger"])["setia:toast"]
    assert event["items"] == [{"level": "success", "text": "Saved.", "undo": "/undo/1/"}]


def test_a_message_waits_when_the_answer_leads_to_another_page() -> None:
    moved = HttpResponse()
    moved["HX-Redirect"] = "/elsewhere/"
    request = htmx_request()
    assert "HX-Trigger" not in through_middleware(request, moved)


def test_an_undo_is_offered_in_the_dialogs_toast() -> None:
    request = htmx_request(**{"HX-Target": "dialog-body"})
    HtmxMiddleware(lambda request: HttpResponse())(request)
    response = dialog_done(request, url="/", changed="wallet", message="Done.", undo_url="/u/")
    events = json.loads(response["HX-Trigger"])
    assert events["setia:toast"]["items"][0]["undo"] == "/u/"
    assert "wallet-changed" in events
