"""A campaign in plain words: what it gives, to whom, when, and how much at most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.campaign_definitions import codes_of, stored_audience
from campaigns.campaign_rules import rules_of_campaign, template_of
from campaigns.computed_words import personal_words, surprise_words, without_lines
from campaigns.models import Campaign
from loyalty.base_words import describe_lines
from loyalty.descriptions import describe_expiry
from loyalty.rule_words import (
    describe_caps,
    describe_kind,
    describe_rule,
    describe_when,
)
from loyalty.rules.bodies import EarningBody
from loyalty.rules.body_parts import LineFilter
from loyalty.services.campaign_rules import CampaignRule
from members.conditions.sentences import sentence
from members.errors import DomainError
from members.formatting import format_moment, format_money, format_number, format_percent
from members.languages import said_in


@dataclass(frozen=True, slots=True)
class ToldCampaign:
    """What members read. `title` in the time before it begins: see `teaser`."""

    title: str
    text: str
    teaser: str


def told_campaign(campaign: Campaign, locale: str = "") -> ToldCampaign:
    """In the language of `locale`, or of the page where that is empty; what is not said in it is as
    in the first one."""
    said: Mapping[str, Any] = said_in(campaign.texts, locale) or {}
    names = ("title", "text", "teaser")
    return ToldCampaign(**{name: said.get(name) or getattr(campaign, name) for name in names})


def campaign_sentences(campaign: Campaign) -> list[str]:
    """Of one that may not be saved yet. What is missing is said instead."""
    found = []
    if campaign.starts_at and campaign.ends_at:
        zone = campaign.program.zone
        found.append(
            _("From %(start)s until %(end)s.")
            % {"start": format_moment(campaign.starts_at, zone),
               "end": format_moment(campaign.ends_at, zone)}
        )  # fmt: skip
    found.append(audience_words(campaign))
    found += code_words(campaign)
    found += [line for line in campaign_gives(campaign) if line not in found]
    if campaign.budget_money is not None:
        money = format_money(campaign.budget_money, campaign.program.currency)
        found.append(_("It costs at most %s.") % money)
    if campaign.tells:
        words = {
            "teaser": _("when it is announced"), "begun": _("when it has begun"),
            "last_day": _("on its last day"),
        }  # fmt: skip
        told = ", ".join(words[name] for name in campaign.tells)
        found.append(_("Members are told by a message: %s.") % told)
    if campaign.holdout:
        share = format_percent(Decimal(campaign.holdout) / 100, digits=0)
        found.append(_("%s of them are kept aside, to see what it brings.") % share)
    return found


def campaign_gives(campaign: Campaign) -> list[str]:
    """What it gives, without when and to whom. What is missing is said instead."""
    found: list[str] = []
    try:
        rules = rules_of_campaign(campaign, told=True)
        template = template_of(campaign)
        if template.personal:
            found += personal_words(campaign)
            rules = [replace(rule, body=without_lines(rule.body)) for rule in rules[:1]]
        elif template.surprise:
            found += surprise_words(campaign)
            rules = []
        for rule in rules:
            said = _gives(rule, campaign.program.currency)
            found += [line for line in said if line not in found]
    except DomainError as error:
        found.append(str(error.message))
    return found


def _gives(rule: CampaignRule, currency: str) -> list[str]:
    """What one of its rules gives, for which items, when, and how much at most. How a base is
    reckoned is as everywhere: the rule's own page says it."""
    body = rule.body
    if not isinstance(body, EarningBody):
        return describe_rule(body, rule.unit, currency)
    found = [describe_kind(body, rule.unit, currency), *describe_when(body)]
    if body.include != LineFilter():
        found.append(_("Only these earn: %s.") % describe_lines(body.include))
    lasts = [describe_expiry(rule.expiry)] if rule.expiry is not None else []
    return [*found, *lasts, *describe_caps(body.caps, rule.unit, currency)]


def audience_words(campaign: Campaign) -> str:
    asked = stored_audience(campaign)
    if asked is None:
        return _("For every member.")
    return _("For members of whom this holds: %s.") % sentence(asked)


def code_words(campaign: Campaign) -> list[str]:
    """How one gets it by a code; nothing where it takes none."""
    codes, found = codes_of(campaign), []
    if codes.kind == "shared":
        found.append(_("Only with the code %s.") % codes.word)
        if codes.most_uses is not None:
            found.append(
                ngettext(
                    "The code counts %s time.", "The code counts %s times.", codes.most_uses
                ) % format_number(codes.most_uses)
            )  # fmt: skip
    elif codes.kind == "single":
        found.append(_("Only with one of its codes; each counts once."))
    if codes.asked and codes.per_member is not None:
        words = ngettext("Once for each member.", "%s times for each member.", codes.per_member)
        found.append(words % format_number(codes.per_member) if "%s" in words else words)
    return found
