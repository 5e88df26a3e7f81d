"""Standing gifts: members choose to give a share of what they earn; it moves once it can be spent.

What counts is what was earned since then and is there to be spent, less what was taken back of it
for refunds. A refund after that leaves the gift with the charity: the member owes the units, as
for any gift, and the next ones are shared only beyond what was shared already. What the member has
spent meanwhile is not made up for.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Greatest
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.errors import GiftRefusedError, SpendingStoppedError
from loyalty.ledger.balances import holdings
from loyalty.ledger.posting import lock_wallets
from loyalty.models import (
    Charity,
    Lot,
    Membership,
    Program,
    StandingGift,
    Transfer,
    Wallet,
    WalletType,
)
from loyalty.services.gifts import donate_units
from loyalty.unearned import was_earned
from members.errors import DomainError, FieldError
from members.formatting import format_number, format_percent
from members.jobs import Work
from members.models import Job
from members.services.audit import SYSTEM, Actor, record_audit
from members.services.job_runs import Step, run_in_chunks
from members.services.transactions import run_atomically

KIND = "standing_gifts"
PIECE = 100
SHARES = (Decimal(10), Decimal(50), Decimal(100))


@transaction.atomic
def set_standing_gift(
    *, membership: Membership, wallet_type: WalletType, charity: Charity, percent: Decimal,
    actor: Actor, now: dt.datetime,
) -> StandingGift:  # fmt: skip
    """From now on; another one for the same units ends with it. The same again changes nothing."""
    _check(membership, wallet_type, charity, percent)
    Membership.objects.select_for_update(no_key=True).get(pk=membership.pk)
    running = _running(membership, wallet_type)
    if running is not None:
        if (running.charity_id, running.percent) == (charity.pk, percent):
            return running
        running.ended_at = now
        running.save(update_fields=["ended_at"])
    gift = StandingGift.objects.create(
        membership=membership, wallet_type=wallet_type, charity=charity, percent=percent,
        started_at=now, looked_at=now,
    )  # fmt: skip
    record_audit(
        actor=actor, action="standing_gift.set", target=membership.customer, about=membership,
        after={
            "charity": charity.account.name, "wallet_type": wallet_type.plural,
            "share": format_percent(percent / 100, digits=2),
        },
    )  # fmt: skip
    return gift


@transaction.atomic
def end_standing_gift(
    *, membership: Membership, wallet_type: WalletType, actor: Actor, now: dt.datetime
) -> StandingGift | None:
    """What was given stays given. Nothing where there is none."""
    Membership.objects.select_for_update(no_key=True).get(pk=membership.pk)
    running = _running(membership, wallet_type)
    if running is None:
        return None
    running.ended_at = now
    running.save(update_fields=["ended_at"])
    record_audit(
        actor=actor, action="standing_gift.ended", target=membership.customer, about=membership,
        after={
            "charity": running.charity.account.name, "wallet_type": wallet_type.plural,
        },
    )  # fmt: skip
    return running


def standing_gifts_of(membership: Membership) -> dict[int, StandingGift]:
    """What a member gives by themselves, by wallet type."""
    running = StandingGift.objects.select_related("charity__account", "wallet_type").filter(
        membership=membership, ended_at=None
    )
    return {gift.wallet_type_id: gift for gift in running}


def find_standing_gifts(now: dt.datetime) -> Work | None:
    """Somebody who gives a share has earned something, if anybody has."""
    if not _due(now).exists():
        return None
    return Work(_("Standing gifts"), params={"now": now.isoformat()})


def run_standing_gifts(job_id: int) -> Job | None:
    """Give what is due; None when another run has it."""
    return run_in_chunks(job_id, _give_some)


def give_standing_gifts(now: dt.datetime, *, most: int = PIECE) -> int:
    """Some of those that are due, in one transaction. Returns how many were looked at."""

    def give() -> int:
        due = list(_due(now).values_list("pk", "membership__account")[:most])
        wallets = Wallet.objects.filter(account__in=[account for _pk, account in due])
        lock_wallets(list(wallets.values_list("pk", flat=True)))
        for pk, _account in due:
            _give(pk, now)
        return len(due)

    return run_atomically(give)


def standing_words(job: Job) -> str:
    looked_at = job.result.get("looked_at", 0)
    return ngettext("%s was looked at.", "%s were looked at.", looked_at) % format_number(looked_at)


def _give_some(job: Job) -> Step | None:
    some = give_standing_gifts(dt.datetime.fromisoformat(job.params["now"]))
    if not some:
        return None
    looked_at = job.result.get("looked_at", 0) + some
    return Step(checkpoint={}, done=looked_at, total=looked_at, result={"looked_at": looked_at})


def _due(now: dt.datetime) -> QuerySet[StandingGift]:
    """Those whose member has something new that can be spent, since they were looked at. What is
    used up by now is looked at too, or it would be made up for later."""
    new = (
        Lot.objects.filter(
            was_earned("transfer__"),
            transfer__wallet__account=OuterRef("membership__account"),
            transfer__wallet__wallet_type=OuterRef("wallet_type"),
            transfer__kind=Transfer.Kind.ACCRUAL,
            spendable_at__lte=now,
            spendable_at__gt=OuterRef("started_at"),
        )
        .annotate(told_at=Greatest("spendable_at", "transfer__recorded_at"))
        .filter(told_at__gt=OuterRef("looked_at"))
    )
    running = StandingGift.objects.filter(
        Exists(new), ended_at=None, looked_at__lt=now, charity__status=Charity.Status.LIVE,
        membership__status=Membership.Status.ACTIVE,
        membership__program__status=Program.Status.LIVE,
    )  # fmt: skip
    return running.order_by("pk")


def _give(pk: int, now: dt.datetime) -> None:
    """The share of what is new. The caller holds the wallet, so two runs take turns."""
    gifts = StandingGift.objects.select_related("charity__account", "membership__program")
    gift = gifts.select_for_update(of=("self",)).get(pk=pk)
    if gift.ended_at is not None or gift.looked_at >= now:
        return
    wallet = Wallet.objects.select_related("wallet_type__program").get(
        account=gift.membership.account_id, wallet_type=gift.wallet_type_id
    )
    earned = _earned(gift, wallet, now)
    gift.looked_at = now
    if earned > gift.earned:
        share = gift.carry + (earned - gift.earned) * gift.percent / 100
        gift.earned, gift.carry = earned, share - int(share)
        units = min(int(share), holdings([wallet], now)[wallet.pk].spendable)
        if units > 0:
            _donate(gift, wallet, units, now)
    gift.save(update_fields=["earned", "carry", "looked_at"])


def _donate(gift: StandingGift, wallet: Wallet, units: int, now: dt.datetime) -> None:
    """Where nothing may be given meanwhile, nothing is: it is not made up for."""
    try:
        donate_units(
            wallet=wallet, charity=gift.charity.account, units=units, actor=SYSTEM,
            key=f"standing:{gift.pk}:{gift.earned}", source=Transfer.Source.JOB.value, now=now,
            standing=gift,
        )  # fmt: skip
    except (GiftRefusedError, SpendingStoppedError):
        return


def _earned(gift: StandingGift, wallet: Wallet, now: dt.datetime) -> int:
    """What has become spendable since the gift began, less what was taken back of it."""
    ripe = Lot.objects.filter(
        was_earned("transfer__"), transfer__wallet=wallet, transfer__kind=Transfer.Kind.ACCRUAL,
        parent=None, spendable_at__lte=now, spendable_at__gt=gift.started_at,
    )  # fmt: skip
    granted = ripe.aggregate(units=Sum("granted", default=0))["units"]
    accruals = ripe.values("transfer")
    back = Transfer.objects.filter(Q(corrects__in=accruals) | Q(reverses__in=accruals))
    return int(granted) - int(back.aggregate(units=Sum("amount", default=0))["units"])


def _running(membership: Membership, wallet_type: WalletType) -> StandingGift | None:
    running = StandingGift.objects.select_related("charity__account")
    return running.filter(membership=membership, wallet_type=wallet_type, ended_at=None).first()


def _check(
    membership: Membership, wallet_type: WalletType, charity: Charity, percent: Decimal
) -> None:
    if membership.status != Membership.Status.ACTIVE:
        raise _refused("membership", _("Only active members can give."))
    ours = charity.account.program_id == membership.program_id == wallet_type.program_id
    if not ours or not charity.live:
        raise _refused("charity", _("Choose a charity of the program."))
    if not wallet_type.gifts_to_charities:
        words = capfirst(wallet_type.plural)
        raise _refused("wallet_type", _("%s cannot be given there.") % words)
    if not 0 < percent <= 100 or percent != round(percent, 2):
        raise _refused("percent", _("Between 0.01 and 100 percent."))


def _refused(field: str, message: str) -> DomainError:
    return DomainError(message, errors=[FieldError(field, message)])
