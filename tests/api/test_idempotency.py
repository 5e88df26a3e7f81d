"""Idempotency-Key: one answer for one request, whatever happens in between."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator

import pytest
from django.db import connection
from django.utils import timezone

from members.api.v1 import customers
from members.models import Customer, IdempotencyRecord
from members.services.api_keys import SCOPES, create_api_key
from members.services.audit import SYSTEM
from members.tasks import prune_idempotency_records
from tests.api.conftest import ApiClient, assert_problem

BODY = {"given_name": "Ann"}


def test_a_key_belongs_to_its_api_key(api: ApiClient) -> None:
    _key, secret = create_api_key(actor=SYSTEM, name="other", scopes=list(SCOPES))
    first = api.post("/customers", BODY, Idempotency_Key="k").json()
    other = ApiClient(secret).post("/customers", BODY, Idempotency_Key="k").json()
    assert other["id"] != first["id"]


def test_a_key_belongs_to_its_address(api: ApiClient) -> None:
    api.post("/customers", BODY, Idempotency_Key="k")
    answer = api.post("/memberships", BODY, Idempotency_Key="k")
    assert_problem(answer, 422, "idempotency_key_reused")


def test_a_refused_request_may_be_corrected_under_its_key(api: ApiClient) -> None:
    answer = api.post("/customers", {"email": "no"}, Idempotency_Key="k")
    assert_problem(answer, 422, "invalid_request")
    assert api.post("/customers", BODY, Idempotency_Key="k").status_code == 201
    assert IdempotencyRecord.objects.count() == 1


def test_a_crash_leaves_neither_work_nor_record(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.http.raise_request_exception = False
    with monkeypatch.context() as patched:
        patched.setattr(customers, "customer_out", lambda _customer: 1 / 0)
        answer = api.post("/customers", BODY, Idempotency_Key="k")
        assert_problem(answer, 500, "internal_error")
    assert not IdempotencyRecord.objects.exists()
    assert api.post("/customers", BODY, Idempotency_Key="k").status_code == 201


def test_old_records_are_forgotten(api: ApiClient) -> None:
    api.post("/customers", BODY, Idempotency_Key="old")
    api.post("/customers", BODY, Idempotency_Key="new")
    IdempotencyRecord.objects.filter(key="old").update(
        created_at=timezone.now() - dt.timedelta(hours=25)
    )
    assert prune_idempotency_records() == 1
    assert [record.key for record in IdempotencyRecord.objects.all()] == ["new"]


@pytest.mark.django_db(transaction=True)
class TestAtTheSameTime:
    @pytest.fixture
    def gate(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[threading.Event, ...]]:
        """The first request stops at work until it is let go."""
        working, let_go = threading.Event(), threading.Event()
        create = customers.create_customer

        def slow(**values: object) -> Customer:
            working.set()
            assert let_go.wait(10)
            return create(**values)  # type: ignore[arg-type]

        monkeypatch.setattr(customers, "create_customer", slow)
        yield working, let_go
        let_go.set()

    def test_the_second_is_told_that_the_first_still_runs(
        self, api: ApiClient, gate: tuple[threading.Event, ...]
    ) -> None:
        working, let_go = gate
        answers = []

        def first() -> None:
            answers.append(api.post("/customers", BODY, Idempotency_Key="k").status_code)
            connection.close()

        thread = threading.Thread(target=first)
        thread.start()
        assert working.wait(10)
        response = api.post("/customers", BODY, Idempotency_Key="k")
        assert_problem(response, 409, "idempotency_key_in_use")
        assert response["Retry-After"] == "1"
        let_go.set()
        thread.join()
        assert answers == [201]
        again = api.post("/customers", BODY, Idempotency_Key="k")
        assert again["Idempotent-Replayed"] == "true"
        assert Customer.objects.count() == 1
