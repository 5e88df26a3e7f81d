"""Members hear 60, 30 and 7 days before units expire, and some units expire only then."""

from collections import Counter
from typing import Any

import pytest

from campaigns.models import Delivery, ExpiryNotice, Journey, Message
from campaigns.services.journey_steps import take_due
from campaigns.services.journeys import create_journey, publish_journey, save_draft
from campaigns.services.told_expiry import find_warnings, run_warnings
from loyalty.models import Lot, LotChange, Membership, Wallet
from loyalty.services.manual_tiers import give_tier
from members.errors import DomainError
from members.services.audit import SYSTEM
from members.services.job_runs import start_work
from tests.campaigns.factories import send, switch_on, work
from tests.loyalty.factories import (
    NOW,
    adjust,
    day,
    make_program,
    make_wallet,
    order,
    record,
    spendable,
)

pytestmark = [
    pytest.mark.django_db, pytest.mark.usefixtures("awake"),
    pytest.mark.usefixtures("coherent_ledger"),
]  # fmt: skip
YEAR = {"kind": "days", "length": 365, "last_day": "start_of_day"}


def club(expiry: dict[str, Any] = YEAR, **unit: Any) -> Wallet:
    """A member with 250 points, worth 2.50, who earned them at NOW."""
    program = make_program(unit={"unit_value": "0.01", "expiry": expiry, **unit})
    wallet = make_wallet(program)
    adjust(wallet, 250, "start")
    return wallet


def told() -> list[tuple[str, str]]:
    rows = Delivery.objects.filter(channel="inbox").order_by("pk")
    return [(one.replace("\xa0", " "), two.replace("\xa0", " "))
            for one, two in rows.values_list("subject", "text")]  # fmt: skip


def days_told(first: int, last: int) -> list[int]:
    """On which days after NOW something was told. What was due before the first is told on it."""
    return [offset for offset in range(first, last) if work("expiry_warnings", day(offset))]


def test_it_is_told_sixty_thirty_and_seven_days_ahead_with_its_worth() -> None:
    """Pain 21: points vanish, and nobody was told that they would."""
    club()
    switch_on("expiring", at=NOW)
    ends = Lot.objects.get().expires_at
    assert ends is not None
    at = [(ends - day(offset)).days for offset in days_told(300, 368)]
    assert at == [59, 29, 6]
    subject, text = told()[0]
    assert subject == "250 points expire soon"
    assert text == "They are worth $2.50. The last day to use them is Mar 14, 2025."


def test_the_same_day_again_tells_nothing() -> None:
    club()
    switch_on("expiring", at=NOW)
    assert work("expiry_warnings", day(330)) == 1
    assert work("expiry_warnings", day(330)) == 0
    assert work("expiry_warnings", day(331)) == 0


def test_who_is_found_late_is_told_once_and_not_of_each_distance() -> None:
    club()
    switch_on("expiring", at=NOW)
    assert days_told(360, 370) == [360]


def test_what_was_spent_is_not_told() -> None:
    wallet = club()
    switch_on("expiring", at=NOW)
    adjust(wallet, -250, "spent", now=day(1))
    assert days_told(300, 368) == []


def test_what_lives_shorter_than_the_distance_is_not_told_at_it() -> None:
    club({"kind": "days", "length": 20})
    switch_on("expiring", at=NOW)
    assert len(days_told(0, 25)) == 1


def test_who_earns_every_day_hears_of_it_once_a_week() -> None:
    program = make_program(unit={"expiry": {"kind": "days", "length": 100}})
    make_wallet(program)
    record(*(order(f"d{offset}", "10", at=day(offset)) for offset in range(60)))
    switch_on("expiring", at=NOW)
    found = days_told(35, 160)
    weeks = Counter((offset - found[0]) // 7 for offset in found)
    # The three distances take turns within a week.
    assert max(weeks.values()) <= 3
    assert len(found) < 40
    # Whatever day it was, somebody had been told of it at least a week ahead.
    last = max(Lot.objects.values_list("expires_at", flat=True))
    assert ExpiryNotice.objects.get(days=7).through >= last


def test_units_that_expire_by_inactivity_are_told_too() -> None:
    program = make_program(unit={"expiry": {"kind": "inactivity", "length": 6}})
    make_wallet(program)
    record(order("A1", "250", at=NOW), now=NOW)
    switch_on("expiring", at=NOW)
    assert len(days_told(115, 190)) == 3


def test_nobody_is_told_while_it_is_off() -> None:
    club()
    assert find_warnings(day(330)) is None
    assert work("expiry_warnings", day(330)) == 0


def test_who_has_left_is_not_told() -> None:
    club()
    switch_on("expiring", at=NOW)
    Membership.objects.update(status="left")
    assert work("expiry_warnings", day(330)) == 0


def test_units_that_must_be_warned_of_expire_only_after_they_were_told() -> None:
    club(YEAR | {"warned_days": 14})
    assert spendable(at=day(500)) == 250
    switch_on("expiring", at=NOW)
    assert work("expiry_warnings", day(306)) == 1
    lot = Lot.objects.get()
    assert lot.expires_at == lot.planned_expires_at
    assert LotChange.objects.get().reason == "warned"
    assert spendable(at=day(366)) == 0


def test_told_late_they_live_so_many_days_longer() -> None:
    club(YEAR | {"warned_days": 14})
    switch_on("expiring", at=NOW)
    work("expiry_warnings", day(400))
    assert spendable(at=day(413)) == 250
    assert spendable(at=day(415)) == 0


def test_a_long_notice_is_given_in_time() -> None:
    club(YEAR | {"warned_days": 90})
    switch_on("expiring", at=NOW)
    assert days_told(268, 280)[0] in (274, 275)
    assert Lot.objects.get().expires_at == Lot.objects.get().planned_expires_at


def test_a_mail_that_was_not_sent_is_no_warning() -> None:
    club(YEAR | {"warned_days": 14})
    switch_on("expiring", "email", at=NOW)
    work("expiry_warnings", day(306))
    send(day(306))
    assert Delivery.objects.get().reason == "no_address"
    assert spendable(at=day(500)) == 250


def test_a_mail_that_was_sent_is_one() -> None:
    wallet = club(YEAR | {"warned_days": 14})
    customer = Membership.objects.get(account=wallet.account_id).customer
    customer.email = "ana@example.com"
    customer.save()
    switch_on("expiring", "email", at=NOW)
    work("expiry_warnings", day(306))
    assert spendable(at=day(500)) == 250
    send(day(306))
    assert spendable(at=day(500)) == 0


def test_a_job_tells_everybody_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("campaigns.services.told_expiry.PIECE", 2)
    program = make_program(unit={"expiry": YEAR})
    for number in range(5):
        adjust(make_wallet(program, f"c{number}"), 100, f"start{number}")
    switch_on("expiring", at=NOW)
    job = start_work(kind="expiry_warnings", actor=SYSTEM, now=day(330))
    assert job is not None
    done = run_warnings(job.pk)
    assert done is not None
    assert (done.state, done.result) == ("succeeded", {"told": 5})
    assert find_warnings(day(330)) is None


def test_who_has_a_tier_in_which_they_pay_more_is_told_that_worth() -> None:
    ladder = [
        {"code": "base", "name": "Member"}, {"code": "gold", "name": "Gold", "threshold": 10**6},
    ]  # fmt: skip
    program = make_program(
        unit={"unit_value": "0.01", "tier_values": {"gold": "0.015"}, "expiry": YEAR},
        tiers={"tiers": ladder},
    )
    for number in ("c1", "c2"):
        adjust(make_wallet(program, number), 250, number)
    member = Membership.objects.get(customer__external_id="c2")
    give_tier(membership=member, tier="gold", reason="VIP", actor=SYSTEM, now=NOW)
    switch_on("expiring", at=NOW)
    assert work("expiry_warnings", day(330)) == 2
    assert [text.split(".", 2)[:2] for _subject, text in told()] == [
        ["They are worth $2", "50"], ["They are worth $3", "75"],
    ]  # fmt: skip


def journey(wallet: Wallet, *found: dict[str, Any], distances: list[int] | None = None,
            **body: Any) -> Journey:  # fmt: skip
    """Live from NOW on: what expires is told in the inbox."""
    tell = {"kind": "message", "message": "expiring", "channels": ["inbox"]}
    steps = [{"key": f"s{number}", **step} for number, step in enumerate(found or (tell,))]
    body = {"holdout": 0, "again": 0, "start": {"distances": distances or [60, 30, 7]},
            "steps": steps, **body}  # fmt: skip
    made = create_journey(
        program=wallet.wallet_type.program, name="Ends", trigger="expiring", body=body,
        actor=SYSTEM, now=NOW,
    )  # fmt: skip
    return publish_journey(journey=made, actor=SYSTEM, now=NOW)


def goes_on(offset: float) -> int:
    """How many messages an hour's work and its steps write so long after NOW."""
    before = Message.objects.count()
    work("journey_starts", day(offset), "began")
    take_due(clock=lambda: day(offset))
    return Message.objects.count() - before


def days_by_journey(*offsets: int) -> list[int]:
    """How many days before they end. What was due on a day on which nobody looked is told on the
    next."""
    return [365 - offset for offset in offsets if goes_on(offset)]


def test_a_journey_tells_at_the_days_that_it_names_and_says_what_they_are_worth() -> None:
    journey(club(), distances=[45, 10])
    looked = [*range(317, 323), *range(323, 352, 4), *range(352, 358), *range(358, 369, 5)]
    assert days_by_journey(312, *looked) == [45, 10]
    assert [text for _subject, text in told()] == [
        "They are worth $2.50. The last day to use them is Mar 14, 2025."
    ] * 2


def test_what_the_journey_told_the_occasion_does_not_repeat_nor_the_other_way_round() -> None:
    journey(club(), distances=[60, 7])
    switch_on("expiring", at=NOW)
    assert goes_on(306) == 1
    assert work("expiry_warnings", day(306)) == 0
    assert work("expiry_warnings", day(336)) == 1
    assert work("expiry_warnings", day(359)) == 1
    assert goes_on(359) == 0


def test_who_is_found_late_by_a_journey_is_told_once() -> None:
    journey(club(), distances=[90, 45, 14])
    assert days_by_journey(355, 356, *range(357, 370, 4)) == [10]


def test_units_that_must_be_warned_of_expire_after_a_journey_told_and_not_before() -> None:
    club_of = club(YEAR | {"warned_days": 14})
    gold = {"field": "member.balance", "op": "more_than", "value": 1000}
    made = journey(club_of, audience=gold)
    # Some days of each distance, and after they would have ended.
    for first in (303, 333, 356, 363, 375):
        assert days_by_journey(*range(first, first + 5)) == []
    assert spendable(at=day(500)) == 250
    save_draft(
        journey=made, name="Ends", actor=SYSTEM, now=day(380),
        body={"holdout": 0, "again": 0, "start": {"distances": [60, 30, 7]},
              "steps": [{"key": "s0", "kind": "message", "message": "expiring",
                         "channels": ["inbox"]}]},
    )  # fmt: skip
    publish_journey(journey=made, actor=SYSTEM, now=day(380))
    assert goes_on(381) == 1
    assert LotChange.objects.get().reason == "warned"
    assert spendable(at=day(381 + 13)) == 250
    assert spendable(at=day(381 + 16)) == 0


def test_a_journey_reminds_by_a_second_step_of_what_still_ends() -> None:
    tell = {"kind": "message", "message": "expiring", "channels": ["inbox"]}
    wallet = club()
    journey(wallet, tell, {"kind": "wait", "days": 3}, tell, distances=[30])
    assert days_by_journey(330, *range(333, 342), *range(357, 370, 4)) == [30, 27]


def test_what_was_spent_while_the_journey_waited_is_not_told() -> None:
    tell = {"kind": "message", "message": "expiring", "channels": ["inbox"]}
    wallet = club()
    journey(wallet, {"kind": "wait", "days": 3}, tell, distances=[30])
    assert goes_on(336) == 0
    adjust(wallet, -250, "spent", now=day(337))
    assert days_by_journey(*range(337, 342), 357, 360) == []


def test_a_journey_that_says_no_days_is_not_put_live() -> None:
    with pytest.raises(DomainError, match="how many days before") as caught:
        journey(club(), start={"distances": []})
    assert [error.field for error in caught.value.errors] == ["start.distances"]
