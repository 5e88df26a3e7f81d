"""The promotions of a sale that opens for some earlier: one for each who come at another time, with
the sale's prices from then on."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.campaign_definitions import CampaignDefinition
from campaigns.campaign_templates import TEMPLATES
from campaigns.models import Campaign
from campaigns.offers import Offer
from campaigns.services.campaigns import create_campaign
from loyalty.models import Program
from members.errors import ConflictError
from members.services.audit import Actor
from rewards.models import AccessOpening, AccessWindow

EARLY, USUAL = "early-access", "percent-off"


@transaction.atomic
def draft_promotions(*, window: AccessWindow, actor: Actor, now: dt.datetime) -> list[Campaign]:
    """Drafts for what it names, that say so many percent off. Whoever comes earlier has theirs
    until the sale opens for every member, so that nobody has two. Raises ConflictError where they
    are there already."""
    Program.objects.select_for_update(no_key=True).get(pk=window.program_id)
    names = [name for name, *_rest in _groups(window, now)]
    if Campaign.objects.filter(program=window.program, name__in=names).exists():
        raise ConflictError(_("Its promotions are drafted already."), code="taken")
    return [
        create_campaign(
            program=window.program, actor=actor, now=now,
            definition=_definition(window, name, template, audience, times, now),
        )
        for name, template, audience, times in _groups(window, now)
    ]  # fmt: skip


Times = tuple[dt.datetime, dt.datetime]


def _groups(
    window: AccessWindow, now: dt.datetime
) -> Iterator[tuple[str, str, dict[str, Any], Times]]:
    """Who comes when: those of tiers, plans and segments with the same time are asked for together,
    and whoever may come earlier already has theirs."""
    ends_at = window.opens_at or window.closes_at
    by_time: defaultdict[dt.datetime, list[dict[str, Any]]] = defaultdict(list)
    for item in window.openings.select_related("segment"):
        if max(item.opens_at, now) >= ends_at:
            continue
        by_time[item.opens_at].append(_asked(item))
    earlier: list[dict[str, Any]] = []
    for number, (opens_at, asked) in enumerate(sorted(by_time.items(), key=lambda x: x[0]), 1):
        audience = _any_of(asked)
        if earlier:
            audience = {"all": [audience, {"not": _any_of(earlier)}]}
        earlier = [*earlier, *asked]
        name = f"{window.name[:60]}, {_('early')} {number}"
        yield name, EARLY, audience, (max(opens_at, now), ends_at)
    if window.opens_at and window.closes_at > now:
        yield window.name, USUAL, {}, (max(window.opens_at, now), window.closes_at)


def _asked(opening: AccessOpening) -> dict[str, Any]:
    if opening.segment:
        return {"field": "customer.segments", "op": "has_any", "value": [opening.segment.code]}
    if opening.plan:
        return {"field": "membership.plan", "op": "is", "value": opening.plan}
    return {"field": "membership.tier", "op": "is", "value": opening.tier}


def _any_of(asked: list[dict[str, Any]]) -> dict[str, Any]:
    return asked[0] if len(asked) == 1 else {"any": asked}


def _definition(
    window: AccessWindow, name: str, template: str, audience: dict[str, Any], times: Times,
    now: dt.datetime,
) -> CampaignDefinition:  # fmt: skip
    known = TEMPLATES[template]
    said = {"percent": 20, "skus": window.skus, "categories": window.categories}
    starts_at, ends_at = times
    return CampaignDefinition(
        name=name, template=template, offer=Offer.model_validate(said), audience=audience,
        title=window.name, text=str(known.text), teaser=window.teaser[:200] or str(known.teaser),
        starts_at=starts_at, ends_at=ends_at,
        teased_at=max(now, starts_at - dt.timedelta(days=2)),
    )  # fmt: skip
