"""What members are told before units expire: 60, 30 and 7 days ahead, with what they are worth.

Units that must not lapse unwarned expire only when this was told (`warn_lots`); that they were told
in the member's inbox suffices. At each distance a wallet is told of all that ends until a week
after, so who earns every day reads one message a week and not one a day. A journey tells the same
at distances of its own; what was told at one is not told again there, nor at a longer one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal

from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.utils.translation import ngettext

from campaigns.models import ExpiryNotice, Message
from campaigns.news import News
from campaigns.occasions import Occasion, Variable
from campaigns.selectors.ending_lots import (
    Due,
    Ending,
    anybody_due,
    due_of,
    endings_of,
    next_wallets,
    told_before,
)
from campaigns.services.messages import watched, write_messages
from loyalty.lot_words import last_day
from loyalty.models import Account, Lot, Membership, Wallet
from loyalty.selectors.balances import values_of_wallets, worth_of
from loyalty.selectors.pools import told_of_pools
from loyalty.services.lots import warn_lots
from members.formatting import format_day, format_money, format_number, format_units
from members.jobs import Work
from members.models import Job
from members.selectors.merges import current
from members.services.job_runs import Step, run_in_chunks

KIND = "expiry_warnings"
TOGETHER = dt.timedelta(days=7)
PIECE = 500


def lots_were_told(messages: Sequence[Message], now: dt.datetime) -> None:
    """From now on those of them that had to be warned of expire."""
    if named := [lot for message in messages for lot in message.facts.get("lots") or ()]:
        warn_lots(list(Lot.objects.filter(pk__in=named, expires_at=None)), now=now)


EXPIRING = Occasion(
    code="expiring",
    label=_l("Units expire"),
    description=_l("60, 30 and 7 days before units expire."),
    icon="hourglass",
    topic="points",
    priority=15,
    variables=(
        Variable("amount", _l("How many expire"), "units", "250 points"),
        Variable("worth", _l("What they are worth"), "money", "$2.50", may_be_empty=True),
        Variable("first_day", _l("Last day of the first of them"), "day", "Dec 31, 2026"),
        Variable("last_day", _l("Last day of the last of them"), "day", "Jan 4, 2027"),
        Variable("several_days", _l("Something, where the two days differ"), "text", "yes",
                 may_be_empty=True),
    ),
    told=lots_were_told,
)  # fmt: skip


def find_warnings(now: dt.datetime) -> Work | None:
    """Nothing while the occasion is off, or nobody is due."""
    if watched(EXPIRING) is None or not anybody_due(now):
        return None
    return Work(_("What expires soon"), params={"now": now.isoformat()})


def run_warnings(job_id: int) -> Job | None:
    """Tell everybody who is due; None when another run has it."""
    return run_in_chunks(job_id, _tell_piece)


def warning_words(job: Job) -> str:
    told = job.result.get("told", 0)
    words = ngettext("%s member was told.", "%s members were told.", told)
    return words % format_number(told)


def _tell_piece(job: Job) -> Step | None:
    now = dt.datetime.fromisoformat(job.params["now"])
    if watched(EXPIRING) is None or job.checkpoint.get("over"):
        return None
    found, place = next_wallets(now, job.checkpoint.get("place"), PIECE)
    told = job.result.get("told", 0) + _tell_some(found, now)
    return Step(
        checkpoint={"place": place, "over": place is None}, done=told, result={"told": told}
    )


@transaction.atomic
def _tell_some(wallet_ids: Sequence[int], now: dt.datetime) -> int:
    """Of these wallets, those of which somebody is to be told; how many messages it were."""
    setting, due = watched(EXPIRING), due_of(wallet_ids, now)
    if setting is None or not due:
        return 0
    endings = endings_of(list(due), now)
    horizons = {pk: horizon(item, now) for pk, item in due.items()}
    before = note_told({pk: item.days for pk, item in due.items()}, horizons)
    chosen = list(wallets_to_tell().filter(pk__in=due).order_by("pk"))
    values, members = values_of_wallets(chosen, now), members_to_tell(chosen)
    news = [
        expiry_news(
            wallet, member, name_of(wallet, member, due[wallet.pk].days, before[wallet.pk]),
            [item for item in endings[wallet.pk] if item.ends <= horizons[wallet.pk]],
            values.get(wallet.pk),
        )
        for wallet in chosen
        for member in members[wallet.pk]
    ]  # fmt: skip
    return len(write_messages(occasion=EXPIRING, setting=setting, news=news, now=now))


def wallets_to_tell() -> QuerySet[Wallet]:
    return Wallet.objects.select_related(
        "account__membership__customer__merged_into", "account__membership__program",
        "account__pool", "wallet_type",
    )  # fmt: skip


def members_to_tell(wallets: Sequence[Wallet]) -> dict[int, list[Membership]]:
    """By wallet: whose it is; of a pool's, whoever may spend from it."""
    of_pools = told_of_pools([item.account_id for item in wallets if is_shared(item)])
    return {
        item.pk: of_pools.get(item.account_id, []) if is_shared(item) else [item.account.membership]
        for item in wallets
    }


def is_shared(wallet: Wallet) -> bool:
    return wallet.account.kind == Account.Kind.POOL


def horizon(due: Due, now: dt.datetime) -> dt.datetime:
    """Up to when what ends is told together."""
    return max(now + dt.timedelta(days=due.days), due.far or now) + TOGETHER


def note_told(distances: Mapping[int, int], horizons: Mapping[int, dt.datetime]) -> dict[int, str]:
    """What ends in these wallets until then is not told again at this distance, nor at a longer
    one. Returns what names the message of each: how far it had been told before."""
    known = ExpiryNotice.objects.select_for_update().filter(wallet__in=distances).order_by("pk")
    through = {(row.wallet_id, row.days): row.through for row in known}
    rows = [
        ExpiryNotice(
            wallet_id=wallet, days=days,
            through=max(through.get((wallet, days), horizons[wallet]), horizons[wallet]),
        )
        for wallet, days in sorted(distances.items())
    ]  # fmt: skip
    ExpiryNotice.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["wallet", "days"], update_fields=["through"]
    )
    return {pk: told_before(through.get((pk, days))) for pk, days in distances.items()}


def name_of(wallet: Wallet, member: Membership, days: int, before: str) -> str:
    """Of the message: whoever tells the same tells it by this name, which is taken once. Of what is
    shared each is told."""
    name = f"wallet:{wallet.pk}:{days}:{before}"
    return f"{name}:{member.pk}" if is_shared(wallet) else name


def expiry_news(
    wallet: Wallet, member: Membership, occurrence: str, ending: Sequence[Ending],
    own: Decimal | None,
) -> News:  # fmt: skip
    """`own`: what one of them pays in the member's tier, where that is another worth."""
    unit = wallet.wallet_type
    zone = member.program.zone
    units = sum(item.units for item in ending)
    first, last = last_day(ending[0].ends, zone), last_day(ending[-1].ends, zone)

    def values() -> dict[str, str]:
        worth = worth_of(units, unit, own)
        return {
            "amount": _amount(wallet, units),
            "worth": format_money(worth, member.program.currency) if worth else "",
            "first_day": format_day(first),
            "last_day": format_day(last),
            "several_days": "yes" if first != last else "",
        }

    return News(
        customer=current(member.customer), membership=member,
        occurrence=occurrence, values=values,
        link=reverse("rewards_account:shelf_of", args=[member.public_id]),
        facts={"lots": [item.lot_id for item in ending]},
    )  # fmt: skip


def _amount(wallet: Wallet, units: int) -> str:
    amount = format_units(units, wallet.wallet_type)
    if not is_shared(wallet):
        return amount
    # As "250 points of “Stone family”", in place of "250 points".
    return _("%(units)s of “%(pool)s”") % {"units": amount, "pool": wallet.account.pool.name}
