"""What members may be told: switched on and off, by which ways, and what became of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_http_methods, require_safe

from campaigns.backoffice.places import crumbs, find_occasion, occasion_url, tabs
from campaigns.backoffice.preferred_ways import PLACES, PreferredWays, preferred
from campaigns.channels import Channel, all_channels
from campaigns.models import MessageTemplate, OccasionSetting
from campaigns.occasions import Occasion, all_occasions
from campaigns.ready_texts import ready_languages, ready_text
from campaigns.selectors.messages import CountedWay, Figures, outages
from campaigns.selectors.policies import setting_of, settings_by_code
from campaigns.selectors.templates import templates_of
from campaigns.selectors.ways import usable_channels
from campaigns.services.policies import set_occasion
from campaigns.slow_figures import LATELY
from campaigns.topics import TOPICS, choosable_topics, is_needed, topic_named
from members.forms import errors_on, posted
from members.policy import acting, is_allowed, require, staff_view
from members.responses import figures_for

DAYS = 30


@dataclass(frozen=True, slots=True)
class Row:
    """An occasion in the list. `setting`: none where it cannot be switched off."""

    occasion: Occasion
    setting: OccasionSetting | None
    channels: list[Channel]
    topic: str
    figures: Figures


@dataclass(frozen=True, slots=True)
class Wording:
    """The words for a channel and a language; `template`: none where they are ready-made."""

    channel: Channel
    locale: str
    template: MessageTemplate | None
    saved_at: dt.datetime | None = None
    version: int = 0


class OccasionForm(PreferredWays):
    is_on = forms.BooleanField(label=_l("Tell members"), required=False)
    channels = forms.MultipleChoiceField(
        label=_l("By which ways"), required=False, widget=forms.CheckboxSelectMultiple
    )
    topic = forms.ChoiceField(
        label=_l("As part of"),
        help_text=_l("Members say yes or no to it. Orders and rewards are always told."),
    )

    field_order = ["is_on", "channels", "only_first", *PLACES, "topic"]

    def __init__(self, occasion: Occasion, setting: OccasionSetting, data: Any = None) -> None:
        initial = {
            "is_on": setting.is_on, "channels": setting.channels, "topic": setting.topic,
            **preferred(setting.channels, only_first=setting.only_first),
        }  # fmt: skip
        super().__init__(data, initial=initial)
        channels, topic = self.fields["channels"], self.fields["topic"]
        assert isinstance(channels, forms.MultipleChoiceField)
        assert isinstance(topic, forms.ChoiceField)
        channels.choices = [(way.key, way.label) for way in shown_ways(occasion, setting)]
        self.offer(list(channels.choices))
        own = [TOPICS[occasion.topic]] if is_needed(occasion.topic) else choosable_topics()
        topic.choices = [(found.code, found.label) for found in own]


def ways_of(occasion: Occasion) -> list[Channel]:
    """The channels for which there are words."""
    return [way for way in all_channels() if ready_text(occasion.code, way.key)]


def shown_ways(occasion: Occasion, setting: OccasionSetting) -> list[Channel]:
    """Of these, those that are set up or in use."""
    usable = {way.key for way in usable_channels()} | set(setting.channels)
    return [way for way in ways_of(occasion) if way.key in usable]


@require_safe
@staff_view("programs.view")
def occasion_list(request: HttpRequest) -> HttpResponse:
    """All of them, with what became of each lately."""
    figures = figures_for(request, LATELY, timezone.now(), occasion="", days=DAYS)
    counted = figures.value if figures else []
    settings = settings_by_code()
    usable = usable_channels()
    context = {
        "title": _("Messages"),
        "tabs": tabs("occasion_list"),
        "outages": outages(),
        "figures": figures,
        "rows": [_row(occasion, settings.get(occasion.code), counted, usable)
                 for occasion in all_occasions()],
        "may_edit": is_allowed(request.user, "messages.edit"),
    }  # fmt: skip
    return render(request, "messages/backoffice/occasion_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.view")
def occasion(request: HttpRequest, code: str) -> HttpResponse:
    """One of them: how it is told, its words, and what became of it."""
    if request.method == "POST":
        require(request.user, "messages.edit")
    found = find_occasion(code)
    setting = setting_of(found)
    may_edit = is_allowed(request.user, "messages.edit") and not (
        found.always_by or found.only_in_journeys
    )
    form = OccasionForm(found, setting, posted(request) if may_edit else None)
    if form.is_valid():
        data = form.cleaned_data
        with errors_on(form):
            set_occasion(
                occasion=found, is_on=data["is_on"], channels=form.ordered(),
                only_first=data["only_first"], topic=data["topic"], actor=acting(request),
                now=timezone.now(),
            )  # fmt: skip
            messages.success(request, _("Saved. It counts for what happens from now on."))
            return redirect(occasion_url(found))
    figures = figures_for(request, LATELY, timezone.now(), occasion=found.code, days=DAYS)
    by_way = {item.channel: item.figures for item in figures.value} if figures else {}
    shown = shown_ways(found, setting)
    context = {
        "title": found.label,
        "breadcrumbs": crumbs(),
        "occasion": found,
        "setting": setting,
        "form": form,
        "wordings": _wordings(found, shown),
        "figures": figures,
        "ways": [(way, by_way.get(way.key, Figures())) for way in shown],
        "topic": topic_named(setting.topic),
        "may_edit": may_edit,
        "may_write": is_allowed(request.user, "messages.edit"),
    }
    status = 422 if form.errors else 200
    return render(request, "messages/backoffice/occasion.html", context, status=status)


def _row(
    occasion: Occasion, setting: OccasionSetting | None,
    counted: list[CountedWay], usable: list[Channel],
) -> Row:  # fmt: skip
    alone = [occasion.always_by] if occasion.always_by else [way.key for way in usable]
    keys = setting.channels if setting else alone
    own = [item.figures for item in counted if item.occasion == occasion.code]
    total = Figures(
        **{item.name: sum(getattr(one, item.name) for one in own) for item in fields(Figures)}
    )
    ways = [way for way in all_channels() if way.key in keys]
    topic = topic_named(setting.topic if setting else occasion.topic)
    return Row(occasion, setting, ways, str(topic.label) if topic else "", total)


def _wordings(occasion: Occasion, shown: list[Channel]) -> list[Wording]:
    """By channel: the ready-made words of each language that the merchant has none in, and the
    merchant's."""
    own, found = templates_of(occasion.code), []
    for way in ways_of(occasion):
        mine = [
            Wording(way, template.locale, template, saved_at, number)
            for template, number, saved_at in own
            if template.channel == way.key
        ]
        if way in shown:
            said = {wording.locale for wording in mine}
            found += [Wording(way, code, None) for code in ready_languages() if code not in said]
        found += mine
    return found
