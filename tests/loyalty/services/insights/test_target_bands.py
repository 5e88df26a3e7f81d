"""Bands of key figures: chosen, refused, kept in order by the database."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from loyalty.models import InsightPoint, TargetBand
from loyalty.selectors.insights import band_now
from loyalty.services.target_bands import set_band
from members.errors import DomainError, NotFoundError
from members.models import AuditEntry
from members.services.audit import SYSTEM
from tests.loyalty.factories import (
    day,
)


def test_a_band_is_chosen_audited_and_given_up(shop):
    def choose(metric: str, low, high):
        return set_band(program=shop, metric=metric, low=low, high=high, actor=SYSTEM, now=day(0))

    usual = band_now(shop, "active_share", "", day(0))
    assert (usual.low, usual.high, usual.own) == (40, 60, False)
    choose("active_share", Decimal(50), None)
    choose("active_share", Decimal(50), None)
    chosen = band_now(shop, "active_share", "", day(0))
    assert (chosen.low, chosen.high, chosen.own) == (50, None, True)
    (entry,) = AuditEntry.objects.filter(action="target_band.set")
    assert entry.before["band"] == "the usual one"
    assert entry.after == {"figure": "Active members", "band": "at least 50%"}
    choose("active_share", None, None)
    assert not TargetBand.objects.exists()
    choose("frequency_lift", Decimal("1.5"), Decimal(2))
    assert band_now(shop, "frequency_lift", "", day(0)).own


@pytest.mark.parametrize(
    ("metric", "low", "high"),
    [("active_share", 50, 40), ("active_share", 10, 101), ("churn_rate", -1, 5), ("nps", -101, 0)],
)
def test_a_band_that_makes_no_sense_is_refused(shop, metric, low, high):
    with pytest.raises(DomainError):
        set_band(
            program=shop, metric=metric, low=Decimal(low), high=Decimal(high), actor=SYSTEM,
            now=day(0),
        )  # fmt: skip


def test_only_figures_that_there_are_have_bands(shop):
    for metric, tier in (("luck", ""), ("tier_share", "gold"), ("members", "gold")):
        with pytest.raises(NotFoundError):
            set_band(
                program=shop, metric=metric, tier_code=tier, low=Decimal(1), high=None,
                actor=SYSTEM, now=day(0),
            )  # fmt: skip


def test_the_database_keeps_bands_and_points_in_order(shop):
    wrong = (
        TargetBand(program=shop, metric="members", low=2, high=1),
        TargetBand(program=shop, metric="members"),
        InsightPoint(program=shop, metric="members", month=day(0).date().replace(day=2),
                     day=day(0).date()),
    )  # fmt: skip
    for row in wrong:
        with pytest.raises(IntegrityError), transaction.atomic():
            row.save()
