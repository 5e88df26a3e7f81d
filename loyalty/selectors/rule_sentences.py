"""All that a wording of a rule says, sentence by sentence."""

from __future__ import annotations

from loyalty.descriptions import describe_own_terms
from loyalty.models import EarningRuleVersion
from loyalty.rule_words import Worded, describe_rule
from loyalty.rules.bodies import parse_body
from loyalty.selectors.lot_policies import expiry_of, pending_of
from members.conditions.sentences import sentence
from members.formatting import UnitNames


def version_sentences(
    version: EarningRuleVersion, unit: UnitNames, currency: str, worded: Worded = sentence
) -> list[str]:
    """What it gives, what counts, how much at most, and the terms it has of its own. `worded`: how
    conditions are put into words."""
    body, policy = parse_body(version.body), version.lot_policy
    sentences = describe_rule(body, unit, currency, worded)
    if policy is not None:
        sentences += describe_own_terms(body, pending_of(policy), expiry_of(policy))
    return sentences
