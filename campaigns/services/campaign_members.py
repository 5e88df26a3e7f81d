"""Who is in a campaign when it begins, and who of them is kept aside: written down once, so that
what they do in its time can be compared."""

from __future__ import annotations

import datetime as dt

from django.db import connection

from campaigns.models import Campaign
from campaigns.selectors.campaigns import audience_of, with_draw


def keep_audience(campaign: Campaign, now: dt.datetime) -> int:
    """Only where somebody is kept aside: without them there is nothing to compare with. One
    statement, however many they are."""
    if not campaign.holdout:
        return 0
    rows = with_draw(campaign, audience_of(campaign, now)).order_by()
    found, values = rows.values_list("pk", "drawn").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO campaigns_campaignmember (campaign_id, membership_id, held_out)"
            f" SELECT %s, x.member, x.drawn < %s FROM ({found}) AS x(member, drawn)"
            " ON CONFLICT DO NOTHING",
            [campaign.pk, campaign.holdout, *values],
        )
        return int(cursor.rowcount)
