"""All that a challenge says, in sentences that staff read."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext as _

from campaigns.campaign_rules import unit_of
from campaigns.campaign_words import audience_words
from campaigns.challenge_words import brings, plan_words, time_words
from campaigns.models import Challenge
from loyalty.rule_words import units_in_words
from members.errors import DomainError
from members.formatting import format_moment, format_money, format_percent


def challenge_sentences(challenge: Challenge) -> list[str]:
    """Of one that may not be saved yet."""
    campaign = challenge.campaign
    found = []
    if campaign.starts_at and campaign.ends_at:
        zone = campaign.program.zone
        found.append(
            _("From %(start)s until %(end)s.")
            % {"start": format_moment(campaign.starts_at, zone),
               "end": format_moment(campaign.ends_at, zone)}
        )  # fmt: skip
    found += [audience_words(campaign), *plan_words(challenge)]
    if days := time_words(challenge):
        found.append(days)
    found.append(
        _("Members join it, and what they buy from then on counts.")
        if challenge.opt_in
        else _("Everybody takes part, without joining.")
    )
    if challenge.team_size:
        found.append(_("They do it in teams of %s at most; each gets it.") % challenge.team_size)
    try:
        found.append(_("Whoever does it gets: %s.") % ", ".join(brings(challenge)))
        found += _limits(challenge)
    except DomainError as error:
        found.append(str(error.message))
    if campaign.holdout:
        share = format_percent(Decimal(campaign.holdout) / 100, digits=0)
        found.append(_("%s of them are kept aside, to see what it brings.") % share)
    return found


def _limits(challenge: Challenge) -> list[str]:
    campaign = challenge.campaign
    found = []
    if campaign.budget_units is not None:
        units = units_in_words(campaign.budget_units, unit_of(campaign))
        found.append(_("It gives at most %s in all.") % units)
    if campaign.budget_money is not None:
        money = format_money(campaign.budget_money, campaign.program.currency)
        found.append(_("It costs at most %s.") % money)
    return found
