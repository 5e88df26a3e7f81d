"""Pages are in the merchant's time zone, and errors of the domain become answers."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.contrib.messages import get_messages
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from django_htmx.middleware import HtmxDetails

from members.errors import ConflictError, DomainError, NotFoundError
from members.middleware import MerchantMiddleware
from members.models import AuditEntry, Customer, Merchant, User
from members.selectors.merchants import get_merchant
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db


def answer(request: HttpRequest) -> HttpResponse:
    return HttpResponse(timezone.get_current_timezone_name())


def test_times_are_in_the_merchants_time_zone(
    as_user: Callable[[User], Client], administrator: User
) -> None:
    get_merchant()
    Merchant.objects.update(time_zone="Asia/Kuala_Lumpur")
    customer = CustomerFactory()
    Customer.objects.update(created_at=datetime(2026, 3, 4, 20, tzinfo=UTC))
    url = reverse("backoffice:customer_identity", args=[customer.public_id])
    assert "Mar 5, 2026" in as_user(administrator).get(url).content.decode()
    assert timezone.get_current_timezone_name() == "UTC"


def test_programs_are_not_asked_for_the_merchant(rf: RequestFactory) -> None:
    request = rf.get("/api/v1/customers")
    assert MerchantMiddleware(answer)(request).content == b"UTC"
    assert not hasattr(request, "merchant")


@pytest.fixture
def request_of_htmx(rf: RequestFactory) -> HttpRequest:
    request = rf.post("/backoffice/", headers={"HX-Request": "true"})
    SessionMiddleware(answer).process_request(request)
    MessageMiddleware(answer).process_request(request)
    request.htmx = HtmxDetails(request)  # type: ignore[attr-defined]
    return request


def test_what_cannot_be_done_becomes_a_notice_and_leaves_the_page_alone(
    request_of_htmx: HttpRequest,
) -> None:
    middleware = MerchantMiddleware(answer)
    response = middleware.process_exception(request_of_htmx, ConflictError("Not now."))
    assert response is not None
    assert response["HX-Reswap"] == "none"
    assert [str(message) for message in get_messages(request_of_htmx)] == ["Not now."]


def test_what_is_not_there_is_a_page_that_is_not_there(rf: RequestFactory) -> None:
    middleware = MerchantMiddleware(answer)
    with pytest.raises(Http404):
        middleware.process_exception(rf.get("/backoffice/"), NotFoundError("Gone."))


def test_other_errors_are_left_to_others(rf: RequestFactory) -> None:
    middleware = MerchantMiddleware(answer)
    assert middleware.process_exception(rf.get("/backoffice/"), ValueError()) is None
    assert middleware.process_exception(rf.get("/api/v1/x"), NotFoundError("Gone.")) is None
    # A plain page shows its forms again itself; a service that fails unasked is a bug to be seen.
    assert middleware.process_exception(rf.post("/backoffice/"), DomainError("No.")) is None


def test_looking_leaves_no_trace(as_user: Callable[[User], Client], administrator: User) -> None:
    as_user(administrator).get(reverse("backoffice:home"))
    assert not AuditEntry.objects.exists()
