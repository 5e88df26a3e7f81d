"""What holds for every endpoint: keys, problems, JSON, pages."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import OperationalError
from django.test import override_settings
from django.utils import timezone

from members.models import ApiKey, Customer
from members.selectors import customers as customer_selectors
from members.services.api_keys import create_api_key, forget_cached_keys, revoke_api_key
from members.services.audit import SYSTEM
from tests.api.conftest import ApiClient, assert_problem


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer x", "Basic c2V0aWE6eA==", "Bearer setia_0123456789_wrong"]
)
def test_without_a_good_key_nothing_is_answered(db: None, header: str) -> None:
    client = ApiClient()
    client.headers = {"Authorization": header} if header else {}
    response = client.get("/customers")
    assert_problem(response, 401, "unauthorized")
    assert response["WWW-Authenticate"].startswith('Bearer realm="Setia"')


def test_a_key_that_was_revoked_or_has_expired_opens_nothing(db: None) -> None:
    key, secret = create_api_key(actor=SYSTEM, name="till", scopes=["customers:read"])
    client = ApiClient(secret)
    assert client.get("/customers").status_code == 200
    revoke_api_key(actor=SYSTEM, key=key)
    assert_problem(client.get("/customers"), 401, "unauthorized")
    _key, secret = create_api_key(actor=SYSTEM, name="old", scopes=["customers:read"])
    ApiKey.objects.filter(name="old").update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    forget_cached_keys()
    assert_problem(ApiClient(secret).get("/customers"), 401, "unauthorized")


def test_the_use_of_a_key_is_noted(api: ApiClient) -> None:
    api.get("/customers")
    assert ApiKey.objects.get().last_used_at is not None


def test_a_missing_scope_is_named_in_the_challenge(db: None) -> None:
    _key, secret = create_api_key(actor=SYSTEM, name="till", scopes=["orders:read"])
    response = ApiClient(secret).get("/customers")
    assert_problem(response, 403, "insufficient_scope")
    assert 'scope="customers:read"' in response["WWW-Authenticate"]


@pytest.mark.parametrize("path", ["/nothing", "/customers/", "/customers/7", "/transfers/x"])
def test_an_unknown_address_is_a_problem_too(db: None, path: str) -> None:
    assert_problem(ApiClient().get(path), 404, "not_found")


def test_outside_of_a_version_too(db: None) -> None:
    assert_problem(ApiClient().get("/api/v2/customers"), 404, "not_found")


@pytest.mark.parametrize(
    "raw",
    [b"{", b"", b"[" * 5000, b"\xff\xfe", b'{"given_name": "\xff"}', b'{"given_name": "\\ud800"}',
     b'{"attributes": {"n": 1e999999}}', b"null", b"[]", b'{"attributes": NaN}'],
)  # fmt: skip
def test_what_is_not_a_json_object_is_refused(api: ApiClient, raw: bytes) -> None:
    response = api.request("POST", "/customers", raw=raw)
    assert response.status_code in {400, 422}
    assert response["Content-Type"] == "application/problem+json"
    if raw == b"{":
        assert_problem(response, 400, "malformed_json")


def test_other_kinds_of_content_are_refused(api: ApiClient) -> None:
    answer = api.post("/customers", {"given_name": "A"}, Content_Type="text/plain")
    assert_problem(answer, 415, "unsupported_media_type")
    kind = "application/json; charset=utf-8"
    assert api.post("/customers", {"given_name": "A"}, Content_Type=kind).status_code == 201


def test_who_does_not_take_json_is_told(api: ApiClient) -> None:
    assert_problem(api.get("/customers", Accept="text/html"), 406, "not_acceptable")
    assert_problem(api.get("/customers", Accept="application/json;q=0"), 406, "not_acceptable")
    accept = "text/html, application/*;q=0.5"
    assert api.get("/customers", Accept=accept).status_code == 200


@override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=1000)
def test_too_large_a_body_is_refused(api: ApiClient) -> None:
    assert_problem(api.post("/customers", {"given_name": "A" * 2000}), 413, "too_large")


def test_options_is_no_method_of_ours(api: ApiClient) -> None:
    assert_problem(api.request("OPTIONS", "/customers"), 405, "method_not_allowed")


def test_head_is_get_without_its_body(api: ApiClient) -> None:
    response = api.request("HEAD", "/customers")
    assert (response.status_code, response.content) == (200, b"")


def test_the_wrong_host_is_refused(api: ApiClient) -> None:
    response = api.http.get("/api/v1/customers", headers={"Host": "evil.example", **api.headers})
    assert_problem(response, 400, "invalid_request")


def test_no_session_is_begun_and_nothing_is_stored(api: ApiClient) -> None:
    response = api.get("/customers")
    assert not response.cookies
    assert response["Cache-Control"] == "no-store"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Request-ID"]


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [(OperationalError("gone"), 503, "unavailable"), (RuntimeError("oops"), 500, "internal_error")],
)
def test_an_unexpected_error_is_a_problem_without_details(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, code: str
) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise error

    monkeypatch.setattr(customer_selectors.Customer.objects, "select_related", fail)
    api.http.raise_request_exception = False
    response = api.get("/customers/8f1f54b6-0c1c-4d51-9d3b-5e8b1f9d1a11")
    body = assert_problem(response, status, code)
    assert str(error) not in body["detail"]


def test_problems_are_worded_in_the_language_asked_for(api: ApiClient) -> None:
    assert api.get("/nothing", Accept_Language="el")["Content-Language"] == "el"
    assert api.get("/nothing", Accept_Language="xx, *;q=0.1")["Content-Language"] == "en"


class TestPages:
    @pytest.fixture
    def many(self, db: None) -> list[str]:
        made = [Customer.objects.create(external_id=f"P-{number}") for number in range(7)]
        return [customer.external_id or "" for customer in reversed(made)]

    def numbers(self, page: dict[str, Any]) -> list[str]:
        return [item["external_id"] for item in page["results"]]

    def test_next_leads_through_all_and_previous_back(
        self, api: ApiClient, many: list[str]
    ) -> None:
        pages = [api.get("/customers?limit=3").json()]
        while pages[-1]["next"]:
            pages.append(api.get(pages[-1]["next"]).json())
        assert [number for page in pages for number in self.numbers(page)] == many
        assert pages[0]["previous"] is None
        back = [pages[-1]]
        while back[-1]["previous"]:
            back.append(api.get(back[-1]["previous"]).json())
        assert [self.numbers(page) for page in reversed(back)] == [
            self.numbers(page) for page in pages
        ]

    def test_new_rows_do_not_move_the_pages(self, api: ApiClient, many: list[str]) -> None:
        first = api.get("/customers?limit=3").json()
        Customer.objects.create(external_id="P-new")
        assert self.numbers(api.get(first["next"]).json()) == many[3:6]

    def test_filters_stay(self, api: ApiClient, many: list[str]) -> None:
        page = api.get("/customers?limit=3&external_id=P-1").json()
        assert page["next"] is None

    @pytest.mark.parametrize("cursor", ["x", "W10", "a" * 600, "%00"])
    def test_a_made_up_cursor_is_refused(
        self, api: ApiClient, many: list[str], cursor: str
    ) -> None:
        response = api.get(f"/customers?cursor={cursor}")
        code = "invalid_parameter" if len(cursor) > 512 else "invalid_cursor"
        assert_problem(response, 400, code, "cursor")

    def test_a_cursor_of_another_list_is_refused(self, api: ApiClient, many: list[str]) -> None:
        following = api.get("/customers?limit=3").json()["next"]
        cursor = following.partition("cursor=")[2].partition("&")[0]
        assert_problem(api.get(f"/programs?cursor={cursor}"), 400, "invalid_cursor")

    @pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "9" * 30, ""])
    def test_a_page_has_one_to_a_hundred_rows(self, api: ApiClient, limit: str) -> None:
        answer = api.get(f"/customers?limit={limit}")
        assert_problem(answer, 400, "invalid_parameter", "limit")


def test_a_text_without_its_form_is_told_how_to_write_it(api: ApiClient) -> None:
    body = {
        "external_id": "A-1", "placed_at": "2026-03-01T12:00:00Z", "currency": "usd", "total": "-5",
    }  # fmt: skip
    problem = assert_problem(api.post("/orders", body), 422, "invalid_request")
    assert {item["field"]: item["message"] for item in problem["errors"]} == {
        "currency": "Write three capital letters, like EUR.",
        "total": "Write an amount not below zero as text, like 12.50.",
    }
