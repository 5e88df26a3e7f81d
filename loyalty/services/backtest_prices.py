"""Discounts that a backtest tries: which rules price its orders, and how these were priced."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from babel.numbers import get_currency_precision

from loyalty.backtest_rules import Wordings
from loyalty.models import Backtest, EarningRule, WalletType
from loyalty.rule_conditions import stored_condition
from loyalty.rule_definitions import CAMPAIGN_RULES
from loyalty.rules.discounts import DiscountVersion
from loyalty.rules.events import Sale
from loyalty.rules.replayed_prices import Charged, PriceRules
from loyalty.selectors.charged_prices import charged_prices
from loyalty.selectors.replayed_orders import Replayed
from loyalty.selectors.rulebooks import fresh_terms, terms_of
from loyalty.services.campaign_rules import POSITION


def price_rules(backtest: Backtest, draft: Wordings, since: dt.datetime) -> PriceRules | None:
    """Those that people wrote, each when it was in force, and those that are tried from `since` on,
    in the place that rules of campaigns have: whatever campaigns took off then, these come without
    them. None: no discount is tried."""
    tried, program = draft.beside.discounts, backtest.program
    if not tried:
        return None
    known = {terms.id: terms for terms in fresh_terms().programs}
    terms = known.get(program.pk) or terms_of(program)
    published = set(backtest.versions)
    kept = [
        version
        for version in terms.rulebook.discounts
        if version.id in published and not version.rule_code.startswith(CAMPAIGN_RULES)
    ]
    unit = WalletType.objects.filter(program=program, stored_value=False).order_by("pk")[0]
    made = [
        DiscountVersion(
            id=-number, rule_id=-number, rule_code=item.rule.code, rule_name=item.rule.name,
            number=0, body=item.rule.body(), wallet_type_id=unit.pk, scale=unit.scale,
            when=stored_condition(item.rule.body().when), starts_at=since,
        )
        for number, item in enumerate(tried, start=1)
    ]  # fmt: skip
    later = set(EarningRule.objects.filter(program=program, position__gt=POSITION)
                .values_list("pk", flat=True))  # fmt: skip
    place = next((n for n, item in enumerate(kept) if item.rule_id in later), len(kept))
    return PriceRules(
        (*kept[:place], *made, *kept[place:]),
        {version.id: item.limits for version, item in zip(made, tried, strict=True)},
        Decimal(1).scaleb(-get_currency_precision(program.currency)),
        terms.discounting,
        since.astimezone(dt.UTC),
    )


def charged_of(backtest: Backtest, found: Sequence[Replayed], prices: PriceRules) -> Charged:
    """How the orders of these customers were priced."""
    bought = [
        (event.id, one.customer_id, event.at)
        for one in found
        for event in one.events
        if isinstance(event, Sale) and event.judged and event.at >= prices.since
    ]
    return charged_prices(backtest.program, bought, prices.versions)
