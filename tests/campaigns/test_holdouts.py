"""What promotions measured against members kept aside, for the economics of their program."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns import holdouts
from campaigns.models import Campaign
from campaigns.selectors.campaign_results import result_of
from loyalty.holdouts import find_holdout, holdouts_of
from loyalty.models import Program
from tests.campaigns.campaigns import DAY, launch
from tests.campaigns.campaigns import draft as make_draft
from tests.campaigns.experiments import make_crowd
from tests.loyalty.factories import NOW, make_program, order, record
from tests.loyalty.factories import day as at
from tests.sharing import anew, shared

pytestmark = pytest.mark.django_db


made_once = shared(make_crowd)


@pytest.fixture
def crowd(made_once: Program, db: None) -> Program:
    return anew(made_once)


def sold(campaign: Campaign, total: str) -> None:
    """To everybody who gets it, and one more to some of them."""
    led = campaign.members.filter(held_out=False).values_list(
        "membership__customer__external_id", flat=True
    )
    half = len(led) // 2
    sums = [Decimal(total)] * half + [Decimal(total) + 1] * (len(led) - half)
    record(*(
        order(f"{campaign.code}{n}", str(amount), buyer=n, at=at(0.1))
        for n, amount in zip(led, sums, strict=True)
    ))  # fmt: skip


def test_a_promotion_with_enough_on_either_side_says_what_its_page_says(crowd: Program) -> None:
    campaign = launch(crowd, holdout=50, at=NOW)
    sold(campaign, "40")
    (found,) = holdouts_of(crowd, at(1))
    shown = result_of(campaign, at(1)).by_revenue
    assert shown is not None
    assert found.led + found.aside == 240
    assert found.difference == Decimal(f"{shown.difference:.2f}")
    assert 40 < found.difference < 41
    assert found.low < found.difference <= found.high
    assert (float(found.low), float(found.high)) == (round(shown.low, 2), round(shown.high, 2))
    page = reverse("campaigns_backoffice:campaign", args=[campaign.public_id])
    assert (found.name, found.url) == ("Spring", page)
    assert find_holdout(crowd, found.key) == ("Spring", page)


def test_where_all_spent_alike_nothing_is_measured(crowd: Program) -> None:
    campaign = launch(crowd, holdout=50, at=NOW)
    assert list(holdouts_of(crowd, at(1))) == []
    sold(campaign, "40")
    assert len(list(holdouts_of(crowd, at(1)))) == 1


def test_only_what_ran_is_found_by_the_one_key_that_it_has(crowd: Program) -> None:
    campaign = launch(crowd, holdout=50, at=NOW)
    own = str(campaign.public_id)
    assert find_holdout(crowd, f"campaign-{own}") is not None
    for other in (f"{{{own}}}", f"urn:uuid:{own}", own.replace("-", ""), own.upper()):
        assert find_holdout(crowd, f"campaign-{other}") is None
    draft = make_draft(crowd, name="Later", holdout=50)
    assert find_holdout(crowd, f"campaign-{draft.public_id}") is None


def test_newer_ones_with_too_few_aside_do_not_hide_an_older_one(
    crowd: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holdouts, "MOST", 1)
    sold(launch(crowd, holdout=50, at=NOW), "40")
    launch(crowd, name="Few", holdout=5, at=NOW + DAY / 2)
    (found,) = holdouts_of(crowd, at(1))
    assert found.name == "Spring"


def test_what_keeps_nobody_or_too_few_aside_says_nothing(crowd: Program) -> None:
    launch(crowd, name="All", at=NOW)
    launch(crowd, name="Few", holdout=5, at=NOW)
    assert list(holdouts_of(crowd, at(1))) == []


def test_those_of_longer_ago_and_of_other_programs_are_left_out(crowd: Program) -> None:
    sold(launch(crowd, holdout=50, at=NOW), "40")
    other = make_program("other")
    (found,) = holdouts_of(crowd, at(1))
    assert list(holdouts_of(other, at(1))) == []
    assert find_holdout(other, found.key) is None
    assert list(holdouts_of(crowd, at(400))) == []
    for key in ("campaign-x", "campaign-", "nothing-1", "", "campaign"):
        assert find_holdout(crowd, key) is None


def test_no_more_than_the_newest_few_are_looked_at(
    crowd: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holdouts, "MOST", 2)
    for name in ("A", "B", "C"):
        campaign = launch(crowd, name=name, holdout=50, at=NOW)
    sold(campaign, "40")
    with CaptureQueriesContext(connection) as asked:
        assert len(list(holdouts_of(crowd, at(1)))) == 2
    assert len(asked) == 3
