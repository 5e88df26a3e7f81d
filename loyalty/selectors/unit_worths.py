"""What units are worth in money, and were before, as rules with a budget in money count."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from django.db.models import prefetch_related_objects

from loyalty.models import EarningRuleVersion, WalletType
from loyalty.rules.worth import Worth


def read_worths(versions: Iterable[EarningRuleVersion]) -> None:
    """What the units of these wordings were worth is read for all of them at once."""
    wallet_types = [version.rule.wallet_type for version in versions]
    if wallet_types:
        prefetch_related_objects(wallet_types, "former_terms")


def worth_of(wallet_type: WalletType) -> Worth:
    """What one is worth, and was until when, the earliest first."""
    former = sorted(wallet_type.former_terms.all(), key=lambda terms: terms.ended_at)
    before = tuple((terms.ended_at, Decimal(terms.said["unit_value"])) for terms in former)
    return Worth(wallet_type.unit_value, before)
