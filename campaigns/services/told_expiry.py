"""What members are told before units expire: 60, 30 and 7 days ahead, with what they are worth.

Units that must not lapse unwarned expire only when this was told (`warn_lots`); that they were told
in the member's inbox suffices. At each distance a wallet is told of all that ends until a week
after, so who earns every day reads one message a week and not one a day.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.utils.translation import ngettext

from campaigns.models import ExpiryNotice, Message
from campaigns.news import News
from campaigns.occasions import Occasion, Variable
from campaigns.services.messages import watched, write_messages
from loyalty.lot_words import last_day
from loyalty.models import Lot, Wallet
from loyalty.selectors.balances import worth_of
from loyalty.services.lots import warn_lots
from members.formatting import format_day, format_money, format_number, format_units
from members.jobs import Work
from members.models import Job
from members.selectors.merges import current
from members.services.job_runs import Step, run_in_chunks

KIND = "expiry_warnings"
DISTANCES = (7, 30, 60)
TOGETHER = dt.timedelta(days=7)
PIECE = 500


def lots_were_told(message: Message, now: dt.datetime) -> None:
    """From now on those of them that had to be warned of expire."""
    if named := message.facts.get("lots"):
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

# Every lot that ends within the time that is looked at, by the three ways in which a lot can end.
# One that waits for its warning ends at the earliest so many days after it, whenever that comes.
_ENDING = """
    SELECT l.id, l.wallet_id, l.remaining, l.earned_at, l.due_at AS ends, 0 AS notice
      FROM loyalty_lot l
     WHERE l.due_at > %(now)s AND l.due_at <= %(now)s + interval '67 days'
       AND l.expires_at IS NOT NULL
    UNION ALL
    SELECT l.id, l.wallet_id, l.remaining, l.earned_at,
           greatest(l.planned_expires_at, %(now)s + p.warned_days * interval '1 day'),
           p.warned_days
      FROM loyalty_lot l JOIN loyalty_lotpolicy p ON p.id = l.policy_id
     WHERE l.expires_at IS NULL AND l.due_at IS NOT NULL AND NOT l.renewable
       AND l.planned_expires_at <= %(now)s + greatest(p.warned_days, 60) * interval '1 day'
                                           + interval '7 days'
    UNION ALL
    SELECT l.id, l.wallet_id, l.remaining, l.earned_at, w.active_until, 0
      FROM loyalty_wallet w JOIN loyalty_lot l ON l.wallet_id = w.id
     WHERE w.active_until > %(now)s AND w.active_until <= %(now)s + interval '67 days'
       AND l.renewable AND l.expires_at IS NULL AND l.due_at IS NOT NULL
"""
# Those of which somebody is to be told now: what ends within a distance, was not told at it, and
# lasted longer than that from the beginning.
_DUE = f"""
    WITH ending AS ({_ENDING}), distances AS (SELECT unnest(%(distances)s) AS days)
    SELECT e.wallet_id, min(d.days), max(e.ends) FILTER (WHERE e.notice > d.days)
      FROM ending e CROSS JOIN distances d
      JOIN loyalty_wallet w ON w.id = e.wallet_id
      JOIN loyalty_membership m ON m.account_id = w.account_id AND m.status = 'active'
      JOIN loyalty_program p ON p.id = m.program_id AND p.status = 'live'
      LEFT JOIN campaigns_expirynotice n ON n.wallet_id = e.wallet_id AND n.days = d.days
     WHERE e.ends <= %(now)s
                     + interval '1 day'
                       * greatest(d.days, CASE WHEN d.days = 60 THEN e.notice + 1 END)
       AND e.ends > coalesce(n.through, %(now)s)
       AND (e.ends - e.earned_at > d.days * interval '1 day' OR e.notice > 0)
       AND e.wallet_id > %(after)s
     GROUP BY e.wallet_id ORDER BY e.wallet_id LIMIT %(most)s
"""
_OF_WALLETS = f"""
    SELECT e.wallet_id, e.id, e.remaining, e.ends
      FROM ({_ENDING}) e WHERE e.wallet_id = ANY(%(wallets)s) ORDER BY e.wallet_id, e.ends, e.id
"""


@dataclass(frozen=True, slots=True)
class Ending:
    """Units of a wallet that end at an instant."""

    lot_id: int
    units: int
    ends: dt.datetime


def find_warnings(now: dt.datetime) -> Work | None:
    """Nothing while the occasion is off, or nobody is due."""
    if watched(EXPIRING) is None or not _due(now, after=0, most=1):
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
    after, written = _tell_some(now, job.checkpoint.get("after", 0))
    if not after:
        return None
    told = job.result.get("told", 0) + written
    return Step(checkpoint={"after": after}, done=told, result={"told": told})


@transaction.atomic
def _tell_some(now: dt.datetime, after: int) -> tuple[int, int]:
    """Up to which wallet it was done, 0 when nothing is left, and how many messages it were."""
    setting = watched(EXPIRING)
    due = _due(now, after=after, most=PIECE) if setting else {}
    if setting is None or not due:
        return 0, 0
    wallets = Wallet.objects.filter(pk__in=due).select_related(
        "account__membership__customer__merged_into", "account__membership__program",
        "wallet_type",
    )  # fmt: skip
    endings = _endings(list(due), now)
    news = []
    for wallet in wallets.order_by("pk"):
        days, far = due[wallet.pk]
        horizon = max(now + dt.timedelta(days=days), far or now) + TOGETHER
        ending = [item for item in endings[wallet.pk] if item.ends <= horizon]
        before = _note_told(wallet, days, horizon)
        news.append(_news(wallet, days, before, ending))
    written = write_messages(occasion=EXPIRING, setting=setting, news=news, now=now)
    return max(due), len(written)


def _due(now: dt.datetime, *, after: int, most: int) -> dict[int, tuple[int, dt.datetime | None]]:
    """The next wallets of which somebody is to be told, with the distance, and when what wants a
    longer notice ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            _DUE, {"now": now, "after": after, "most": most, "distances": list(DISTANCES)}
        )
        return {wallet: (days, far) for wallet, days, far in cursor.fetchall()}


def _endings(wallets: Sequence[int], now: dt.datetime) -> dict[int, list[Ending]]:
    found: defaultdict[int, list[Ending]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_OF_WALLETS, {"now": now, "wallets": list(wallets)})
        for wallet, lot, units, ends in cursor.fetchall():
            found[wallet].append(Ending(lot, units, ends))
    return found


def _note_told(wallet: Wallet, days: int, horizon: dt.datetime) -> str:
    """What ends until then is not told again at this distance, nor at a longer one. Returns what
    names the message: how far it had been told before."""
    known = {
        row.days: row
        for row in ExpiryNotice.objects.select_for_update().filter(wallet=wallet)
    }  # fmt: skip
    for distance in DISTANCES:
        if distance < days:
            continue
        row = known.get(distance)
        if row is None:
            ExpiryNotice.objects.create(wallet=wallet, days=distance, through=horizon)
        elif row.through < horizon:
            ExpiryNotice.objects.filter(pk=row.pk).update(through=horizon)
    before = known.get(days)
    return before.through.isoformat() if before else "first"


def _news(wallet: Wallet, days: int, before: str, ending: Sequence[Ending]) -> News:
    member, unit = wallet.account.membership, wallet.wallet_type
    zone = member.program.zone
    units = sum(item.units for item in ending)
    first, last = last_day(ending[0].ends, zone), last_day(ending[-1].ends, zone)

    def values() -> dict[str, str]:
        worth = worth_of(units, unit)
        return {
            "amount": format_units(units, unit),
            "worth": format_money(worth, member.program.currency) if worth else "",
            "first_day": format_day(first),
            "last_day": format_day(last),
            "several_days": "yes" if first != last else "",
        }

    return News(
        customer=current(member.customer), membership=member,
        occurrence=f"wallet:{wallet.pk}:{days}:{before}", values=values,
        link=reverse("rewards_account:shelf_of", args=[member.public_id]),
        facts={"lots": [item.lot_id for item in ending]},
    )  # fmt: skip
