"""What a campaign would have given for real orders of the past: a backtest with its rules."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _

from campaigns.campaign_rules import rules_of_campaign, template_of
from campaigns.models import Campaign
from loyalty.backtest_rules import with_changes
from loyalty.models import Backtest
from loyalty.rule_definitions import EarningRuleDefinition
from loyalty.selectors.programs import definition_of
from loyalty.services.backtests import create_backtest
from members.errors import DomainError
from members.services.audit import Actor

# As long as it shall run, within these.
SHORTEST, LONGEST = 14, 92


def forecast_campaign(*, campaign: Campaign, actor: Actor, now: dt.datetime) -> Backtest:
    """Its rules beside those that are live, for the orders of as many days before today as it
    lasts, two weeks at least. Who is kept aside gets nothing there either; of one by code it is
    what it would cost if all for whom it is used it. The job is to be handed
    over."""
    if template_of(campaign).takes_off:
        raise DomainError(
            _("What is taken off prices is not replayed: a shop’s prices would have been others."),
            code="not_replayed",
        )
    program = campaign.program
    added = [
        EarningRuleDefinition.model_validate(
            {**rule.body.model_dump(mode="json"), "code": _code(rule.code), "name": rule.name,
             "wallet_type": rule.unit.code}
        )
        for rule in rules_of_campaign(campaign, by_code=False)
    ]  # fmt: skip
    days = SHORTEST
    if campaign.starts_at and campaign.ends_at:
        days = max(SHORTEST, min(LONGEST, (campaign.ends_at - campaign.starts_at).days))
    until = now.astimezone(program.zone).date() - dt.timedelta(days=1)
    return create_backtest(
        program=program, since=until - dt.timedelta(days=days - 1), until=until,
        draft=with_changes(definition_of(program, now), put=added), actor=actor, now=now,
        name=campaign.name,
    )  # fmt: skip


def _code(code: str) -> str:
    """Of a rule as people would write it: those of campaigns are reserved."""
    return f"trial-{code}"[:64]
