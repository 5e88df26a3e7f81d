"""What the demonstration gives to charities: members of their points, the shop for each order, and
a payout that was made."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from decimal import Decimal

from django.utils import timezone

from loyalty.demo.people import GUIDE_HOUSEHOLD, person_of
from loyalty.errors import InsufficientBalanceError
from loyalty.giving_definitions import PledgeDefinition
from loyalty.ledger.balances import holdings
from loyalty.models import Charity, Membership, Order, Pledge, Program, Transfer, Wallet
from loyalty.selectors.charities import charities_in, pledges_in
from loyalty.services.charity_payouts import make_payout, pay_payout, preview_payout
from loyalty.services.gifts import donate_units
from loyalty.services.pledge_events import count_events
from loyalty.services.pledges import create_pledge
from loyalty.services.standing_gifts import set_standing_gift
from members.services.audit import SYSTEM

# Every so many members, of the first hundred, give so much, so many days ago.
DONATIONS = ((7, 100, 75), (9, 60, 40), (5, 50, 12), (11, 150, 3))
# Counted are the orders of the last so many days.
PLEDGED_DAYS = 45


def people_donate(program: Program) -> None:
    """Made once, however often the demonstration is loaded."""
    found = charities_in(program)
    if len(found) < 2:
        return
    members = list(
        Membership.objects.filter(program=program, status="active")
        .select_related("customer", "program").order_by("pk")[:100]
    )  # fmt: skip
    if not Transfer.objects.filter(kind="donation", key__startswith="demo:donation:").exists():
        for number, (every, units, days) in enumerate(DONATIONS):
            for member in members[number::every]:
                _donate(member, found[number % 2], units, days)
    guide = next(
        (item for item in members
         if item.customer.external_id == person_of(GUIDE_HOUSEHOLD).number), None
    )  # fmt: skip
    if guide is not None:
        _donate(guide, found[0], 25, 1)
        set_standing_gift(
            membership=guide, wallet_type=program.wallet_types.earliest("pk"), charity=found[1],
            percent=Decimal(10), actor=SYSTEM, now=timezone.now(),
        )  # fmt: skip
    _pledge(program, found[1])
    _pay(found[0])


def _donate(member: Membership, charity: Charity, units: int, days: int) -> None:
    now = timezone.now() - dt.timedelta(days=days)
    wallet = Wallet.objects.select_related("wallet_type__program").filter(
        account=member.account_id
    ).order_by("wallet_type").first()  # fmt: skip
    key = f"demo:donation:{member.pk}:{charity.code}:{units}"
    if wallet is None or Transfer.objects.filter(key=key).exists():
        return
    if holdings([wallet], timezone.now())[wallet.pk].spendable < units + 50:
        return
    # Who had less then leaves it.
    with suppress(InsufficientBalanceError):
        donate_units(
            wallet=wallet, charity=charity.account, units=units, actor=SYSTEM, key=key,
            source=Transfer.Source.ACCOUNT.value, now=now,
        )  # fmt: skip


def _pledge(program: Program, charity: Charity) -> None:
    now = timezone.now()
    starts_at = now - dt.timedelta(days=PLEDGED_DAYS)
    if not pledges_in(program).exists():
        definition = PledgeDefinition(
            code="tree-for-order", charity=charity.code, name="Part of a tree for each big order",
            status="live", event="order", least=Decimal(50), things=Decimal("0.1"),
            budget=Decimal(100), starts_at=starts_at,
        )  # fmt: skip
        create_pledge(program=program, definition=definition, actor=SYSTEM)
    pledge = Pledge.objects.get(charity=charity)
    buyers = Order.objects.filter(
        placed_at__gte=pledge.starts_at, customer__memberships__program=program
    )
    count_events(customers=set(buyers.values_list("customer", flat=True)), now=now)


def _pay(charity: Charity) -> None:
    """What was given until a month ago has been paid out."""
    now = timezone.now()
    until = (now - dt.timedelta(days=30)).astimezone(charity.account.program.zone).date()
    if charity.payouts.exists() or preview_payout(charity, until).money <= 0:
        return
    payout = make_payout(charity=charity, until=until, actor=SYSTEM, now=now)
    pay_payout(
        payout=payout, reference="Transfer 2041", paid_on=until + dt.timedelta(days=5),
        actor=SYSTEM, now=now,
    )  # fmt: skip
