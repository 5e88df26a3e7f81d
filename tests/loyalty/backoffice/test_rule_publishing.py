"""Earning rules in the browser: published, scheduled, by a second person, retired, discarded."""

import json
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from loyalty.models import Program
from loyalty.selectors.rules import row_of
from loyalty.services.rules import set_four_eyes
from members.services.audit import SYSTEM
from tests.loyalty.backoffice.conftest import url
from tests.loyalty.backoffice.rules import base, edit, in_days, publish, said, write

pytestmark = pytest.mark.usefixtures("program_for_all")
NEVER = {
    "all": [
        {"field": "order.total", "op": "at_least", "value": "50"},
        {"field": "order.total", "op": "less_than", "value": "20"},
    ]
}


@pytest.fixture
def administrator(client_of: Callable[[str], Client]) -> Client:
    return client_of("administrator")


@pytest.fixture
def analyst(client_of: Callable[[str], Client]) -> Client:
    return client_of("analyst")


def test_publishing_says_what_happens_and_then_it_counts(manager: Client, program: Program) -> None:
    edit(manager, base(program), units="3")
    address = url("rule_publish", program.code, "base")
    assert "version 1, which is live" in manager.get(address).content.decode()
    response = publish(manager, address)
    assert "is live" in said(response)[-1]
    assert row_of(base(program), timezone.now()).live.body["units"] == "3"


def test_a_rule_is_scheduled_and_the_schedule_is_undone(manager: Client, program: Program) -> None:
    edit(manager, base(program), units="3")
    address = url("rule_publish", program.code, "base")
    response = publish(manager, address, {"starts_at": in_days(5), "start_time": "10:30"})
    assert "is scheduled" in said(response)[-1]
    row = row_of(base(program), timezone.now())
    assert row.scheduled[0].starts_at.strftime("%H:%M") == "10:30"
    page = manager.get(url("rule_page", program.code, "base")).content.decode()
    undo = url("rule_undo", program.code, "base", row.scheduled[0].number)
    assert undo in page
    manager.post(undo)
    row = row_of(base(program), timezone.now())
    assert (row.scheduled, row.live.ends_at, row.draft.body["units"]) == ((), None, "3")


def test_a_last_day_is_a_whole_day(manager: Client, program: Program) -> None:
    rule = write(manager, program, "blank-fixed")
    publish(manager, url("rule_publish", program.code, rule.code), {"ends_at": in_days(3)})
    ends_at = rule.versions.get().ends_at
    assert ends_at.date().isoformat() == in_days(4)
    assert (ends_at.hour, ends_at.minute) == (0, 0)


def test_what_is_refused_stays_a_draft_and_says_why(manager: Client, program: Program) -> None:
    edit(manager, base(program), when=json.dumps(NEVER))
    response = publish(manager, url("rule_publish", program.code, "base"))
    assert response.status_code == 422
    assert "It can never award" in response.content.decode()
    assert row_of(base(program), timezone.now()).draft is not None


@pytest.mark.parametrize(
    ("times", "field"),
    [
        ({"starts_at": "2020-01-01"}, "starts_at"),
        ({"start_time": "10:00"}, "starts_at"),
        ({"starts_at": "2199-01-05", "ends_at": "2199-01-01"}, "ends_at"),
    ],
)
def test_times_that_make_no_sense_are_said_at_their_field(
    manager: Client, program: Program, times: dict[str, str], field: str
) -> None:
    edit(manager, base(program), units="3")
    response = publish(manager, url("rule_publish", program.code, "base"), times)
    assert list(response.context["form"].errors) == [field]


def test_a_second_person_publishes_what_the_first_has_asked_for(
    manager: Client, administrator: Client, program: Program
) -> None:
    set_four_eyes(program=program, on=True, actor=SYSTEM)
    edit(manager, base(program), units="3")
    address = url("rule_publish", program.code, "base")
    assert "Ask to publish" in manager.get(address).content.decode()
    publish(manager, address)
    assert row_of(base(program), timezone.now()).live.number == 1
    approvals = administrator.get(url("approval_list"))
    assert [(draft.rule.code, own) for draft, own in approvals.context["rules"]] == [
        ("base", False)
    ]
    publish(administrator, address)
    live = row_of(base(program), timezone.now()).live
    assert live.number == 2
    assert live.written_by != live.published_by


def test_what_was_changed_since_it_was_read_is_not_published(
    manager: Client, administrator: Client, program: Program
) -> None:
    edit(manager, base(program), units="3")
    address = url("rule_publish", program.code, "base")
    read = administrator.get(address)
    assert f'name="seen" value="{read.context["seen"]}"' in read.content.decode()
    edit(manager, base(program), units="30")
    for seen in (read.context["seen"], ""):
        response = administrator.post(address, {"seen": seen})
        assert response.status_code == 422
        assert "Somebody has changed the draft since you read it" in response.content.decode()
    assert row_of(base(program), timezone.now()).live.number == 1
    # The answer shows what it says now: that one may be published.
    assert administrator.post(address, {"seen": response.context["seen"]}).status_code == 302
    assert row_of(base(program), timezone.now()).live.body["units"] == "30"


def test_what_was_changed_since_it_was_read_is_not_asked_for(
    manager: Client, administrator: Client, program: Program
) -> None:
    set_four_eyes(program=program, on=True, actor=SYSTEM)
    edit(manager, base(program), units="3")
    address = url("rule_publish", program.code, "base")
    seen = manager.get(address).context["seen"]
    edit(administrator, base(program), units="30")
    assert manager.post(address, {"seen": seen}).status_code == 422
    assert row_of(base(program), timezone.now()).draft.asked_at is None


def test_a_draft_is_sent_back_with_a_reason(
    manager: Client, administrator: Client, program: Program
) -> None:
    set_four_eyes(program=program, on=True, actor=SYSTEM)
    edit(manager, base(program), units="3")
    publish(manager, url("rule_publish", program.code, "base"))
    address = url("rule_send_back", program.code, "base")
    assert administrator.post(address, {"note": ""}).status_code == 422
    administrator.post(address, {"note": "Far too much."})
    page = manager.get(url("rule_page", program.code, "base")).content.decode()
    assert "Far too much." in page


def test_only_administrators_change_who_publishes(
    manager: Client, administrator: Client, program: Program
) -> None:
    address = url("rule_settings", program.code)
    assert manager.post(address, {"four_eyes": "1"}).status_code == 403
    administrator.post(address, {"four_eyes": "1"})
    program.refresh_from_db()
    assert program.four_eyes


def test_a_rule_retires_and_an_end_to_come_is_called_off(manager: Client, program: Program) -> None:
    manager.post(url("rule_retire", program.code, "base"), {"ends_at": in_days(3)})
    page = manager.get(url("rule_page", program.code, "base")).content.decode()
    assert "It retires on" in page
    manager.post(url("rule_keep", program.code, "base"))
    assert row_of(base(program), timezone.now()).live.ends_at is None
    manager.post(url("rule_retire", program.code, "base"), {})
    assert row_of(base(program), timezone.now()).state == "ended"
    assert "Retired" in manager.get(url("rule_list", program.code)).content.decode()


def test_a_draft_is_discarded_and_a_rule_that_was_only_one_goes_with_it(
    manager: Client, program: Program
) -> None:
    edit(manager, base(program), units="3")
    rule = write(manager, program, "stamp-card")
    response = manager.post(url("rule_discard", program.code, "base"))
    assert response.url == url("rule_page", program.code, "base")
    response = manager.post(url("rule_discard", program.code, rule.code))
    assert response.url == url("rule_list", program.code)
    assert [each.code for each in program.earning_rules.all()] == ["base"]
