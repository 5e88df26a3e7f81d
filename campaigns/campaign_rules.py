"""The rules that a campaign comes to: what it gives, for whom, when, and how much at most."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from typing import Any

from django.utils.translation import gettext as _
from pydantic import ValidationError

from campaigns.campaign_definitions import codes_of, offer_of
from campaigns.campaign_templates import (
    CHALLENGE,
    COLLECTION,
    DISCOUNTS,
    TEMPLATES,
    CampaignTemplate,
)
from campaigns.models import Campaign
from campaigns.offers import PARTS, Offer
from loyalty.models import WalletType
from loyalty.rule_definitions import CAMPAIGN_RULES
from loyalty.rules.bodies import RuleBody, parse_body
from loyalty.selectors.lot_policies import expiry_of
from loyalty.services.campaign_rules import CampaignRule
from loyalty.unit_definitions import ExpiryDefinition
from members.errors import DomainError, FieldError

# The type of the activities that say that somebody has done a challenge.
DONE = "challenge-done"
# The promotions whose codes count for an order.
BY_CODE = "order.promotions"
# What was offered to the buyer alone.
BY_OFFER = "order.offers"
# The type of the activities that say that somebody was surprised.
SURPRISED = "surprise"
# A rule for each category or product that somebody may be offered: not more than that.
MOST_TARGETS = 40


def template_of(campaign: Campaign) -> CampaignTemplate:
    return TEMPLATES[campaign.template]


def draw_of(campaign: Campaign) -> str:
    """The name by which its members draw who is kept aside."""
    return f"{campaign.program.code}.{campaign.code}"


def rules_of_campaign(
    campaign: Campaign, *, told: bool = False, by_code: bool = True
) -> list[CampaignRule]:
    """Raises DomainError where something is missing. `told`: what people read of them, without
    whom they are for, who is kept aside, and the code that it takes. `by_code` false: as if
    everybody had the code."""
    if campaign.template == CHALLENGE:
        return _rules_of_activity(campaign, DONE, campaign.challenge.units)
    if template_of(campaign).surprise:
        offer = offer_of(campaign)
        return _rules_of_activity(campaign, SURPRISED, None if offer.reward else offer.units)
    unit, offer, template = unit_of(campaign), offer_of(campaign), template_of(campaign)
    _refuse_missing(offer, template)
    asked = _asked(campaign, offer, told, by_code)
    found = []
    for number, (part, chosen) in enumerate(_wanted(campaign, offer), start=1):
        suffix = "" if number == 1 else f"-{number}"
        said = PARTS[part](chosen)
        own = said.pop("when", {}).get("all", [])
        when = [*own, *asked]
        if template.personal and not told:
            name = offer_name(campaign, *targets_of(chosen))
            when.append({"field": BY_OFFER, "op": "has_any", "value": [name]})
        body: dict[str, Any] = {**said, **({"when": {"all": when}} if when else {})}
        if part not in DISCOUNTS:
            body["caps"] = _caps(campaign, offer, unit)
        code = f"{CAMPAIGN_RULES}{campaign.code}{suffix}"
        expiry = expiry_of_offer(offer, template, unit)
        found.append(CampaignRule(code, campaign.name, unit, _parsed(body), expiry))
    return found


def expiry_of_offer(
    offer: Offer, template: CampaignTemplate, unit: WalletType
) -> ExpiryDefinition | None:
    """None: as the program's. What members are promised of the last day, and of being warned, is
    as of all its units."""
    if offer.expire_days is None or "expire_days" not in template.asks:
        return None
    usual = expiry_of(unit.lot_policies.filter(rule=None).latest("pk"))
    return ExpiryDefinition(
        kind="days", length=offer.expire_days, counted_from="maturity", last_day=usual.last_day,
        restored_days=usual.restored_days, warned_days=usual.warned_days,
    )  # fmt: skip


def _wanted(campaign: Campaign, offer: Offer) -> list[tuple[str, Offer]]:
    """Its parts, and what each says. Of personal offers there is one for each category or product
    that may be offered, whoever it is offered to."""
    template = template_of(campaign)
    if not template.personal:
        return [(part, offer) for part in template.parts]
    [part] = template.parts
    if template.code == COLLECTION:
        return [(part, offer.model_copy(update={"skus": (sku,)})) for sku in offer.skus]
    return [(part, offer.model_copy(update={"categories": (one,)})) for one in offer.categories]


def targets_of(offer: Offer) -> tuple[str, ...]:
    """What may be offered to single members: categories, or products."""
    return offer.categories or offer.skus


def offer_name(campaign: Campaign, target: str) -> str:
    """By which a rule asks whether its buyer was offered this."""
    return f"{draw_of(campaign)}/{target}"


def subject_of(campaign: Campaign) -> str:
    """What the activities of a challenge or a surprise are about."""
    return f"{campaign.program.code}.{campaign.code}"


def _rules_of_activity(
    campaign: Campaign, activity: str, units: Decimal | None
) -> list[CampaignRule]:
    """One for whoever has done a challenge or was surprised; who that may be is asked before."""
    if units is None:
        return []
    unit = unit_of(campaign)
    mine = {"field": "activity.subject", "op": "is", "value": subject_of(campaign)}
    body = {
        "kind": "activity", "activity": activity, "units": units,
        "when": {"all": [mine]}, "caps": _caps(campaign, Offer(), unit),
    }  # fmt: skip
    code = f"{CAMPAIGN_RULES}{campaign.code}"
    return [CampaignRule(code, campaign.name, unit, _parsed(body))]


def unit_of(campaign: Campaign) -> WalletType:
    """What it gives: the program's first units."""
    units = [unit for unit in campaign.program.wallet_types.all() if not unit.stored_value]
    if not units:
        raise DomainError(_("The program has no units."), code="no_units")
    return min(units, key=lambda unit: unit.pk)


def budget_in_units(campaign: Campaign, unit: WalletType) -> Decimal | None:
    """The smaller of both budgets, in units."""
    found = [] if campaign.budget_units is None else [Decimal(campaign.budget_units)]
    if campaign.budget_money is not None and not template_of(campaign).takes_off:
        if not unit.unit_value:
            message = _("%s are worth no money: give the budget in units.") % unit.plural
            raise DomainError(message, errors=[FieldError("budget_money", message)])
        units = Decimal(campaign.budget_money) / unit.unit_value
        found.append(units.quantize(Decimal(1).scaleb(-unit.scale), ROUND_DOWN))
    return min(found, default=None)


def budget_off_prices(campaign: Campaign) -> Decimal | None:
    """Of money that it takes off prices; None: it has none, or gives units."""
    if campaign.budget_money is None or not template_of(campaign).takes_off:
        return None
    return Decimal(campaign.budget_money)


def _asked(campaign: Campaign, offer: Offer, told: bool, by_code: bool) -> list[dict[str, Any]]:
    """What all of its rules ask: the audience, the clock, its code, and who is kept aside."""
    found = offer.conditions()
    if codes_of(campaign).asked and by_code and not told:
        found.append({"field": BY_CODE, "op": "has_any", "value": [draw_of(campaign)]})
    if template_of(campaign).personal:
        # Who is in the audience, and not kept aside, was asked when it was offered.
        return found
    if campaign.audience and not told:
        whole = set(campaign.audience) == {"all"}
        found += campaign.audience["all"] if whole else [campaign.audience]
    if campaign.holdout and not told:
        drawn = f"customer.draw.{draw_of(campaign)}"
        found.append({"field": drawn, "op": "at_least", "value": campaign.holdout})
    return found


def _caps(campaign: Campaign, offer: Offer, unit: WalletType) -> dict[str, Any]:
    budget = budget_in_units(campaign, unit)
    if budget is not None and budget <= 0:
        message = _("It does not suffice for a single unit.")
        raise DomainError(message, errors=[FieldError("budget_money", message)])
    caps: dict[str, Any] = {} if budget is None else {"budget": budget}
    if "bonus" in template_of(campaign).parts:
        offer = offer.model_copy(update={"per_member": offer.units})
    if "nth" in template_of(campaign).parts:
        # A member gets it once in its time.
        offer = offer.model_copy(update={"per_member": None})
    if offer.per_member is not None:
        caps |= {"per_member": {"lifetime": offer.per_member}}
    return caps


def _refuse_missing(offer: Offer, template: CampaignTemplate) -> None:
    if "lines" in template.needs and not offer.lines:
        message = _("Name a category, a product or a tag.")
        raise DomainError(message, errors=[FieldError("categories", message, "required")])
    if "set" in template.needs and len(offer.skus) < 2:
        message = _("Name the products that belong together, two at least.")
        raise DomainError(message, errors=[FieldError("skus", message, "required")])
    if template.personal and len(targets_of(offer)) > MOST_TARGETS:
        message = _("At most %s, since each takes a rule.") % MOST_TARGETS
        name = "categories" if offer.categories else "skus"
        raise DomainError(message, errors=[FieldError(name, message)])
    if "bundle" in template.needs and not offer.bundle:
        message = _("Say what belongs together.")
        raise DomainError(message, errors=[FieldError("bundle", message, "required")])
    if "brackets" in template.needs and not offer.brackets:
        message = _("Say how much comes off from which amount on.")
        raise DomainError(message, errors=[FieldError("brackets", message, "required")])


def _parsed(body: dict[str, Any]) -> RuleBody:
    try:
        return parse_body(body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        words = str(first["msg"]).removeprefix("Value error, ")
        place = str(first["loc"][0]) if first["loc"] else "offer"
        raise DomainError(words, errors=[FieldError(place, words)]) from error
