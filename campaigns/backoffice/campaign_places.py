"""Promotions, challenges, games, journeys and surveys, for the search box."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import F, Model, Q, QuerySet, Value
from django.http import HttpRequest
from django.urls import reverse

from campaigns.campaign_templates import CHALLENGE, PROMOTIONS
from campaigns.models import Campaign, Game, Journey, Survey
from members.places import Place
from members.policy import is_allowed

# So many of a name are enough to see that more of it must be typed.
MOST = 50
# What has a page of its own: the field of its name, the page, and how it is drawn. The page of a
# promotion leads on to that of a challenge.
KINDS: dict[str, tuple[type[Model], str, str, str]] = {
    "campaign": (Campaign, "name", "campaigns_backoffice:campaign", "speakerphone"),
    "game": (Game, "name", "games_backoffice:game", "dice"),
    "journey": (Journey, "name", "messages_backoffice:journey", "route"),
    "survey": (Survey, "title", "surveys_backoffice:survey", "message-question"),
}


def find_campaigns(request: HttpRequest, typed: str) -> Iterator[Place]:
    """Those whose name or program has each of the words; one query for all kinds."""
    if not is_allowed(request.user, "programs.view"):
        return
    first, *others = (_named(kind, typed.split()) for kind in KINDS)
    for kind, public_id, name, program in first.union(*others, all=True).order_by("called")[:MOST]:
        _model, _field, page, icon = KINDS[kind]
        yield Place(name, reverse(page, args=[public_id]), icon, program)


def _named(kind: str, words: list[str]) -> QuerySet[Any, tuple[Any, ...]]:
    model, field, _page, _icon = KINDS[kind]
    found = model._default_manager.all()  # noqa: SLF001  (documented: a model's manager)
    if kind == "campaign":
        found = found.filter(template__in=(*(item.code for item in PROMOTIONS), CHALLENGE))
    for word in words:
        found = found.filter(Q(**{f"{field}__icontains": word}) | Q(program__name__icontains=word))
    named = found.annotate(place=Value(kind), called=F(field), of=F("program__name")).order_by()
    rows: QuerySet[Any, tuple[Any, ...]] = named.values_list("place", "public_id", "called", "of")
    return rows
