"""What members are told about their membership: that it began, and that another tier is theirs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.models import Message, OccasionSetting
from campaigns.news import FRESH, News
from campaigns.occasions import Occasion, Variable
from campaigns.services.messages import home_of, watched, write_messages
from loyalty.card_numbers import grouped
from loyalty.lot_words import last_day
from loyalty.models import Membership, Program, TierChange
from loyalty.selectors.member_tiers import MemberStanding, member_standings
from loyalty.selectors.program_terms import terms_of
from members.formatting import format_day
from members.models import OutboxEvent
from members.selectors.merges import current

MOST_SENTENCES = 3
WELCOME = Occasion(
    code="welcome",
    label=_("Welcome"),
    description=_("Somebody has joined a program."),
    icon="user-plus",
    topic="points",
    priority=20,
    variables=(
        Variable("how_to_earn", _("How to earn, in sentences"), "text",
                 "1 point for each 1.00 that you spend."),
        Variable("how_to_use", _("What units are worth, in sentences"), "text",
                 "100 points are worth $1.00.", may_be_empty=True),
        Variable("card_number", _("Card number"), "text", "8201 4455 9012"),
    ),
)  # fmt: skip
TIER_UP = Occasion(
    code="tier_up",
    label=_("Another tier"),
    description=_("Somebody has reached a higher tier, or was given one."),
    icon="medal",
    topic="points",
    priority=30,
    variables=(
        Variable("tier", _("The tier's name"), "text", "Gold"),
        Variable("benefits", _("What it brings"), "text",
                 "1.5 × the points · free delivery", may_be_empty=True),
        Variable("until", _("Last day that is certain"), "day", "Dec 31, 2026",
                 may_be_empty=True),
    ),
)  # fmt: skip
# Why somebody may have come to a higher tier.
HIGHER = ("reached", "manual", "review", "dropped_out")


def follow_joined(events: Sequence[OutboxEvent]) -> None:
    """Welcome whoever has just joined by themselves; nobody who came with a file of the past."""
    setting = watched(WELCOME)
    if setting is None:
        return
    now = timezone.now()
    named = {pk for event in events for pk in event.payload.get("memberships") or ()}
    rows = (
        _untold(Membership.objects.filter(pk__in=named), WELCOME, setting)
        .filter(status=Membership.Status.ACTIVE, enrolled_at__gt=now - FRESH)
        .exclude(source=Membership.Source.IMPORT)
    )
    members = list(rows.select_related("customer__merged_into", "program").order_by("pk"))
    news = [
        welcome_news(member)
        for member in members
        if member.program.status == Program.Status.LIVE
    ]  # fmt: skip
    write_messages(occasion=WELCOME, setting=setting, news=news, now=now)


def follow_tiers(events: Sequence[OutboxEvent]) -> None:
    """Tell who has a higher tier now, if it is still theirs."""
    setting = watched(TIER_UP)
    if setting is None or setting.since is None:
        return
    now = timezone.now()
    named = {event.payload["change"] for event in events}
    rows = TierChange.objects.filter(pk__in=named, recorded_at__gte=setting.since)
    news = tier_news(rows, now)
    write_messages(occasion=TIER_UP, setting=setting, news=news, now=now)


def tier_news(rows: QuerySet[TierChange], now: dt.datetime) -> list[News]:
    """Of those that led to a higher tier which is still theirs."""
    return [_tier_up(change, stands) for change, stands in _rises(rows, now)]


def rises(rows: QuerySet[TierChange], now: dt.datetime) -> list[TierChange]:
    """Those that led to a higher tier which is still theirs; a review, or an order that counts no
    more, leads to lower ones as well."""
    return [change for change, _stands in _rises(rows, now)]


def _rises(rows: QuerySet[TierChange], now: dt.datetime) -> list[tuple[TierChange, MemberStanding]]:
    changes = list(
        rows.filter(why__in=HIGHER, membership__status=Membership.Status.ACTIVE)
        .select_related("membership__customer__merged_into", "membership__program")
        .order_by("pk")
    )
    standings = member_standings([change.membership for change in changes], now)
    return [
        (change, stands)
        for change in changes
        if (stands := standings.get(change.membership_id)) and _is_higher(change, stands)
    ]


def welcome_news(member: Membership) -> News:
    def values() -> dict[str, str]:
        terms = terms_of(member.program, timezone.now(), reader=current(member.customer))
        return {
            "how_to_earn": _together(rule.sentences for rule in terms.rules if not rule.of_tier),
            "how_to_use": _together(unit.sentences[:1] for unit in terms.units),
            "card_number": grouped(member.card_number),
        }

    return News(
        customer=current(member.customer), membership=member, occurrence=f"membership:{member.pk}",
        values=values, link=reverse("mypage:card_of", args=[member.public_id]),
    )  # fmt: skip


def _tier_up(change: TierChange, stands: MemberStanding) -> News:
    member = change.membership

    def values() -> dict[str, str]:
        keep = stands.stands.keep
        until = keep.until if keep else None
        return {
            "tier": stands.tier.name,
            "benefits": " · ".join(words for _benefit, words in stands.benefits),
            "until": format_day(last_day(until, member.program.zone)) if until else "",
        }

    return News(
        customer=current(member.customer), membership=member, occurrence=f"change:{change.pk}",
        values=values, link=home_of(member),
    )  # fmt: skip


def _is_higher(change: TierChange, stands: MemberStanding) -> bool:
    places = {tier.code: tier.position for tier in stands.tiers}
    still = stands.stands.tier == change.became
    return still and places[change.became] > places.get(change.was, -1)


def _untold(
    members: QuerySet[Membership], occasion: Occasion, setting: OccasionSetting
) -> QuerySet[Membership]:
    """Who came since the occasion is on, and was not told of it."""
    told = Message.objects.filter(membership=OuterRef("pk"), occasion=occasion.code)
    return members.filter(~Exists(told), created_at__gte=setting.since)


def _together(sentences: Iterable[Sequence[str]]) -> str:
    """The first sentence of each says the most, and the first few are enough for a beginning."""
    return " ".join([item[0] for item in sentences if item][:MOST_SENTENCES])
