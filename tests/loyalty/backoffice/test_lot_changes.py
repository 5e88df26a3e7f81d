"""What a customer holds lot by lot; more time for it, and time again for what has expired."""

import datetime as dt
import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from loyalty.models import Lot, Transfer
from loyalty.services.expiry import write_down_expired
from loyalty.services.order_holds import hold_order
from loyalty.services.redemptions import redeem_units
from members.formatting import format_day
from members.models import AuditEntry
from members.services.audit import SYSTEM
from tests.loyalty.backoffice.conftest import Member, htmx, queries_of, url
from tests.loyalty.factories import make_program, order, record

pytestmark = pytest.mark.usefixtures("ana_for_all")

BEANS = {"singular": "Bean", "plural": "Beans", "unit_value": "0.01"}


def today(member: Member) -> dt.date:
    return timezone.now().astimezone(member.program.zone).date()


def in_days(member: Member, days: int) -> str:
    return (today(member) + dt.timedelta(days=days)).isoformat()


@pytest.fixture
def lot(ana: Member) -> Lot:
    """Ana's newest lot: 30 Beans that expire in ten days."""
    make_program("beans", name="Bean Club", time_zone="America/New_York",
                 unit={**BEANS, "expiry": {"kind": "days", "length": 10}})  # fmt: skip
    record(order("L-1", "30", at=timezone.now()))
    return Lot.objects.get(transfer__order__external_id="L-1")


@pytest.fixture
def expired(ana: Member) -> Transfer:
    """80 Beans of Ana's have expired, and that is written down."""
    make_program("beans", name="Bean Club", time_zone="America/New_York",
                 unit={**BEANS, "expiry": {"kind": "days", "length": 10}})  # fmt: skip
    record(order("L-2", "80", at=timezone.now() - dt.timedelta(days=20)), now=timezone.now())
    write_down_expired(timezone.now())
    return Transfer.objects.get(kind="expiry")


def panel(client: Client, member: Member) -> str:
    return client.get(url("lot_panel", member.customer.public_id)).content.decode()


def test_every_lot_says_what_is_left_and_until_when(agent: Client, ana: Member, lot: Lot) -> None:
    redeem_units(
        wallet=ana.wallet, units=10, key="k", source="api", actor=SYSTEM, now=timezone.now()
    )
    html = panel(agent, ana)
    assert html.index("Order L-1") < html.index("Order A-1001")
    assert "20\N{NO-BREAK SPACE}Beans" in html
    assert "of 30\N{NO-BREAK SPACE}Beans" in html
    assert format_day(today(ana) + dt.timedelta(days=10)) in html
    assert "They expire 10 days after they were earned." in html
    assert url("lot_extend", lot.pk) in html


def test_what_is_held_back_or_waits_says_so(agent: Client, ana: Member, lot: Lot) -> None:
    hold_order(order=lot.origin.order, actor=SYSTEM, reason="Odd", now=timezone.now())
    assert "Held back" in panel(agent, ana)
    make_program("beans", name="Bean Club", unit={**BEANS, "pending_from": "completed"})
    record(order("L-3", "5", at=timezone.now(), status="paid"))
    assert "as soon as the order was completed" in panel(agent, ana)


def test_an_analyst_sees_and_finds_no_button(
    client_of: Callable[[str], Client], ana: Member, lot: Lot, expired: Transfer
) -> None:
    analyst = client_of("analyst")
    assert "Give more time" not in panel(analyst, ana)
    movements = analyst.get(url("movement_panel", ana.customer.public_id)).content.decode()
    assert "Bring back" not in movements


def test_the_panel_costs_the_same_for_many_lots(agent: Client, ana: Member, lot: Lot) -> None:
    address = url("lot_panel", ana.customer.public_id)
    few = queries_of(agent, address)
    record(*(order(f"M-{number}", "5", at=timezone.now()) for number in range(9)))
    assert queries_of(agent, address) == few
    assert len(agent.get(address).context["page"]) == 6


def test_nothing_at_all_is_said_too(agent: Client, ana: Member) -> None:
    redeem_units(
        wallet=ana.wallet, units=150, key="k", source="api", actor=SYSTEM, now=timezone.now()
    )
    assert "No units at the moment" in panel(agent, ana)


def test_more_time_is_seen_first_and_given_with_a_reason(
    agent: Client, ana: Member, lot: Lot
) -> None:
    address, until = url("lot_extend", lot.pk), in_days(ana, 60)
    html = agent.get(address).content.decode()
    assert "30\N{NO-BREAK SPACE}Beans · $0.30" in html
    assert format_day(today(ana) + dt.timedelta(days=40)) in html
    seen = agent.post(
        address, {"until": until, "preview": "1"}, headers=htmx("effect")
    ).content.decode()
    assert format_day(today(ana) + dt.timedelta(days=60)) in seen
    assert "<form" not in seen
    assert agent.post(address, {"until": until}).status_code == 422
    for _ in range(2):
        answer = agent.post(
            address, {"until": until, "reason": "Was ill"}, headers=htmx("dialog-body")
        )
        assert answer.status_code == 204
    assert (
        "can be used until" in json.loads(answer["HX-Trigger"])["setia:toast"]["items"][0]["text"]
    )
    lot.refresh_from_db()
    assert lot.expires_at is not None
    assert lot.expires_at.astimezone(ana.program.zone).date().isoformat() == in_days(ana, 61)
    entry = AuditEntry.objects.get(action="lot.extended")
    assert (entry.reason, entry.after["until"]) == ("Was ill", until)


@pytest.mark.parametrize(
    ("days", "message"),
    [(5, "Give a day after the one on which they expire."), (-1, "Give a later day."),
     (93, "Your role may let units last until")],
)  # fmt: skip
def test_days_that_cannot_be_given_are_said(
    agent: Client, ana: Member, lot: Lot, days: int, message: str
) -> None:
    data = {"until": in_days(ana, days), "reason": "Was ill"}
    answer = agent.post(url("lot_extend", lot.pk), data)
    assert answer.status_code == 422
    assert message in answer.content.decode()
    before = lot.expires_at
    lot.refresh_from_db()
    assert lot.expires_at == before


@pytest.mark.parametrize(("role", "status"), [("support_agent", 422), ("marketing_manager", 302)])
def test_how_far_ahead_depends_on_the_role(
    client_of: Callable[[str], Client], ana: Member, lot: Lot, role: str, status: int
) -> None:
    data = {"until": in_days(ana, 93), "reason": "Was ill"}
    assert client_of(role).post(url("lot_extend", lot.pk), data).status_code == status
    data["until"] = in_days(ana, 92)
    again = client_of(role).post(url("lot_extend", lot.pk), data)
    assert again.status_code == (302 if role == "support_agent" else 422)


def test_units_without_an_end_need_no_more_time(agent: Client, ana: Member) -> None:
    make_program("beans", name="Bean Club", unit={**BEANS, "expiry": {"kind": "never"}})
    record(order("N-1", "30", at=timezone.now()))
    endless = Lot.objects.get(transfer__order__external_id="N-1")
    assert url("lot_extend", endless.pk) not in panel(agent, ana)
    html = agent.get(url("lot_extend", endless.pk)).content.decode()
    assert "do not expire" in html
    assert "<textarea" not in html


def test_units_that_expire_by_inactivity_get_more_time_together(agent: Client, ana: Member) -> None:
    idle = {"kind": "inactivity", "length": 1}
    make_program("beans", name="Bean Club", time_zone="America/New_York",
                 unit={**BEANS, "expiry": idle})  # fmt: skip
    record(*(order(f"I-{number}", "30", at=timezone.now()) for number in range(2)))
    lot = Lot.objects.filter(renewable=True).first()
    html = agent.get(url("lot_extend", lot.pk)).content.decode()
    assert "They expire by inactivity, all together" in html
    assert "60\N{NO-BREAK SPACE}Beans · $0.60" in html
    assert "later with every activity" in panel(agent, ana)


def values(ana: Member, **changes: Any) -> dict[str, Any]:
    return {
        "units": "80", "until": in_days(ana, 30), "reason": "Was ill", "key": str(uuid.uuid4()),
    } | changes  # fmt: skip


def test_what_expired_is_brought_back_once(agent: Client, ana: Member, expired: Transfer) -> None:
    movements = agent.get(url("movement_panel", ana.customer.public_id)).content.decode()
    address = url("units_reinstate", expired.pk)
    assert address in movements
    assert "<strong>230\N{NO-BREAK SPACE}Beans</strong>" in agent.get(address).content.decode()
    part = agent.post(
        address, values(ana, units="50", reason="", preview="1"), headers=htmx("effect")
    )
    assert "<strong>200\N{NO-BREAK SPACE}Beans</strong>" in part.content.decode()
    sent = values(ana, units="50")
    for _ in range(2):
        assert agent.post(address, sent).status_code == 302
    assert ana.spendable() == 200
    entry = AuditEntry.objects.get(action="lot.reinstated")
    assert (entry.reason, entry.after["amount"]) == ("Was ill", 50)
    agent.post(address, values(ana, units="30"))
    html = agent.get(address).content.decode()
    assert "All of it has come back already." in html
    assert "<textarea" not in html


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"units": "81"}, "Only 80\N{NO-BREAK SPACE}Beans of it can be brought back."),
        ({"units": "0"}, "other than zero"),
        ({"until": ""}, "required"),
        ({"until": "2020-01-01"}, "Give a later day."),
        ({"until": "2099-01-01"}, "Your role may let units last until"),
        ({"reason": ""}, "required"),
    ],
)
def test_what_cannot_be_brought_back_is_said(
    agent: Client, ana: Member, expired: Transfer, changes: dict[str, str], message: str
) -> None:
    answer = agent.post(url("units_reinstate", expired.pk), values(ana, **changes))
    assert answer.status_code == 422
    assert message in answer.content.decode()
    assert ana.spendable() == 150


def test_only_what_expired_is_brought_back(agent: Client, ana: Member) -> None:
    accrual = Transfer.objects.get(kind="accrual")
    assert agent.get(url("units_reinstate", accrual.pk)).status_code == 404
