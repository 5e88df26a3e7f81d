"""Benefits that earn, as rules: the same ones in life and in a backtest."""

from loyalty.backtest_rules import KnownUnit
from loyalty.backtest_tiers import with_tiers
from loyalty.rules.bodies import AnniversaryBody, EarningBody
from loyalty.rules.lots import LotTerms
from loyalty.tier_benefits import benefit_rules, tier_source
from loyalty.tier_definitions import TiersDefinition
from tests.loyalty.factories import day

UNITS = {"points": KnownUnit(7, 0, LotTerms()), "stars": KnownUnit(9, 2, LotTerms())}
TIERS = TiersDefinition.model_validate(
    {
        "tiers": [
            {"code": "base", "name": "Member"},
            {"code": "gold", "name": "Gold", "threshold": 500, "benefits": [
                {"kind": "multiplier", "factor": "1.5"},
                {"kind": "birthday_bonus", "units": 100, "wallet_type": "stars"},
                {"kind": "free_shipping"},
            ]},
        ]
    }
)  # fmt: skip


def test_another_kind_of_unit_is_a_rule_of_its_own() -> None:
    found = benefit_rules([tier_source(tier) for tier in TIERS.tiers], UNITS, "tier-")
    assert [(rule.code, rule.unit.pk, rule.name) for rule in found] == [
        ("tier-gold-x", 7, "Gold: 1.5 ×"),
        ("tier-gold-birthday-9", 9, "Gold: birthday"),
    ]


def test_drafted_tiers_are_tried_under_the_codes_that_their_rules_will_have() -> None:
    tried = [
        rule
        for kind in (EarningBody, AnniversaryBody)
        for rule in with_tiers([], TIERS, UNITS, day(0), kind)
    ]
    assert [(rule.rule_code, rule.wallet_type_id, rule.scale) for rule in tried] == [
        ("tier-gold-x", 7, 0),
        ("tier-gold-birthday-9", 9, 2),
    ]
    assert len({rule.id for rule in tried}) == 2
