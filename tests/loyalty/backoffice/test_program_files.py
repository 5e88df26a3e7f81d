"""A program as a file in the browser: uploaded or written, what it changes read, then applied."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from loyalty.models import ActivityType, EarningRuleVersion, Program
from loyalty.program_files import dump_definition, dump_program
from members.models import AuditEntry, StaffMember
from tests.loyalty.backoffice.conftest import url
from tests.loyalty.factories import define, make_program

NEW = """\
code: tea-club
name: Tea Club
currency: USD
wallet_types:
  - code: leaves
    singular: leaf
    plural: leaves
  - code: credit
    singular: dollar of credit
    plural: dollars of credit
    decimals: 2
    stored_value: true
earning_rules:
  - code: base
    name: A leaf a dollar
    wallet_type: leaves
"""


def text_of(program: Program) -> str:
    return dump_program(Program.objects.get(pk=program.pk), timezone.now())


def upload(text: str) -> dict[str, Any]:
    return {"file": SimpleUploadedFile("club.yaml", text.encode()), "text": ""}


def look(client: Client, program: Program, text: str) -> Any:
    return client.post(url("program_file", program.code), {"text": text})


def apply(client: Client, program: Program, text: str) -> Any:
    """Look at it, then apply what was looked at."""
    seen = look(client, program, text).context["seen"]
    said = {"text": text, "seen": seen, "confirmed": "1"}
    return client.post(url("program_file", program.code), said)


def test_the_page_begins_with_what_the_program_says(manager: Client, program: Program) -> None:
    page = manager.get(url("program_file", program.code)).content.decode()
    assert "code: club" in page
    unchanged = look(manager, program, text_of(program))
    assert unchanged.url == url("program_page", program.code)


def test_an_uploaded_file_is_shown_with_what_it_adds_changes_and_takes_out(
    manager: Client, db: None
) -> None:
    extra = {"code": "extra", "name": "More on Mondays"}
    program = make_program(earning_rules=[{}, extra])
    stars = {"code": "stars", "singular": "star", "plural": "stars"}
    text = dump_definition(define(name="Society", wallet_types=[{}, stars], earning_rules=[{}]))
    shown = manager.post(url("program_file", program.code), upload(text))
    assert shown.context["counts"] == {"added": 1, "changed": 1, "removed": 1}
    page = shown.content.decode()
    for words in ("wallet_types[stars]", "earning_rules[extra]", "More on Mondays", "Society",
                  "Rule “More on Mondays” ends now", "Stars can be collected"):  # fmt: skip
        assert words in page
    program.refresh_from_db()
    assert (program.name, program.wallet_types.count()) == ("Club", 1)


def test_what_was_read_is_applied_and_written_down(manager: Client, program: Program) -> None:
    text = text_of(program).replace("name: Club\n", "name: Society\n", 1)
    answer = apply(manager, program, text)
    assert answer.url == url("program_page", program.code)
    program.refresh_from_db()
    assert program.name == "Society"
    entry = AuditEntry.objects.filter(action="program.changed").latest("pk")
    assert entry.actor is not None
    assert "Society" in str(entry.after)


def test_what_somebody_changed_since_it_was_read_is_read_again(
    manager: Client, program: Program
) -> None:
    text = text_of(program).replace("name: Club\n", "name: Society\n", 1)
    seen = look(manager, program, text).context["seen"]
    Program.objects.filter(pk=program.pk).update(description="Meanwhile.")
    said = {"text": text, "seen": seen, "confirmed": "1"}
    answer = manager.post(url("program_file", program.code), said)
    assert "Somebody else changed this program meanwhile" in answer.content.decode()
    assert "description" in answer.content.decode()
    assert Program.objects.get(pk=program.pk).name == "Club"


def test_what_is_wrong_is_named_by_line_and_path_and_can_be_mended_there(
    manager: Client, program: Program
) -> None:
    text = text_of(program).replace("currency: USD", "currency: usd")
    answer = manager.post(url("program_file", program.code), upload(text))
    assert answer.status_code == 422
    [(place, message)] = answer.context["wrong"]
    assert (place[:4], place.endswith(", currency")) == ("line", True)
    assert "three capital letters" in message
    assert "currency: usd" in answer.content.decode()


def test_what_would_rewrite_the_past_is_refused_at_its_path(
    manager: Client, program: Program
) -> None:
    answer = look(manager, program, text_of(program).replace("status: live", "status: draft"))
    assert answer.context["wrong"] == [
        ("status", "A program that was live cannot become a draft again.")
    ]


def test_a_file_of_another_program_is_refused(manager: Client, program: Program) -> None:
    answer = look(manager, program, NEW)
    [(place, message)] = answer.context["wrong"]
    assert place == "code"
    assert "another program" in message


@pytest.mark.parametrize("said", [{"text": ""}, {"file": SimpleUploadedFile("x", b"\xff\xfe")}])
def test_nothing_and_what_is_no_text_are_refused(
    manager: Client, program: Program, said: dict[str, Any]
) -> None:
    answer = manager.post(url("program_file", program.code), said)
    assert answer.status_code == 422
    assert "file" in answer.context["form"].errors


def test_one_goes_back_to_the_file_as_it_was(manager: Client, program: Program) -> None:
    said = {"text": "code: something", "edit": "1"}
    page = manager.post(url("program_file", program.code), said)
    assert "code: something" in page.content.decode()
    assert page.status_code == 200


def test_where_a_second_person_publishes_a_file_publishes_no_rule(
    manager: Client, program: Program
) -> None:
    Program.objects.filter(pk=program.pk).update(four_eyes=True)
    answer = look(manager, program, text_of(program).replace("units: '1'", "units: '3'"))
    [(place, message)] = answer.context["wrong"]
    assert place == "earning_rules[0]"
    assert "A second person publishes the rules" in message
    assert EarningRuleVersion.objects.filter(rule__program=program).count() == 1


def test_only_administrators_say_whether_a_second_person_publishes(
    manager: Client, client_of: Callable[[str], Client], program: Program
) -> None:
    text = text_of(program).replace("four_eyes: false", "four_eyes: true")
    [(place, _message)] = look(manager, program, text).context["wrong"]
    assert place == "four_eyes"
    apply(client_of("administrator"), program, text)
    assert Program.objects.get(pk=program.pk).four_eyes


def test_who_is_limited_to_a_program_changes_no_activities_of_all(
    manager: Client, program: Program
) -> None:
    user = manager.session["_auth_user_id"]
    StaffMember.objects.filter(user=user).update(programs=[program.pk])
    more = "activity_types:\n  - code: review\n    name: Review\n"
    answer = look(manager, program, text_of(program).replace("activity_types: []\n", more))
    [(place, _message)] = answer.context["wrong"]
    assert place == "activity_types[review]"
    assert not ActivityType.objects.exists()


def test_a_program_is_made_from_a_file(manager: Client, db: None) -> None:
    shown = manager.post(url("program_from_file"), upload(NEW))
    page = shown.content.decode()
    assert "Tea Club would be made" in page
    assert not Program.objects.exists()
    said = {"text": NEW, "seen": shown.context["seen"], "confirmed": "1"}
    answer = manager.post(url("program_from_file"), said)
    assert answer.url == url("program_page", "tea-club")
    made = Program.objects.get(code="tea-club")
    assert (made.status, made.wallet_types.filter(stored_value=True).count()) == ("draft", 1)
    again = manager.post(url("program_from_file"), upload(NEW))
    assert again.context["wrong"][0][0] == "code"
