"""What the demonstration's people spend: some of them pay with their units now and then."""

from __future__ import annotations

import datetime as dt
import random

from django.utils import timezone

from loyalty.demo.people import GUIDE_HOUSEHOLD, person_of
from loyalty.ledger.balances import holdings
from loyalty.models import Membership, Program, Transfer, Wallet
from loyalty.selectors.past_balances import past_balances
from loyalty.services.redemptions import redeem_units
from members.services.audit import SYSTEM

# Every third member, at moments of the last three months.
SHARE = 3
DAYS = 90
# They spend hundreds, which are worth whole dollars.
STEP = 100


def people_spend(program: Program) -> None:
    """Made once for each member, however often the demonstration is loaded."""
    members = Membership.objects.filter(program=program, merged_into=None).select_related(
        "customer"
    )
    others = members.exclude(customer__external_id=person_of(GUIDE_HOUSEHOLD).number)
    for number, member in enumerate(others.order_by("customer__external_id")):
        if number % SHARE == 0:
            _spend(member)


def first_wallet(member: Membership) -> Wallet:
    """Where a member has what they earn."""
    wallets = Wallet.objects.select_related("wallet_type__program")
    return wallets.filter(account=member.account_id).earliest("pk")


def _spend(member: Membership) -> None:
    """Once or twice, the earlier one first: about half of what there is."""
    wallet = first_wallet(member)
    if Transfer.objects.filter(wallet=wallet).exclude(source=Transfer.Source.IMPORT).exists():
        # They have had their turn, or something else befell them.
        return
    chance, now = random.Random(member.customer.external_id), timezone.now()
    times = sorted(chance.uniform(1, DAYS) for _ in range(chance.randint(1, 2)))
    for number, ago in enumerate(reversed(times), start=1):
        key = f"demo:spent:{member.pk}:{number}"
        at = now - dt.timedelta(days=ago)
        held = min(past_balances(member, at)[0].held.balance, _held(wallet, now))
        units = int(held * chance.uniform(0.3, 0.8)) // STEP * STEP
        if units:
            redeem_units(
                wallet=wallet, units=units, key=key, source=Transfer.Source.API, actor=SYSTEM,
                now=at,
            )  # fmt: skip


def _held(wallet: Wallet, now: dt.datetime) -> int:
    wallet.refresh_from_db()
    return holdings([wallet], now)[wallet.pk].spendable
