"""Schemathesis sends what the OpenAPI document allows, and what it does not."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from django.db import connection
from django.test import override_settings
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi import checks

from config.wsgi import application
from loyalty.models import Membership
from members.services.api_keys import SCOPES, create_api_key
from members.services.audit import SYSTEM
from tests.api.conftest import BASE, ApiClient, order_body

# An order can fit its schema and still contradict itself: 422 is then right, and so `positive data
# is accepted` is no rule here.
CHECKS: list[Callable[..., Any]] = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
    checks.unsupported_method,
    checks.missing_required_header,
    checks.ignored_auth,
]
EXAMPLES = int(os.environ.get("SETIA_FUZZ", "12"))


@pytest.fixture
def secret(membership: Membership) -> str:
    """A key for a database that is not empty."""
    _key, secret = create_api_key(actor=SYSTEM, name="fuzz", scopes=list(SCOPES))
    ApiClient(secret).post("/orders", order_body())
    return secret


@pytest.fixture
def kept_connection(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where people use it, a request finds the connection of the one before."""
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 600)


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.usefixtures("kept_connection")
@pytest.mark.django_db(transaction=True)
@override_settings(
    API_REQUESTS_PER_MINUTE=0, MEMBER_REQUESTS_PER_MINUTE=0, PUBLIC_REQUESTS_PER_MINUTE=0,
    ALLOWED_HOSTS=["*"],
)  # fmt: skip
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_the_api_keeps_to_its_description(
    secret: str, mode: GenerationMode, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whether the application is one of Flask's is asked with every request; that there is no Flask
    # is known without a look through all folders.
    monkeypatch.setitem(sys.modules, "flask", None)
    schema = schemathesis.openapi.from_wsgi(f"{BASE}/schema", application)
    asked = {"customer": {"external_id": "C-1"}, "minutes": 60}
    token = ApiClient(secret).post("/member-tokens", asked).json()["token"]
    tried = 0
    for result in schema.get_all_operations():
        operation = result.ok()

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def attempt(case: Any) -> None:
            # A parameter without a name is never sent: that is the request without it.
            own = case.operation.path.startswith((f"{BASE}/me", "/me"))
            headers = {"Authorization": f"Bearer {token if own else secret}"}
            if not case.query or "" not in case.query:
                case.call_and_validate(headers=headers, checks=CHECKS)

        try:
            attempt()
        except Exception as error:
            if "Unsatisfiable" not in type(error).__name__:
                raise
            continue
        tried += 1
    assert tried >= 15
