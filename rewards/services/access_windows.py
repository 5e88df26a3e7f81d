"""Windows before a sale: made, changed, put away."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.models import Plan, Program, Tier
from loyalty.selectors.plans import current_versions
from loyalty.selectors.tier_sets import tier_set_at
from members.errors import DomainError, FieldError
from members.models import Segment
from members.services.audit import Actor, record_audit
from rewards.models import AccessOpening, AccessWindow


@dataclass(frozen=True, slots=True)
class WindowTerms:
    """What a window says. `tiers`, `plans` and `segments`: from when on those may come, by code."""

    name: str
    closes_at: dt.datetime
    teaser: str = ""
    link: str = ""
    opens_at: dt.datetime | None = None
    tiers: Mapping[str, dt.datetime] = field(default_factory=dict)
    plans: Mapping[str, dt.datetime] = field(default_factory=dict)
    segments: Mapping[str, dt.datetime] = field(default_factory=dict)
    # What is held back until it opens.
    skus: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


def terms_of(window: AccessWindow) -> WindowTerms:
    """What a window says now."""
    openings = list(window.openings.select_related("segment"))
    return WindowTerms(
        name=window.name, closes_at=window.closes_at, teaser=window.teaser, link=window.link,
        opens_at=window.opens_at, skus=tuple(window.skus), categories=tuple(window.categories),
        tiers={item.tier: item.opens_at for item in openings if item.tier},
        plans={item.plan: item.opens_at for item in openings if item.plan},
        segments={item.segment.code: item.opens_at for item in openings if item.segment},
    )  # fmt: skip


def tiers_by_hours(program: Program, opens_at: dt.datetime) -> dict[str, dt.datetime]:
    """From when on tiers may come whose benefit is early access: so many hours before everybody,
    by the tiers that count then."""
    tier_set = tier_set_at(program, opens_at)
    tiers = tier_set.tiers.all() if tier_set else ()
    return _by_hours(((tier.code, tier.benefits) for tier in tiers), opens_at)


def plans_by_hours(program: Program, opens_at: dt.datetime) -> dict[str, dt.datetime]:
    """The same of plans whose benefit is early access."""
    found = current_versions(program)
    return _by_hours(((item.plan.code, item.benefits) for item in found), opens_at)


def _by_hours(
    benefits: Iterable[tuple[str, Sequence[Mapping[str, Any]]]], opens_at: dt.datetime
) -> dict[str, dt.datetime]:
    return {
        code: opens_at - dt.timedelta(hours=max(hours))
        for code, said in benefits
        if (hours := [item["hours"] for item in said if item.get("hours")])
    }


@transaction.atomic
def save_window(*, program: Program, code: str, terms: WindowTerms, actor: Actor) -> AccessWindow:
    """Make the window with this code, or bring it to what is said. Raises DomainError where it
    opens for nobody, or closes before it opens."""
    Program.objects.select_for_update(no_key=True).get(pk=program.pk)
    _check(program, terms)
    window = AccessWindow.objects.filter(program=program, code=code).first()
    action = "access_window.changed" if window else "access_window.created"
    window = window or AccessWindow(program=program, code=code)
    for name in ("name", "teaser", "link", "opens_at", "closes_at"):
        setattr(window, name, getattr(terms, name))
    window.skus, window.categories = sorted(set(terms.skus)), sorted(set(terms.categories))
    window.archived_at = None
    window.save()
    window.openings.all().delete()
    segments = Segment.objects.in_bulk(list(terms.segments), field_name="code")
    AccessOpening.objects.bulk_create(
        [
            *(AccessOpening(window=window, tier=tier, opens_at=at)
              for tier, at in terms.tiers.items()),
            *(AccessOpening(window=window, plan=plan, opens_at=at)
              for plan, at in terms.plans.items()),
            *(AccessOpening(window=window, segment=segments[segment], opens_at=at)
              for segment, at in terms.segments.items()),
        ]
    )  # fmt: skip
    record_audit(
        actor=actor, action=action, target=program,
        after={"window": terms.name, "closes_at": terms.closes_at.isoformat()},
    )  # fmt: skip
    return window


@transaction.atomic
def archive_window(*, window: AccessWindow, actor: Actor, now: dt.datetime) -> None:
    """Put it away: it is open for nobody any more. Doing it again changes nothing."""
    put_away = AccessWindow.objects.filter(pk=window.pk, archived_at=None).update(archived_at=now)
    if put_away:
        record_audit(
            actor=actor, action="access_window.archived", target=window.program,
            after={"window": window.name},
        )  # fmt: skip


def _check(program: Program, terms: WindowTerms) -> None:
    tiers = set(Tier.objects.filter(tier_set__program=program).values_list("code", flat=True))
    for tier in terms.tiers:
        if tier not in tiers:
            raise _wrong("tiers", _("The program has no tier “%s”.") % tier)
    plans = set(Plan.objects.filter(program=program).values_list("code", flat=True))
    for plan in terms.plans:
        if plan not in plans:
            raise _wrong("plans", _("The program has no plan “%s”.") % plan)
    known = set(
        Segment.objects.filter(code__in=list(terms.segments)).values_list("code", flat=True)
    )
    for segment in terms.segments:
        if segment not in known:
            raise _wrong("segments", _("There is no segment “%s”.") % segment)
    opens = [*terms.tiers.values(), *terms.plans.values(), *terms.segments.values()]
    opens += [terms.opens_at] if terms.opens_at else []
    if not opens:
        raise _wrong("opens_at", _("Say when it opens, for everybody or for some."))
    if terms.closes_at <= max(opens):
        raise _wrong("closes_at", _("Later than it opens for the last."))


def _wrong(name: str, message: str) -> DomainError:
    return DomainError(message, errors=[FieldError(name, message)])
