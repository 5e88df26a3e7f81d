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
from hypothesis import HealthCheck, Phase, core, given, settings
from hypothesis.internal.conjecture import providers
from hypothesis.strategies import SearchStrategy
from hypothesis.strategies._internal import utils
from jsonschema_rs import canonical
from schemathesis import GenerationMode
from schemathesis.generation.jsonschema import builder, strategy
from schemathesis.specs.openapi import checks, converter

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
# So often an operation is tried that takes many things, others once for each thing that they take
# and once more; a longer search tries all of them so many times more often.
MANY = 12
EXAMPLES = int(os.environ.get("SETIA_FUZZ", MANY))


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


# Schemas of single values, which nothing around them changes.
SINGLE = {
    canonical.CanonicalKind.STRING, canonical.CanonicalKind.INTEGER,
    canonical.CanonicalKind.NUMBER, canonical.CanonicalKind.MULTI_TYPE,
    canonical.CanonicalKind.CONST, canonical.CanonicalKind.ENUM,
}  # fmt: skip


def kept_for_all(make: Callable[..., Any]) -> Callable[..., Any]:
    """Strategies of single values are the same in all bodies: a pattern is read, and what it may
    be made of worked out, once and not for each operation and each wrong body anew."""
    known: dict[Any, Any] = {}

    def strategy_of(schema: Any, ctx: Any) -> Any:
        if schema.kind not in SINGLE:
            return make(schema, ctx)
        key = (schema, ctx.root.draft, ctx.alphabet, id(ctx.formats), ctx.whole_floats)
        if key not in known:
            # With the formats, so that others do not come to stand in their place.
            known[key] = (make(schema, ctx), ctx.formats)
        return known[key][0]

    return strategy_of


@pytest.fixture
def cheaper(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same requests for half of what it takes to think of them."""
    keeping = kept_for_all(strategy.from_schema)
    for module in (strategy, builder):
        monkeypatch.setattr(module, "from_schema", keeping)
    # Which of them was asked for longest ago is worked out with each that is made.
    monkeypatch.setattr(utils, "_STRATEGY_CACHE", {})
    # Where chance begins would be made of the test's source, which is the same for all operations
    # and were read and parsed for each.
    monkeypatch.setattr(core, "function_digest", lambda test: test.__qualname__.encode())
    # A pattern is kept as it is described, beside its lengths: with `{0,2000}` in place of its `*`
    # every validator and canonical form of a schema would count to 2,000 by states of their own.
    monkeypatch.setattr(converter, "update_quantifier", lambda pattern, *_lengths: pattern)
    # Strategies are made by Schemathesis, anew for each object: none is looked through for wrong
    # arguments before it is drawn from, where one would be said, too.
    monkeypatch.setattr(SearchStrategy, "validate", lambda _strategy: None)


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
    secret: str, mode: GenerationMode, cheaper: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whether the application is one of Flask's is asked with every request; that there is no Flask
    # is known without a look through all folders.
    monkeypatch.setitem(sys.modules, "flask", None)
    schema = schemathesis.openapi.from_wsgi(f"{BASE}/schema", application)
    # Whatever text the application's code has somewhere is no likelier value than others, and none
    # has to be looked for that would be allowed.
    monkeypatch.setattr(providers, "_get_local_constants", providers.Constants)
    schema.config.analysis.constants.enabled = False
    # Another key than the one given is refused before anything else is looked at; that a request
    # without one is refused, a check asks.
    schema.config.generation.with_security_parameters = False
    asked = {"customer": {"external_id": "C-1"}, "minutes": 60}
    token = ApiClient(secret).post("/member-tokens", asked).json()["token"]
    tried = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        own = {"memberToken": []} in operation.definition.raw.get("security", [])
        if mode == GenerationMode.POSITIVE or can_be_wrong(operation):
            tried += try_operation(operation, mode, token if own else secret)
    assert tried >= 15


def try_operation(operation: Any, mode: GenerationMode, key: str) -> bool:
    """Send what it allows, or does not; False if there is no such request."""
    answered: set[str] = set()

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=max(1, EXAMPLES * min(MANY, 1 + count_inputs(operation)) // MANY),
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def attempt(case: Any) -> None:
        # A parameter without a name is never sent: that is the request without it.
        if case.query and "" in case.query:
            return
        # What only reads answers the same question as before.
        asked = repr((case.path_parameters, case.query, case.headers, case.cookies))
        if case.method == "GET" and asked in answered:
            return
        answered.add(asked)
        case.call_and_validate(headers={"Authorization": f"Bearer {key}"}, checks=CHECKS)

    try:
        attempt()
    except Exception as error:
        if "Unsatisfiable" not in type(error).__name__:
            raise
        return False
    return True


def count_inputs(operation: Any) -> int:
    """How many things a request says: its parameters, and the fields of its body."""
    fields = [field for body in operation.body for field in fields_of(body.optimized_schema)]
    return len(list(operation.iter_parameters())) + len(fields)


def fields_of(schema: dict[str, Any]) -> list[str]:
    """Those of a body, which may be described beside the place where it is named."""
    place = schema.get("$ref", "").rpartition("/")[2]
    return list((schema["x-bundled"][place] if place else schema).get("properties", ()))


def can_be_wrong(operation: Any) -> bool:
    """Whether a request of its can differ from what is described: any text is a text."""
    in_path_and_headers = [*operation.path_parameters, *operation.headers]
    return bool([*operation.body, *operation.query]) or any(
        parameter.definition["schema"].keys() - {"title", "description"} != {"type"}
        or parameter.definition["schema"]["type"] != "string"
        for parameter in in_path_and_headers
    )
