"""What a campaign would have given for real orders of the past: a backtest with its rules."""

from __future__ import annotations

import datetime as dt
from copy import copy

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.campaign_rules import rules_of_campaign, template_of
from campaigns.models import Campaign, CampaignForecast
from campaigns.selectors.campaigns import promotions
from loyalty.backtest_rules import with_changes
from loyalty.models import Backtest
from loyalty.rule_definitions import EarningRuleDefinition
from loyalty.selectors.programs import definition_of
from loyalty.services.backtests import create_backtest
from members.errors import DomainError
from members.services.audit import Actor

# As long as it shall run, within these.
SHORTEST, LONGEST = 28, 92
Status = Campaign.Status


@transaction.atomic
def forecast_campaign(*, campaign: Campaign, actor: Actor, now: dt.datetime) -> Backtest:
    """Its rules beside those that are live, and those of campaigns that it will meet, for the
    orders of as many days before today as it lasts, four weeks at least. Who is kept aside gets
    nothing there either; of one by code it is what it would cost if all for whom it is used it.
    The job is to be handed over; the campaign remembers what was asked last."""
    if template_of(campaign).takes_off:
        raise DomainError(
            _("What is taken off prices is not replayed: a shop’s prices would have been others."),
            code="not_replayed",
        )
    if not template_of(campaign).is_replayed:
        raise DomainError(
            _("Who would have got it is worked out on its page, not by a replay."),
            code="not_replayed",
        )
    program = campaign.program
    own = _as_tried(_unlimited(campaign))
    added = [*own, *(rule for other in met_by(campaign, now) for rule in _as_tried(other))]
    days = SHORTEST
    if campaign.starts_at and campaign.ends_at:
        days = max(SHORTEST, min(LONGEST, (campaign.ends_at - campaign.starts_at).days))
    until = now.astimezone(program.zone).date() - dt.timedelta(days=1)
    backtest = create_backtest(
        program=program, since=until - dt.timedelta(days=days - 1), until=until,
        draft=with_changes(definition_of(program, now), put=added), actor=actor, now=now,
        name=campaign.name,
    )  # fmt: skip
    said = {"backtest": backtest, "rules": [rule.code for rule in own], "asked_at": now}
    CampaignForecast.objects.update_or_create(campaign=campaign, defaults=said)
    return backtest


def met_by(campaign: Campaign, now: dt.datetime) -> list[Campaign]:
    """Promotions that are planned or live in its time and give units: of several multipliers one
    may be all that counts."""
    if campaign.starts_at is None or campaign.ends_at is None:
        return []
    rows = promotions().filter(
        program=campaign.program_id, status__in=[Status.SCHEDULED, Status.LIVE],
        starts_at__lt=campaign.ends_at, ends_at__gt=max(campaign.starts_at, now),
    ).exclude(pk=campaign.pk)  # fmt: skip
    return [row for row in rows.order_by("pk") if not template_of(row).takes_off]


def _unlimited(campaign: Campaign) -> Campaign:
    """Without its budget: what it would come to says when that is used up."""
    free = copy(campaign)
    free.budget_units = free.budget_money = None
    return free


def _as_tried(campaign: Campaign) -> list[EarningRuleDefinition]:
    return [
        EarningRuleDefinition.model_validate(
            {**rule.body.model_dump(mode="json"), "code": _code(rule.code), "name": rule.name,
             "wallet_type": rule.unit.code}
        )
        for rule in rules_of_campaign(campaign, by_code=False)
    ]  # fmt: skip


def _code(code: str) -> str:
    """Of a rule as people would write it: those of campaigns are reserved."""
    return f"trial-{code}"[:64]
