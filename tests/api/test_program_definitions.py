"""/programs/{code}/definition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from loyalty.models import EarningRuleVersion, Program
from loyalty.program_files import load_program
from loyalty.selectors.programs import definition_of
from members.models import AuditEntry
from members.services.api_keys import SCOPES, create_api_key
from members.services.audit import SYSTEM
from tests.api.conftest import ApiClient, assert_problem
from tests.loyalty.factories import define

pytestmark = pytest.mark.usefixtures("beans_for_all")

PATH = "/programs/beans/definition"
NEW: dict[str, Any] = {
    "code": "tea",
    "name": "Tea",
    "currency": "USD",
    "wallet_types": [{"unit_value": "0.01"}, {"code": "stars", "plural": "stars"}],
    "earning_rules": [{}],
}


def read(api: ApiClient) -> tuple[dict[str, Any], str]:
    found = api.get(PATH)
    return found.json(), found["ETag"]


def put(api: ApiClient, body: dict[str, Any], path: str = PATH, **headers: str) -> Any:
    return api.put(path, body, **headers)


def test_what_was_read_is_put_and_changes_nothing(api: ApiClient, program: Program) -> None:
    said, mark = read(api)
    assert (said["code"], said["wallet_types"][0]["unit_value"]) == ("beans", "0.01")
    answer = put(api, said, If_Match=mark)
    assert (answer.status_code, answer["ETag"]) == (200, mark)
    assert answer.json() == {
        "code": "beans", "dry_run": False, "created": False, "changes": [], "differences": [],
        "etag": mark,
    }  # fmt: skip
    assert Program.objects.get(pk=program.pk).revision == program.revision


def test_a_change_is_tried_then_made(api: ApiClient, program: Program) -> None:
    said, mark = read(api)
    said["wallet_types"].append({"code": "stars", "singular": "star", "plural": "stars"})
    said["wallet_types"][0]["unit_value"] = "0.02"
    tried = put(api, said, f"{PATH}?dry_run=true", If_Match=mark).json()
    assert (tried["dry_run"], tried["created"], tried["etag"]) == (True, False, mark)
    places = {item["path"]: item for item in tried["differences"]}
    assert places["wallet_types[stars]"]["kind"] == "added"
    assert places["wallet_types[stars]"]["after"]["plural"] == "stars"
    worth = places["wallet_types[points].unit_value"]
    assert (worth["kind"], worth["before"], worth["after"]) == ("changed", "0.01", "0.02")
    assert "Stars can be collected" in tried["changes"]
    assert program.wallet_types.count() == 1
    done = put(api, said, If_Match=mark)
    assert done.json()["differences"] == tried["differences"]
    assert program.wallet_types.count() == 2
    assert read(api)[1] == done["ETag"] == done.json()["etag"] != mark
    entry = AuditEntry.objects.filter(action="program.changed").latest("pk")
    assert "API key" in entry.actor_label


def test_a_program_is_made_by_putting_a_new_code(api: ApiClient, db: None) -> None:
    tried = put(api, NEW, "/programs/tea/definition?dry_run=true")
    assert (tried.status_code, tried.json()["created"]) == (200, True)
    assert not Program.objects.filter(code="tea").exists()
    made = put(api, NEW, "/programs/tea/definition")
    assert (made.status_code, made.json()["created"]) == (201, True)
    assert Program.objects.get(code="tea").wallet_types.count() == 2
    assert_problem(put(api, NEW, "/programs/tea/definition"), 428, "if_match_required")


def test_whoever_read_another_program_is_refused(api: ApiClient, program: Program) -> None:
    said, mark = read(api)
    put(api, said | {"name": "Other beans"}, If_Match=mark)
    stale = put(api, said, If_Match=mark)
    assert_problem(stale, 412, "changed_meanwhile")
    assert_problem(put(api, said), 428, "if_match_required")
    assert Program.objects.get(pk=program.pk).name == "Other beans"
    assert put(api, said, If_Match="*").status_code == 200
    assert_problem(put(api, NEW, "/programs/tea/definition", If_Match="*"), 412,
                   "changed_meanwhile")  # fmt: skip


def test_a_repeated_request_is_answered_as_before_and_trying_is_another_one(
    api: ApiClient, program: Program
) -> None:
    said, mark = read(api)
    said["name"] = "Other beans"
    first = put(api, said, If_Match=mark, Idempotency_Key="d-1")
    again = put(api, said, If_Match=mark, Idempotency_Key="d-1")
    assert again.json() == first.json()
    assert again["Idempotent-Replayed"] == "true"
    other = put(api, said, f"{PATH}?dry_run=true", If_Match=mark, Idempotency_Key="d-1")
    assert_problem(other, 422, "idempotency_key_reused", "Idempotency-Key")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"currency": "usd"}, "currency"),
        ({"code": "tea"}, "code"),
        ({"wallet_types": [{"code": "points", "decimals": 9}]}, "wallet_types[0].decimals"),
        ({"earning_rules": [{"wallet_type": "stars"}]}, "earning_rules[0].wallet_type"),
        ({"rewards": [{"code": "mug"}]}, "rewards[0].name"),
        ({"nonsense": 1}, "nonsense"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(
    api: ApiClient, program: Program, change: dict[str, Any], field: str
) -> None:
    said, mark = read(api)
    assert_problem(put(api, said | change, If_Match=mark), 422, "invalid_request", field)


def test_what_would_rewrite_the_past_is_refused_also_when_only_tried(
    api: ApiClient, program: Program
) -> None:
    said, mark = read(api)
    answer = put(api, said | {"status": "draft"}, f"{PATH}?dry_run=true", If_Match=mark)
    assert_problem(answer, 409, "would_rewrite_the_past", "status")


def test_where_a_second_person_publishes_a_key_does_not(api: ApiClient, program: Program) -> None:
    Program.objects.filter(pk=program.pk).update(four_eyes=True)
    said, mark = read(api)
    rule = said["earning_rules"][0] | {"units": "3"}
    answer = put(api, said | {"earning_rules": [rule]}, If_Match=mark)
    assert_problem(answer, 409, "second_person", "earning_rules[0]")
    tiers = {"tiers": [{"code": "first", "name": "First", "threshold": 0},
                       {"code": "second", "name": "Second", "threshold": 10}]}  # fmt: skip
    assert_problem(put(api, said | {"tiers": tiers}, If_Match=mark), 409, "second_person", "tiers")
    off = put(api, said | {"four_eyes": False}, If_Match=mark)
    assert_problem(off, 422, "invalid_request", "four_eyes")
    assert EarningRuleVersion.objects.filter(rule__program=program).count() == 1
    # What nobody has to publish is changed as ever.
    assert put(api, said | {"name": "Other"}, If_Match=mark).status_code == 200


def test_where_a_second_person_publishes_a_key_takes_no_program_live(
    api: ApiClient, db: None
) -> None:
    made = put(api, NEW | {"four_eyes": True}, "/programs/tea/definition")
    said = api.get("/programs/tea/definition").json()
    live = put(api, said | {"status": "live"}, "/programs/tea/definition", If_Match=made["ETag"])
    assert_problem(live, 409, "second_person")
    assert Program.objects.get(code="tea").status == "draft"


def test_who_may_not(
    outsider: ApiClient, key_with: Callable[..., ApiClient], program: Program
) -> None:
    assert_problem(outsider.get(PATH), 401, "unauthorized")
    reader = key_with("programs:read")
    said = reader.get(PATH).json()
    assert_problem(put(reader, said, If_Match="*"), 403, "insufficient_scope")
    writer = key_with("programs:write")
    assert put(writer, said, If_Match="*").status_code == 200
    assert_problem(writer.get(PATH), 403, "insufficient_scope")
    assert_problem(reader.get("/programs/tea/definition"), 404, "not_found")


def test_what_is_read_is_what_the_file_says(api: ApiClient, program: Program) -> None:
    said, _mark = read(api)
    here = definition_of(program, timezone.now())
    assert type(define()).model_validate(said) == here
    # It can be applied as a file, too.
    assert load_program(api.get(PATH).content.decode()) == here


def test_a_key_of_one_program_reaches_no_other_and_nothing_that_all_share(
    api: ApiClient, program: Program
) -> None:
    put(api, NEW, "/programs/tea/definition")
    _key, secret = create_api_key(
        actor=SYSTEM, name="Beans", scopes=list(SCOPES), programs=[program.pk]
    )
    limited = ApiClient(secret)
    said, mark = read(limited)
    # Another one, and one that is not there: neither is said to be there.
    for code in ("tea", "milk"):
        path = f"/programs/{code}/definition"
        for how in ({}, {"If_Match": "*"}, {"If_Match": mark}):
            answer = put(limited, NEW | {"code": code}, path, **how)
            assert_problem(answer, 404, "not_found")
    more = said | {"activity_types": [{"code": "review", "name": "Review"}]}
    refused = put(limited, more, If_Match=mark)
    assert_problem(refused, 422, "invalid_request", "activity_types[review]")
    assert put(limited, said | {"name": "Other"}, If_Match=mark).status_code == 200
    assert list(Program.objects.order_by("code").values_list("code", flat=True)) == ["beans", "tea"]
