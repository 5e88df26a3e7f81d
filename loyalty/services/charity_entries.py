"""The lines of what charities are given: written with what they follow from, in one transaction,
and taken back as a whole."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.db import connection

from loyalty.models import (
    Charity,
    CharityEntry,
    Membership,
    Order,
    PledgeEvent,
    StandingGift,
    Transfer,
)
from loyalty.selectors.charities import Worth, charities, worth_of_money, worth_of_units
from loyalty.selectors.closed_periods import first_open_day

Kind = CharityEntry.Kind


def enter_donation(
    *, transfer: Transfer, now: dt.datetime, standing: StandingGift | None = None,
    worth: Worth | None = None,
) -> CharityEntry:  # fmt: skip
    """Units that the ledger moved from a member to a charity. `worth`: what it gets for them, where
    its rates do not say so."""
    charity = charities().get(account=transfer.to_account_id)
    worth = worth or worth_of_units(charity, transfer.wallet_type, transfer.amount)
    return _enter(
        charity, Kind.STANDING if standing else Kind.DONATION, worth,
        key=f"transfer:{transfer.pk}", at=transfer.occurred_at, now=now,
        day=transfer.booked_on, transfer=transfer, units=transfer.amount,
        wallet_type=transfer.wallet_type, standing_gift=standing,
        membership=Membership.objects.get(account=transfer.wallet.account_id),
    )  # fmt: skip


def enter_undone_donation(*, undone: Transfer, now: dt.datetime) -> CharityEntry:
    """The ledger gave a donation's units back."""
    entry = CharityEntry.objects.select_related("charity").get(transfer=undone.reverses_id)
    return _take_back(
        entry, key=f"transfer:{undone.pk}", at=undone.occurred_at, now=now, transfer=undone,
        day=undone.booked_on,
    )  # fmt: skip


def enter_pledge(
    *, event: PledgeEvent, charity: Charity, worth: Worth, at: dt.datetime, now: dt.datetime
) -> CharityEntry:
    """The merchant gives for an event. The event's turn makes the key its own."""
    return _enter(
        charity, Kind.PLEDGE, worth, key=f"pledge:{event.pk}:{event.turns}", at=at, now=now,
        pledge_event=event, membership=event.membership,
    )  # fmt: skip


def withdraw_pledge(*, event: PledgeEvent, now: dt.datetime) -> CharityEntry:
    """The event was undone."""
    entry = event.entries.select_related("charity__account__program").filter(
        reverses=None, reversed_by=None
    ).get()  # fmt: skip
    return _take_back(entry, key=f"pledge:{event.pk}:{event.turns}", at=now, now=now)


def set_round_up(
    *, order: Order, charity: Charity | None, amount: Decimal, now: dt.datetime
) -> None:
    """What the shop collected with an order for a charity; nothing where it says none any more.
    What it had said before is taken back. Saying the same again changes nothing. The caller holds
    the order."""
    lines = CharityEntry.objects.select_related("charity__account__program").filter(
        order=order, kind=Kind.ROUND_UP
    )
    standing = lines.filter(reverses=None, reversed_by=None).first()
    same = standing and charity and (standing.charity_id, standing.money) == (charity.pk, amount)
    if same or (standing is None and charity is None):
        return
    turn = lines.count()
    if standing is not None:
        _take_back(standing, key=f"order:{order.pk}:{turn}", at=now, now=now)
        turn += 1
    if charity is not None:
        member = Membership.objects.filter(
            customer=order.customer_id, program=charity.account.program_id
        ).first()  # fmt: skip
        _enter(
            charity, Kind.ROUND_UP, worth_of_money(charity, amount),
            key=f"order:{order.pk}:{turn}", at=order.placed_at, now=now, order=order,
            membership=member,
        )  # fmt: skip


def _enter(
    charity: Charity, kind: CharityEntry.Kind, worth: Worth, *, key: str, at: dt.datetime,
    now: dt.datetime, day: dt.date | None = None, **rest: object,
) -> CharityEntry:  # fmt: skip
    return CharityEntry.objects.create(
        charity=charity, kind=kind, money=worth.money, things=worth.things, key=key,
        occurred_at=at, booked_on=day or _open_day(charity, at), recorded_at=now, **rest,
    )  # fmt: skip


def _take_back(
    entry: CharityEntry, *, key: str, at: dt.datetime, now: dt.datetime,
    day: dt.date | None = None, transfer: Transfer | None = None,
) -> CharityEntry:  # fmt: skip
    """The same below zero, on the day on which it was taken back: what was paid out by then is
    less in the next payout."""
    return CharityEntry.objects.create(
        charity_id=entry.charity_id, kind=entry.kind, membership_id=entry.membership_id,
        wallet_type_id=entry.wallet_type_id, units=-entry.units, money=-entry.money,
        things=-entry.things, order_id=entry.order_id, pledge_event_id=entry.pledge_event_id,
        standing_gift_id=entry.standing_gift_id, reverses=entry, key=key, transfer=transfer,
        occurred_at=at, booked_on=day or _open_day(entry.charity, at), recorded_at=now,
    )  # fmt: skip


def _open_day(charity: Charity, at: dt.datetime) -> dt.date:
    """The day of the program, or the first one that is open."""
    program = charity.account.program
    with connection.cursor() as cursor:
        # Whoever closes books waits for this one; from here on it knows what is open.
        cursor.execute("SELECT ledger_hold_books()")
    day = at.astimezone(program.zone).date()
    return max(day, first_open_day(program) or day)
