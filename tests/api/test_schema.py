"""The OpenAPI document and the page that shows it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from django.test import Client
from django.urls import URLPattern, get_resolver
from drf_spectacular import validation
from jsonschema import Draft202012Validator
from playwright.sync_api import expect
from pydantic import BaseModel

from campaigns.api.v1.urls import (
    broadcast_urls,
    calendar_urls,
    campaign_urls,
    challenge_urls,
    experiment_urls,
    game_urls,
    journey_urls,
    post_urls,
    referral_urls,
    survey_urls,
    webhook_urls,
)
from campaigns.api.v1.urls import message_urls as messages_urls
from campaigns.webhook_events import told_types
from loyalty.api.v1.urls import urlpatterns as loyalty_urls
from members.api.schema import _examples
from members.api.v1.urls import urlpatterns as members_urls
from members.pattern_words import words_for
from rewards.api.v1.urls import urlpatterns as rewards_urls
from tests.api.conftest import BASE, ApiClient

# Which languages are offered is read from the database, if nothing has asked for them before.
pytestmark = pytest.mark.django_db

# What needs a body and writes nothing.
# What a PUT tells of what it changed is told again, which what it says alone could not do.
PUT_WITH_KEY = {("put", f"{BASE}/programs/{{code}}/definition")}
READ_BY_POST = (
    f"{BASE}/refunds/preview", f"{BASE}/quotes", f"{BASE}/segment-previews",
    f"{BASE}/vouchers/check", f"{BASE}/checkouts/quote", f"{BASE}/till/people",
    f"{BASE}/gift-cards/check",
    f"{BASE}/member-tokens", f"{BASE}/tier-badges", f"{BASE}/storefront/basket",
    f"{BASE}/me/storefront/basket", f"{BASE}/me/memberships/{{membership_id}}/quote",
    f"{BASE}/access/check", f"{BASE}/content/{{content_id}}/link",
    f"{BASE}/surveys/{{survey_id}}/links",
    f"{BASE}/me/memberships/{{membership_id}}/library/{{content_id}}/link",
)  # fmt: skip


@pytest.fixture
def document(client: Client) -> dict[str, Any]:
    response = client.get(f"{BASE}/schema")
    assert response["Content-Type"] == "application/json"
    found: dict[str, Any] = json.loads(response.content)
    return found


def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    # As drf-spectacular's `validate_schema` does, which takes seconds.
    described = Path(validation.__file__).with_name("openapi_3_1_schema.json")
    jsonschema_rs.validate(json.loads(described.read_text()), document)


def test_yaml_says_the_same(client: Client, document: dict[str, Any]) -> None:
    by_address = client.get(f"{BASE}/schema?format=yaml")
    by_header = client.get(f"{BASE}/schema", headers={"Accept": "application/yaml"})
    for response in (by_address, by_header):
        assert response["Content-Type"] == "application/yaml"
    # Reading it takes seconds, if it is not done by the library in C.
    assert by_header.content == by_address.content
    assert yaml.load(by_header.content, Loader=yaml.CSafeLoader) == document


def test_every_address_and_method_is_described(document: dict[str, Any]) -> None:
    patterns: list[URLPattern] = [
        *members_urls, *loyalty_urls, *rewards_urls, *messages_urls, *webhook_urls,
        *survey_urls, *journey_urls, *campaign_urls, *challenge_urls, *game_urls, *referral_urls,
        *post_urls, *broadcast_urls, *experiment_urls,
        *calendar_urls,
    ]  # fmt: skip
    for pattern in patterns:
        path = f"{BASE}/" + re.sub(r"<\w+:(\w+)>", r"{\1}", str(pattern.pattern))
        described = set(document["paths"][path])
        assert described == {method.lower() for method in pattern.callback.cls.scopes}, path
    assert len(document["paths"]) == len(patterns)


def test_no_two_models_of_the_document_have_one_name(document: dict[str, Any]) -> None:
    """The second would be described as the first."""
    found: dict[str, set[str]] = {}
    for model in models_below(BaseModel):
        if ".api." in model.__module__:
            found.setdefault(model.__name__, set()).add(model.__module__)
    assert {name: places for name, places in found.items() if len(places) > 1} == {}


def models_below(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for below in model.__subclasses__():
        yield below
        yield from models_below(below)


def test_every_operation_says_what_all_share(document: dict[str, Any]) -> None:
    names = set()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation.get("security", []) == security_of(path), path
            assert "Scope: `" in operation["description"]
            refused = operation["responses"]["429"]["$ref"].rpartition("/")[2]
            assert document["components"]["responses"][refused]["headers"]
            assert ({"401", "403"} <= operation["responses"].keys()) == bool(security_of(path))
            names.add(operation["operationId"])
            parameters = {item["name"] for item in operation.get("parameters", [])}
            writes = method == "post" and path not in READ_BY_POST
            writes |= (method, path) in PUT_WITH_KEY
            assert ("Idempotency-Key" in parameters) == writes, path
            compares = {"412", "428"} <= operation["responses"].keys()
            assert compares == ("If-Match" in parameters), path
    assert len(names) == sum(len(methods) for methods in document["paths"].values())


def test_every_operation_says_what_it_does_in_a_line(document: dict[str, Any]) -> None:
    """It is what stands beside its address in lists of operations."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            summary = operation["summary"]
            assert 4 < len(summary) < 200, (method, path, summary)
            assert "\n" not in summary


def test_the_examples_fit_their_schemas(document: dict[str, Any]) -> None:
    """Whoever sends one as it is shown is not refused for its form."""
    shown = {
        operation["operationId"]: operation["requestBody"]["content"]["application/json"]
        for methods in document["paths"].values()
        for operation in methods.values()
        if "example"
        in operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    }
    assert shown.keys() == _examples().keys()
    for name, content in shown.items():
        schema = {**content["schema"], "components": document["components"]}
        wrong = list(Draft202012Validator(schema).iter_errors(content["example"]))
        assert wrong == [], f"{name}: {wrong[0].message}"


def test_a_text_without_its_form_is_told_what_to_write(document: dict[str, Any]) -> None:
    """A regular expression is nothing to read in a refusal."""
    found = set(patterns_in(document))
    assert len(found) > 15
    assert {pattern for pattern in found if words_for(pattern) is None} == set()


def patterns_in(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("pattern"), str):
            yield part["pattern"]
        part = list(part.values())
    if isinstance(part, list):
        for item in part:
            yield from patterns_in(item)


def security_of(path: str) -> list[dict[str, list[str]]]:
    """What opens an address: a member's token what is theirs, an API key all else but what is
    for everybody."""
    below = path.removeprefix(f"{BASE}/")
    if below == "storefront" or below.startswith("storefront/"):
        return []
    return [{"memberToken": []}] if below.split("/")[0] == "me" else [{"apiKey": []}]


def test_all_that_webhooks_are_told_is_described(document: dict[str, Any]) -> None:
    assert list(document["webhooks"]) == [kind.name for kind in told_types()]
    told = document["webhooks"]["points.earned"]["post"]["requestBody"]["content"]
    data = told["application/json"]["schema"]["properties"]["data"]
    assert data == {"$ref": "#/components/schemas/ToldMovementData"}
    assert "units" in document["components"]["schemas"]["ToldMovementData"]["required"]


def test_the_document_needs_no_key(client: Client) -> None:
    assert client.get(f"{BASE}/schema").status_code == 200
    assert client.post(f"{BASE}/schema").status_code == 405


def test_unknown_addresses_are_answered_last() -> None:
    found = get_resolver().resolve(f"{BASE}/schema")
    assert found.url_name == "schema"
    assert ApiClient().get("/schemas").status_code == 404


# Making the document takes seconds, which nobody should wait for in the browser.
@pytest.mark.usefixtures("document")
@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_reference_page_works_under_the_strict_policy(
    page: Any, document: dict[str, Any]
) -> None:
    """The document is made already, so that what is waited for is drawing it alone."""
    page.goto(f"{BASE}/docs")
    page.get_by_role("heading", name="Setia API").wait_for()
    page.locator("#operations-tag-orders").click()
    page.locator("#operations-orders-recordOrder").click()
    page.get_by_text("Record an order; one that is known").wait_for()
    page.locator(".opblock-body").get_by_role("button", name="Execute").wait_for()
    # The page puts schemas in place of references itself.
    body = page.locator(".opblock-body textarea.body-param__text").first
    expect(body).to_have_value(re.compile('"taxes_included": true'))
    expect(page.locator(".errors-wrapper")).to_have_count(0)
