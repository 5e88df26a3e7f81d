"""The tiers of a program as a page and a form, with what they make of the members first."""

from __future__ import annotations

import datetime as dt
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from loyalty.models import Program, TierSet
from loyalty.selectors.tier_sets import tiers_of
from members.models import AuditEntry
from tests.loyalty.backoffice.conftest import url
from tests.loyalty.backoffice.tier_forms import LADDER, form, values_of
from tests.loyalty.factories import make_program, make_type, order, record


@pytest.fixture
def program(db: None) -> Program:
    return make_program(at=timezone.now() - dt.timedelta(days=900), tiers={"tiers": LADDER})


def send(client: Client, values: dict[str, Any], code: str = "club") -> Any:
    return client.post(url("tier_set_edit", code), values)


def test_the_page_says_the_tiers_and_how_they_are_lost(manager: Client, program: Program) -> None:
    page = manager.get(url("tier_set_page", "club")).content.decode()
    for words in ("Silver", "from $500.00", "1.25 × points on purchases", "Gift: A mug",
                  "To what was reached", "everybody’s"):  # fmt: skip
        assert words in page
    assert "Edit the tiers" in page


def test_saving_the_form_as_it_is_changes_nothing(manager: Client, program: Program) -> None:
    answer = send(manager, form(manager))
    assert (answer.status_code, answer["Location"]) == (302, url("tier_set_page", "club"))
    assert TierSet.objects.count() == 1


def test_the_effect_is_shown_before_anything_is_saved(manager: Client, program: Program) -> None:
    for number, total in enumerate((100, 350, 700)):
        record(order(f"A{number}", str(total), buyer=f"c{number}", at=timezone.now()))
    values = form(manager) | {"tier-1-threshold": "300"}
    shown = send(manager, values).content.decode()
    assert "1 member goes up at once, 0 go down." in " ".join(shown.split())
    assert TierSet.objects.count() == 1
    confirmed = values_of(shown) | {"confirmed": "1"}
    assert send(manager, confirmed).status_code == 302
    tiers = tiers_of(program, timezone.now())
    assert tiers is not None
    assert [int(tier.threshold) for tier in tiers.tiers] == [0, 300]
    # What the form does not touch stays.
    assert tiers.tiers[1].benefits == benefits_before(program)
    assert AuditEntry.objects.filter(action="program.changed").exists()


def benefits_before(program: Program) -> Any:
    first = tiers_of(program, timezone.now() - dt.timedelta(days=1))
    assert first is not None
    return first.tiers[1].benefits


def test_steps_are_added_and_removed(manager: Client, program: Program) -> None:
    values = form(manager)
    more = values_of(send(manager, values | {"add": "1"}).content.decode())
    assert more["tier-TOTAL_FORMS"] == "3"
    blank = send(manager, more | {"confirmed": "1"})
    assert "required" in blank.content.decode()
    assert TierSet.objects.count() == 1
    more |= {"tier-2-name": "Gold", "tier-2-threshold": "1500"}
    fewer = values_of(send(manager, more | {"without": "1"}).content.decode())
    assert (fewer["tier-TOTAL_FORMS"], fewer["tier-1-name"]) == ("2", "Gold")
    send(manager, more | {"confirmed": "1"})
    tiers = tiers_of(program, timezone.now())
    assert tiers is not None
    assert [tier.code for tier in tiers.tiers] == ["base", "silver", "gold"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"tier-1-threshold": "0"}, "Each tier asks for more"),
        ({"tier-0-threshold": "5"}, "everybody"),
        ({"tier-1-name": ""}, "required"),
        ({"metric": "units"}, "Give wallet_type"),
        ({"metric": "score", "score": "dance 5"}, "no type of activity"),
        ({"grace_days": "400"}, "180"),
        ({"tier-1-factor": "0.5"}, "greater than 1"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_saved(
    manager: Client, program: Program, change: dict[str, str], says: str
) -> None:
    answer = send(manager, form(manager) | change | {"confirmed": "1"})
    assert answer.status_code == 200
    assert says in unescape(answer.content.decode())
    assert TierSet.objects.count() == 1


def test_a_program_gets_its_first_tiers(manager: Client, db: None) -> None:
    make_program("plain")
    make_type("review")
    assert "No tiers yet" in manager.get(url("tier_set_page", "plain")).content.decode()
    values = form(manager, "plain") | {"metric": "score", "score": "review 5", "confirmed": "1"}
    assert send(manager, values, "plain").status_code == 302
    tiers = tiers_of(Program.objects.get(code="plain"), timezone.now())
    assert tiers is not None
    assert [tier.name for tier in tiers.tiers] == ["Member", "Silver", "Gold"]
    assert [(item.activity, int(item.points)) for item in tiers.score] == [("review", 5)]


def test_analysts_read_and_do_not_edit(client_of: Any, program: Program) -> None:
    analyst = client_of("analyst")
    assert "Edit the tiers" not in analyst.get(url("tier_set_page", "club")).content.decode()
