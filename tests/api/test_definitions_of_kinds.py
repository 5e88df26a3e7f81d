"""Every kind of program over the API: what is read of it is put back, elsewhere too, and it can be
taken live by it."""

from __future__ import annotations

from typing import Any

import pytest

from loyalty.models import Program
from loyalty.program_templates.kinds import ProgramTemplate, build, read_answers
from loyalty.program_templates.registry import TEMPLATES
from loyalty.services.programs import apply_definition
from members.services.audit import SYSTEM
from tests.api.conftest import ApiClient
from tests.loyalty.factories import NOW

PATH = "/programs/club/definition"


@pytest.fixture(params=TEMPLATES, ids=lambda item: item.code)
def said(request: pytest.FixtureRequest, db: None, api: ApiClient) -> dict[str, Any]:
    """What the API reads of the draft that a kind makes of its defaults."""
    template: ProgramTemplate = request.param
    given = {"program_name": "Club", "code": "club", "currency": "USD"}
    apply_definition(build(template, read_answers(template, given)), actor=SYSTEM, now=NOW)
    found: dict[str, Any] = api.get(PATH).json()
    return found


def test_it_is_put_back_unchanged_as_a_draft_and_once_it_is_live(
    said: dict[str, Any], api: ApiClient
) -> None:
    for status in ("draft", "live"):
        read = api.get(PATH)
        assert read.json()["status"] == status
        again = api.put(PATH, read.json(), If_Match=read["ETag"])
        assert again.status_code == 200, again.json()
        assert again.json()["changes"] == []
        live = api.put(PATH, read.json() | {"status": "live"}, If_Match=read["ETag"])
        assert live.status_code == 200, live.json()
    assert Program.objects.get().status == "live"


def test_it_makes_the_same_elsewhere(said: dict[str, Any], api: ApiClient) -> None:
    other = said | {"code": "other"}
    answer = api.put("/programs/other/definition", other)
    assert answer.status_code == 201, answer.json()
    assert api.get("/programs/other/definition").json() == other
