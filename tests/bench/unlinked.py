"""Addresses that no link was found to lead to, such as dialogs about what is in another state:
asked for about what the pages above them are about."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.db.models import QuerySet, Value
from django.db.models.functions import Now
from django.urls import ResolverMatch, resolve, reverse

from campaigns.models import Campaign, QuarterPlan, SurveyQuestion, WebhookDelivery
from loyalty.models import (
    EconomicScenario,
    ManualTier,
    OccasionGrant,
    Order,
    PlanCharge,
    Subscription,
    Transfer,
    WalletType,
)
from loyalty.services.enrollment_files import KIND as ENROLLMENTS
from loyalty.services.imports import KIND as IMPORTS
from loyalty.services.imports import UNDO as UNDOS
from loyalty.shop_exports.dry_runs import KIND as DRY_RUNS
from loyalty.shop_exports.dry_runs import upload_key
from members.models import ApiKey, Customer, Job, Segment
from rewards.models import Checkout, Reward
from tests.addresses import addresses_below

# So many of each.
MOST = 40


@dataclass(frozen=True, slots=True)
class Things:
    """Rows, and which of their fields an address takes as what."""

    rows: QuerySet[Any]
    takes: Mapping[str, str] = field(default_factory=lambda: {"public_id": "public_id"})

    def __iter__(self) -> Iterator[dict[str, object]]:
        # In no order: an index would be gone through to its end where there is nothing.
        found = self.rows.order_by().values_list(*self.takes.values())
        return (dict(zip(self.takes, row, strict=True)) for row in found[:MOST])


def _by_key(rows: QuerySet[Any], name: str = "pk") -> Things:
    return Things(rows, {"pk": name})


def _done(kind: str) -> Things:
    return Things(Job.objects.filter(kind=kind))


class _Tried:
    """Uploads by their keys, of which each was tried."""

    def __iter__(self) -> Iterator[dict[str, object]]:
        return ({"key": upload_key(job)} for job in Job.objects.filter(kind=DRY_RUNS)[:MOST])


def _moved(*kinds: Transfer.Kind) -> Things:
    return _by_key(Transfer.objects.filter(kind__in=kinds))


_UNITS = Things(WalletType.objects.all(), {"code": "program__code", "unit": "code"})
_PLANS, _CAMPAIGNS = Things(Subscription.objects.all()), Things(Campaign.objects.all())
# What some of them are about that pages show no link to: such as who was merged away.
THINGS: dict[str, Iterable[dict[str, object]]] = {
    "backoffice:api_key_rotate": _by_key(ApiKey.objects.all()),
    "backoffice:customer_merge_undo": Things(Customer.objects.exclude(merged_into=None)),
    "backoffice:segment_by_key": Things(Segment.objects.all()),
    "calendar_backoffice:move": Things(
        Campaign.objects.filter(status="draft", starts_at__gt=Now()).annotate(
            entry=Value("promotion")
        ),
        {"kind": "entry", "key": "public_id"},
    ),
    "calendar_backoffice:quarter_edit": Things(
        QuarterPlan.objects.all(), {"code": "program__code", "year": "year", "quarter": "quarter"}
    ),
    "campaigns_backoffice:campaign_codes_make": _CAMPAIGNS,
    "campaigns_backoffice:campaign_codes_write": _CAMPAIGNS,
    "loyalty_backoffice:enrollment_undo": _done(ENROLLMENTS),
    # The half that came names the one that was given; of copies that may be shared by several.
    "loyalty_backoffice:gift_undo": _by_key(Transfer.objects.filter(kind="gift", pair__gt=0)),
    "loyalty_backoffice:import_check": _Tried(),
    "loyalty_backoffice:import_check_errors": _Tried(),
    "loyalty_backoffice:import_columns": _Tried(),
    "loyalty_backoffice:import_of_dry_run": _done(DRY_RUNS),
    "loyalty_backoffice:import_of_undo": _done(UNDOS),
    "loyalty_backoffice:import_undo_rest": _done(IMPORTS),
    "loyalty_backoffice:invoice_pay": Things(PlanCharge.objects.exclude(state="paid")),
    "loyalty_backoffice:invoice_refund": Things(PlanCharge.objects.filter(state="paid")),
    "loyalty_backoffice:occasion_undo": _by_key(
        OccasionGrant.objects.exclude(transfer=None), "transfer"
    ),
    "loyalty_backoffice:order_claim": _by_key(Order.objects.filter(customer=None)),
    "loyalty_backoffice:order_unclaim": _by_key(Order.objects.exclude(claimed_at=None)),
    "loyalty_backoffice:redemption_undo": _moved(Transfer.Kind.REDEMPTION),
    "loyalty_backoffice:scenario_remove": Things(EconomicScenario.objects.all()),
    "loyalty_backoffice:subscription_cancel": _PLANS,
    "loyalty_backoffice:subscription_change": _PLANS,
    "loyalty_backoffice:terms_apply": _UNITS,
    "loyalty_backoffice:terms_effect": _UNITS,
    "loyalty_backoffice:tier_end": Things(ManualTier.objects.filter(ended_at=None)),
    "loyalty_backoffice:units_reinstate": _moved(Transfer.Kind.EXPIRY),
    "rewards_backoffice:checkout_cancel": Things(Checkout.objects.all()),
    "rewards_backoffice:reward_by_id": Things(Reward.objects.all()),
    "surveys_backoffice:survey_words": Things(
        SurveyQuestion.objects.filter(kind="text"),
        {"public_id": "survey__public_id", "code": "code"},
    ),
    "webhooks:delivery": Things(WebhookDelivery.objects.all()),
}
# What they are asked with besides.
LANGUAGE = "?language=el"
# One part of a route that is asked for, such as <uuid:public_id>.
_ASKED = re.compile(r"<(?:\w+:)?(\w+)>")


def unlinked(names: Iterable[str], links: Iterable[str], below: str) -> Iterator[str]:
    """An address for each of these names and each thing that there were links about."""
    routes = {name: route for name, _pattern, route in addresses_below(below)}
    pages = [resolve(urlsplit(url).path) for url in list(links)]
    for name in names:
        things = THINGS[name] if name in THINGS else _about(routes[name], pages)
        for about in things:
            yield reverse(name, kwargs=about) + (LANGUAGE if name.endswith("_texts") else "")


def _about(route: str, pages: list[ResolverMatch]) -> Iterator[dict[str, object]]:
    """What it may be about: each thing once that a page is about whose route begins alike, up to
    the last part that is asked for."""
    asked = list(_ASKED.finditer(route))
    if not asked:
        yield {}
        return
    beginning = route[: asked[-1].end()]
    seen: set[tuple[object, ...]] = set()
    for page in pages:
        about = {part[1]: page.kwargs[part[1]] for part in asked if part[1] in page.kwargs}
        if (
            page.route.startswith(beginning)
            and len(about) == len(asked)
            and (key := tuple(about.values())) not in seen
        ):
            seen.add(key)
            yield about
