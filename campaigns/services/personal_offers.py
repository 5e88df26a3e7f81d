"""Personal offers: made for those who have none, for many members in one statement, and followed
as they buy."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import connection, transaction
from django.utils import timezone

from campaigns.campaign_definitions import offer_of
from campaigns.campaign_rules import SURPRISED
from campaigns.campaign_templates import COLLECTION
from campaigns.models import Campaign, PersonalOffer
from campaigns.selectors.offer_picks import candidates
from campaigns.selectors.personal_offers import eligible, held_offers, running_now
from loyalty.asked_elsewhere import register_keeper
from loyalty.told_conditions import register_untold_activity
from members.conditions.scopes import OFFERS
from members.models import OutboxEvent
from members.models.changes import CHANGED
from members.outbox import register_consumer
from members.prepared import run_prepared

State = PersonalOffer.State
# So many customers are followed together.
AT_ONCE = 500
_GIVE = """
    INSERT INTO campaigns_personaloffer (public_id, campaign_id, membership_id, number, target,
                name, times, whole, score, state, starts_at, ends_at)
    SELECT gen_random_uuid(), %(campaign)s, x.member, 1 + coalesce((
               SELECT max(o.number) FROM campaigns_personaloffer o
                WHERE o.campaign_id = %(campaign)s AND o.membership_id = x.member), 0),
           x.target, left(x.name, 200), x.times, x.whole, x.score, 'given', %(now)s, %(ends)s
      FROM ({found}) AS x(member, target, name, times, whole, score, place)
     WHERE x.place = 1 AND NOT EXISTS (
               SELECT FROM campaigns_personaloffer k
                WHERE k.campaign_id = %(campaign)s AND k.membership_id = x.member
                  AND (k.ends_at > %(now)s OR NOT %(again)s))
        ON CONFLICT DO NOTHING
"""
_EVER = "SELECT 1 FROM campaigns_personaloffer LIMIT 1"
# Taken: an order in its time has something of it. Not any more: that came to nothing.
_TAKE = """
    WITH theirs AS (
        SELECT o.id, o.state, o.seen_at, (
               SELECT min(r.placed_at) FROM loyalty_order r
                 JOIN loyalty_orderline n ON n.order_id = r.id
                WHERE r.customer_id = m.customer_id AND r.placed_at >= o.starts_at
                  AND r.placed_at < o.ends_at AND r.status NOT IN ('cancelled', 'refunded')
                  AND o.target = CASE WHEN c.template = %(collection)s THEN n.sku
                                      ELSE n.category END) AS at
          FROM campaigns_personaloffer o JOIN loyalty_membership m ON m.id = o.membership_id
          JOIN campaigns_campaign c ON c.id = o.campaign_id
         WHERE m.customer_id = ANY(%(customers)s))
    UPDATE campaigns_personaloffer o
       SET taken_at = t.at,
           state = CASE WHEN t.at IS NOT NULL THEN 'taken'
                        WHEN t.seen_at IS NOT NULL THEN 'seen' ELSE 'given' END
      FROM theirs t
     WHERE t.id = o.id AND o.taken_at IS DISTINCT FROM t.at
"""


def register() -> None:
    """Called once, when the application is ready."""
    register_keeper(OFFERS, held_offers)
    register_untold_activity(SURPRISED)
    register_consumer(CHANGED, follow_changes)


def follow_changes(events: Sequence[OutboxEvent]) -> None:
    """Outbox consumer of `customers.changed`: those customers' offers."""
    changed = sorted({pk for event in events for pk in event.payload["customers"]})
    now = timezone.now()
    for first in range(0, len(changed), AT_ONCE):
        follow_customers(changed[first : first + AT_ONCE], now=now)


@transaction.atomic
def follow_customers(customers: Sequence[int], *, now: dt.datetime) -> None:
    """What these customers took, and what they are to be offered since they bought. Doing it twice
    changes nothing."""
    campaigns = running_now(now)
    if not campaigns and not run_prepared(_EVER, []):
        return
    run_prepared(_TAKE, {"customers": list(customers), "collection": COLLECTION})
    for campaign in campaigns:
        members = eligible(campaign, now).filter(customer__in=customers)
        give_offers(campaign, list(members.values_list("pk", flat=True)), now)


def give_offers(campaign: Campaign, members: Sequence[int], now: dt.datetime) -> int:
    """To each of these memberships what suits them best, if anything does; who they are was asked
    before, so whoever was given one meanwhile is left out. In one statement. Returns how many were
    given one."""
    if not members:
        return 0
    assert campaign.ends_at is not None
    ends = min(now + dt.timedelta(days=offer_of(campaign).lasts), campaign.ends_at)
    found, values = candidates(campaign, members, now)
    with connection.cursor() as cursor:
        cursor.execute(_GIVE.format(found=found), {
            **values, "campaign": campaign.pk, "ends": ends, "again": offer_of(campaign).again,
        })  # fmt: skip
        return int(cursor.rowcount)


def mark_seen(offers: Sequence[PersonalOffer], now: dt.datetime) -> None:
    """Their members have read of them. Again changes nothing."""
    fresh = [offer.pk for offer in offers if offer.state == State.GIVEN]
    if fresh:
        rows = PersonalOffer.objects.filter(pk__in=fresh, state=State.GIVEN)
        rows.update(state=State.SEEN, seen_at=now)
