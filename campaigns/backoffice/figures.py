"""What became of messages: all of them side by side, one of them, and those of a journey."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from campaigns import slow_figures
from campaigns.backoffice.figure_files import day_lines, overview_lines
from campaigns.backoffice.figure_parts import (
    DAYS,
    DEFAULT,
    Part,
    stages,
    trend,
    word_parts,
)
from campaigns.backoffice.journeys import find_journey, journey_crumbs, last_version
from campaigns.backoffice.places import NAMESPACE, crumbs, find_occasion, tabs
from campaigns.channels import channel_named
from campaigns.journey_words import shown_steps
from campaigns.models import Journey
from campaigns.occasions import all_occasions, family_of
from campaigns.selectors.broadcasts import broadcasts
from campaigns.selectors.figures import (
    Counts,
    Measured,
    figures_of_journey,
    figures_of_occasion,
)
from campaigns.selectors.journeys import definition_of, journeys, version_in_force
from campaigns.selectors.policies import get_policy
from members.csv_files import csv_response
from members.policy import is_allowed, staff_view
from members.responses import figures_for

SORTS = ("name", "sent", "delivered", "opened", "clicked", "ordered", "unsubscribed")


@dataclass(frozen=True, slots=True)
class Row:
    """A message or a journey in the overview."""

    name: str
    icon: str
    url: str
    counts: Counts
    status: str = ""
    note: str = ""


def days_of(request: HttpRequest) -> int:
    said = request.GET.get("days", "")
    return int(said) if said in {str(number) for number in DAYS} else DEFAULT


@require_safe
@staff_view("programs.view")
def figure_list(request: HttpRequest) -> HttpResponse:
    """All messages that were told, and all journeys, sorted by any of their figures."""
    days, now = days_of(request), timezone.now()
    figures = figures_for(request, slow_figures.ALL, now, days=days)
    context = {
        "title": _("Figures"), "tabs": tabs("figure_list"), "days": days, "choices": DAYS,
        "figures": figures, "policy": get_policy(),
        "may_edit": is_allowed(request.user, "messages.edit"),
    }  # fmt: skip
    if figures:
        context["rows"] = _sorted(request, _message_rows(figures.value.occasions))
        context["journeys"] = _sorted(request, _journey_rows(figures.value.journeys))
    return render(request, "messages/backoffice/figure_list.html", context)


@require_safe
@staff_view("programs.view")
def figure_file(request: HttpRequest) -> HttpResponse:
    """The same as a file for spreadsheets."""
    days, now = days_of(request), timezone.now()
    told = slow_figures.told(days=days, now=now)
    rows = [("message", row.name, row.counts) for row in _message_rows(told.occasions)]
    rows += [("journey", row.name, row.counts) for row in _journey_rows(told.journeys)]
    return csv_response(f"messages-{days}-days.csv", overview_lines(rows))


@require_safe
@staff_view("programs.view")
def occasion_figures(request: HttpRequest, code: str) -> HttpResponse:
    """One message: from sent to ordered, by day, way, language and version."""
    found = find_occasion(code)
    days, now = days_of(request), timezone.now()
    figures = figures_for(request, slow_figures.OCCASION, now, occasion=found.code, days=days)
    context = {
        "title": _("Figures: %s") % found.label, "breadcrumbs": crumbs(found), "icon": found.icon,
        "file": reverse(f"{NAMESPACE}:occasion_figure_file", args=[found.code]),
        "occasion": found, "days": days, "choices": DAYS, "figures": figures,
        **(_shown(figures.value) if figures else {}),
    }  # fmt: skip
    return render(request, "messages/backoffice/figures.html", context)


@require_safe
@staff_view("programs.view")
def occasion_figure_file(request: HttpRequest, code: str) -> HttpResponse:
    found, days = find_occasion(code), days_of(request)
    measured = figures_of_occasion(found.code, days=days, now=timezone.now())
    return csv_response(f"{found.code}-{days}-days.csv", day_lines(measured))


@require_safe
@staff_view("programs.view")
def journey_figures(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """All that a journey has told, also by step, and against whom it has kept aside."""
    found, now, days = find_journey(public_id), timezone.now(), days_of(request)
    figures = figures_for(request, slow_figures.JOURNEY, now, journey=found.pk, days=days)
    context = {
        "title": _("Figures: %s") % found.name, "breadcrumbs": journey_crumbs(found),
        "icon": "route",
        "file": reverse(f"{NAMESPACE}:journey_figure_file", args=[found.public_id]),
        "journey": found, "days": days, "choices": DAYS, "figures": figures,
    }  # fmt: skip
    if figures:
        measured = figures.value.measured
        context |= {"steps": _step_parts(found, measured), "result": figures.value.result}
        context |= _shown(measured)
    return render(request, "messages/backoffice/figures.html", context)


@require_safe
@staff_view("programs.view")
def journey_figure_file(request: HttpRequest, public_id: UUID) -> HttpResponse:
    found, days = find_journey(public_id), days_of(request)
    measured = figures_of_journey(found, days=days, now=timezone.now())
    return csv_response(f"journey-{days}-days.csv", day_lines(measured))


def _shown(measured: Measured) -> dict[str, Any]:
    """What both pages show alike."""
    ways = [
        Part(str(channel.label if (channel := channel_named(key)) else key), counts)
        for key, counts in measured.by_channel.items()
    ]
    most = max((people for _link, people in measured.links), default=0)
    return {
        "measured": measured, "stages": stages(measured), "trend": trend(measured), "ways": ways,
        "locales": [Part(key, counts) for key, counts in measured.by_locale.items()],
        "words": word_parts(measured),
        "links": [(link, people, round(people * 100 / most)) for link, people in measured.links],
    }  # fmt: skip


def _step_parts(found: Journey, measured: Measured) -> list[Part]:
    """In the order of the journey; what is told no more comes last."""
    in_force = version_in_force(found)
    definition = in_force.definition if in_force else definition_of(last_version(found))
    words = {step.key: f"{step.number}. {step.words}" for step in shown_steps(definition, {})}
    places = {key: number for number, key in enumerate(words)}
    known = sorted(measured.by_step.items(), key=lambda item: places.get(item[0], len(places)))
    return [Part(words.get(key, _("A former step")), counts) for key, counts in known]


def _message_rows(found: Mapping[str, Counts]) -> list[Row]:
    """Those of which something was told, by name."""
    known = {occasion.code: occasion for occasion in all_occasions()}
    return [
        Row(
            str(known[code].label), known[code].icon,
            reverse(f"{NAMESPACE}:occasion_figures", args=[code]), counts,
        )
        for code, counts in found.items()
        if code in known
    ] + _broadcast_rows(found)  # fmt: skip


def _broadcast_rows(found: Mapping[str, Counts]) -> list[Row]:
    told = {code: counts for code, counts in found.items() if family_of(code)}
    rows = broadcasts().filter(pk__in=[code.rpartition("-")[2] for code in told])
    return [
        Row(
            row.name, "send", reverse(f"{NAMESPACE}:broadcast", args=[row.public_id]),
            told[row.occasion], row.status, row.program.name if row.program else "",
        )
        for row in rows
    ]  # fmt: skip


def _journey_rows(found: Mapping[int, Counts]) -> list[Row]:
    return [
        Row(
            journey.name, "route",
            reverse(f"{NAMESPACE}:journey_figures", args=[journey.public_id]),
            found[journey.pk], journey.status, journey.program.name,
        )
        for journey in journeys().filter(pk__in=list(found))
    ]  # fmt: skip


def _sorted(request: HttpRequest, rows: Sequence[Row]) -> list[Row]:
    """By what was asked for, the most sent first; of what nothing is known comes last."""
    said = request.GET.get("sort", "-sent")
    name = said.removeprefix("-")
    name, backwards = (name, said.startswith("-")) if name in SORTS else ("sent", True)
    by_name = sorted(rows, key=lambda row: row.name.casefold())
    if name == "name":
        return by_name[::-1] if backwards else by_name
    value = _value_of(name)
    known = [row for row in by_name if value(row) is not None]
    unknown = [row for row in by_name if value(row) is None]
    return [*sorted(known, key=lambda row: value(row) or 0, reverse=backwards), *unknown]


def _value_of(name: str) -> Callable[[Row], float | None]:
    if name == "sent":
        return lambda row: row.counts.sent
    return lambda row: row.counts.rates[name]
