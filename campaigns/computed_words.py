"""In plain words for staff: how a personal offer is picked, and how a surprise is drawn."""

from __future__ import annotations

from django.utils.translation import gettext as _

from campaigns.campaign_definitions import offer_of
from campaigns.campaign_rules import targets_of, unit_of
from campaigns.campaign_templates import COLLECTION
from campaigns.models import Campaign
from loyalty.rule_words import units_in_words
from loyalty.rules.bodies import RuleBody
from loyalty.rules.body_parts import LineFilter
from members.formatting import format_number, format_percent


def personal_words(campaign: Campaign) -> list[str]:
    """Who is offered what; the rule says what it gives, of which there is one for each."""
    offer = offer_of(campaign)
    said = {
        "bought": format_number(offer.bought), "days": format_number(offer.within),
        "missing": format_number(offer.missing), "all": ", ".join(targets_of(offer)),
    }  # fmt: skip
    if campaign.template == COLLECTION:
        words = _("For who has bought all but %(missing)s of these within %(days)s days: %(all)s.")
    elif offer.picks == "next":
        words = _("For who ordered within %(days)s days (at least %(bought)s ×): where they most"
                  " likely buy next, of %(all)s.")  # fmt: skip
    elif offer.picks == "birthday":
        words = _("Around the birthday: where they ordered most often within %(days)s days (at"
                  " least %(bought)s ×), of %(all)s.")  # fmt: skip
    else:
        words = _("Where they ordered most often within %(days)s days (at least %(bought)s ×), of"
                  " %(all)s.")  # fmt: skip
    lasts = _("It is theirs for %s days.") % format_number(offer.lasts)
    again = _("When that is over, they are offered another one.") if offer.again else ""
    return [line for line in (words % said, lasts, again) if line]


def without_lines(body: RuleBody) -> RuleBody:
    """What one of its rules gives, without the one category or product that it is for."""
    return body.model_copy(update={"include": LineFilter()})


def surprise_words(campaign: Campaign) -> list[str]:
    """Raises DomainError where the program has no units."""
    offer = offer_of(campaign)
    what = offer.reward or units_in_words(offer.units, unit_of(campaign))
    match offer.choose:
        case "all":
            who = _("Everybody it is for gets %s.") % what
        case "number":
            who = _("%(number)s of them are drawn and get %(what)s.") % {
                "number": format_number(offer.winners), "what": what
            }  # fmt: skip
        case _share:
            who = _("%(share)s of them are drawn and get %(what)s.") % {
                "share": format_percent(offer.share / 100, digits=4), "what": what
            }  # fmt: skip
    rounds = {"once": _("Once."), "week": _("Every week."), "month": _("Every month.")}
    return [who, rounds[offer.rounds]]
