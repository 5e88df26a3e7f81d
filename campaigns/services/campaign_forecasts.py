"""What a campaign would have given for real orders of the past: a backtest with its rules."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.campaign_definitions import codes_of
from campaigns.campaign_rules import rules_of_campaign, template_of
from campaigns.models import Campaign, CampaignForecast
from campaigns.selectors.campaigns import promotions
from campaigns.selectors.promo_codes import count_codes
from loyalty.backtest_rules import Beside, Discounted, with_changes
from loyalty.models import Backtest
from loyalty.rule_definitions import DiscountRuleDefinition, EarningRuleDefinition
from loyalty.rules.replayed_prices import Limits
from loyalty.selectors.programs import definition_of
from loyalty.services.backtests import create_backtest
from loyalty.services.campaign_rules import CampaignRule, keepers
from members.errors import DomainError
from members.services.audit import Actor

# As long as it shall run, within these.
SHORTEST, LONGEST = 28, 92
Status = Campaign.Status
# A campaign and its rules.
Tried = tuple[Campaign, Sequence[CampaignRule]]


@transaction.atomic
def forecast_campaign(*, campaign: Campaign, actor: Actor, now: dt.datetime) -> Backtest:
    """Its rules beside those that are live, and those of campaigns that it will meet, for the
    orders of as many days before today as it lasts, four weeks at least: each campaign within its
    budget and its limit for a member, which all of its rules share. Who is kept aside gets
    nothing there either; of one by code it is what it would cost if all for whom it is used it.
    The job is to be handed over; the campaign remembers what was asked last."""
    if not template_of(campaign).is_replayed:
        raise DomainError(
            _("Who would have got it is worked out on its page, not by a replay."),
            code="not_replayed",
        )
    program, days = campaign.program, tried_days(campaign)
    tried = [(one, rules_of_campaign(one, by_code=False))
             for one in (*met_by(campaign, now), campaign)]  # fmt: skip
    own = [_code(rule.code) for rule in tried[-1][1]]
    priced = template_of(campaign).takes_off
    put = [] if priced else _as_written([rules for _one, rules in tried])
    until = now.astimezone(program.zone).date() - dt.timedelta(days=1)
    backtest = create_backtest(
        program=program, since=until - dt.timedelta(days=days - 1), until=until,
        draft=with_changes(definition_of(program, now), put=put), actor=actor, now=now,
        name=campaign.name, beside=_beside(tried, priced),
    )  # fmt: skip
    said = {"backtest": backtest, "rules": own, "asked_at": now}
    CampaignForecast.objects.update_or_create(campaign=campaign, defaults=said)
    return backtest


def tried_days(campaign: Campaign) -> int:
    """As many as it lasts, within limits."""
    return max(SHORTEST, min(LONGEST, lasting(campaign) or SHORTEST))


def lasting(campaign: Campaign) -> int:
    """For how many days, begun ones too; 0: not said yet."""
    if campaign.starts_at is None or campaign.ends_at is None:
        return 0
    return -((campaign.starts_at - campaign.ends_at) // dt.timedelta(days=1))


def met_by(campaign: Campaign, now: dt.datetime) -> list[Campaign]:
    """Promotions that are planned or live in its time and give what it gives: of several
    multipliers, or discounts, one may be all that counts."""
    if campaign.starts_at is None or campaign.ends_at is None:
        return []
    rows = promotions().filter(
        program=campaign.program_id, status__in=[Status.SCHEDULED, Status.LIVE],
        starts_at__lt=campaign.ends_at, ends_at__gt=max(campaign.starts_at, now),
    ).exclude(pk=campaign.pk)  # fmt: skip
    priced = template_of(campaign).takes_off
    return [row for row in rows.order_by("pk") if template_of(row).takes_off == priced]


def _beside(tried: Sequence[Tried], priced: bool) -> Beside:
    """Of one that is live what it has given already is not counted beside what is tried."""
    sharing = {
        _code(one): _code(other)
        for _campaign, rules in tried
        for one, other in keepers(rules).items()
    }
    left_out = tuple(rule.code for _campaign, rules in tried for rule in rules)
    if not priced:
        return Beside(sharing, left_out)
    discounts = tuple(
        Discounted(
            DiscountRuleDefinition.model_validate(
                {**rule.body.model_dump(mode="json"), "code": _code(rule.code), "name": rule.name}
            ),
            _limits(campaign),
            codes_of(campaign).asked,
        )
        for campaign, rules in tried
        for rule in rules
    )
    return Beside(sharing, left_out, discounts)


def _limits(campaign: Campaign) -> Limits:
    """Its budget of money, and how often its codes may be used; a member's limit holds for as long
    as it lasts."""
    codes, counted = codes_of(campaign), count_codes(campaign)
    if not codes.asked:
        return Limits(campaign.budget_money)
    return Limits(campaign.budget_money, counted.most or None, codes.per_member, lasting(campaign))


def _as_written(tried: Sequence[Sequence[CampaignRule]]) -> list[EarningRuleDefinition]:
    return [
        EarningRuleDefinition.model_validate(
            {**rule.body.model_dump(mode="json"), "code": _code(rule.code), "name": rule.name,
             "wallet_type": rule.unit.code}
        )
        for rules in tried
        for rule in rules
    ]  # fmt: skip


def _code(code: str) -> str:
    """Of a rule as people would write it: those of campaigns are reserved."""
    return f"trial-{code}"[:64]
