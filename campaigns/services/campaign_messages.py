"""Telling members of promotions by messages: the teaser, that it has begun, its last day. A job
that runs all the time, so that who joins its audience meanwhile is told as well. Each member is
told each once; who is kept aside reads nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.utils.translation import ngettext

from campaigns.campaign_definitions import TELLINGS, Telling, codes_of
from campaigns.campaign_rules import template_of
from campaigns.campaign_words import told_campaign
from campaigns.models import Campaign, Message, OccasionSetting, PersonalOffer
from campaigns.news import News
from campaigns.occasions import Occasion, Variable
from campaigns.offer_words import gives_words, reason_words
from campaigns.selectors.campaigns import audience_of, campaigns, with_draw
from campaigns.selectors.surprises import SURPRISES
from campaigns.services.messages import watched, write_messages
from loyalty.models import Membership
from loyalty.rules.calendar import start_of_day
from members.formatting import format_end, format_number, format_start
from members.jobs import Work
from members.models import Job
from members.selectors.merges import current
from members.services.job_runs import Step, run_in_chunks

KIND = "campaign_messages"
PIECE = 200
Status = Campaign.Status
_TITLE = Variable("title", _l("What it is called"), "text", "Double points this weekend")
_TEXT = Variable("text", _l("What it is"), "text", "Everything you buy counts twice.",
                 may_be_empty=True)  # fmt: skip
_CODE = Variable("code", _l("The code that it takes"), "code", "STUDENT10", may_be_empty=True)
_BEGINS = Variable("begins", _l("When it begins"), "day", "Mar 6, 2027, 9:00 AM")
_ENDS = Variable("ends", _l("When it ends"), "day", "Mar 8, 2027, 9:00 PM")


def _occasion(telling: str, label: object, description: object, *variables: Variable) -> Occasion:
    return Occasion(
        code=f"promotion_{telling}", label=label, description=description,  # type: ignore[arg-type]
        icon="speakerphone", topic="offers", priority=45, variables=(_TITLE, *variables),
        news_for=dt.timedelta(days=1),
    )  # fmt: skip


OCCASIONS: Mapping[Telling, Occasion] = {
    "teaser": _occasion(
        "teaser", _l("A promotion is announced"),
        _l("The teaser, from the time on that the promotion says. Each promotion says whether."),
        _BEGINS,
    ),
    "begun": _occasion(
        "begun", _l("A promotion has begun"),
        _l("What it is, until when, and its code. Each promotion says whether."),
        _TEXT, _CODE, _ENDS,
    ),
    "last_day": _occasion(
        "last_day", _l("The last day of a promotion"),
        _l("In the morning of its last day, if it began before. Each promotion says whether."),
        _TEXT, _CODE, _ENDS,
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be told of a campaign now."""

    campaign: Campaign
    telling: Telling

    @property
    def place(self) -> list[int]:
        """Where it stands among all that is due."""
        return [self.campaign.pk, TELLINGS.index(self.telling)]

    def occurrence(self, member: Membership | None = None) -> str:
        return f"campaign:{self.campaign.pk}:{member.pk if member else ''}"


def find_tellings(now: dt.datetime) -> Work | None:
    """Nothing while the occasions are off, or nobody is to be told."""
    waiting = [item for item in _due(now) if _untold(item, 0, now).exists()]
    if not waiting:
        return None
    # Once a day, since who is in no audience today may be in it later; and as soon as more is due.
    stamp = f"{now:%Y-%m-%d} {','.join(str(item.place) for item in waiting)}"
    return Work(_("Members told of promotions"), fingerprint=stamp, params={"now": now.isoformat()})


def run_tellings(job_id: int) -> Job | None:
    """Tell everybody who was not told yet; None when another run has it."""
    return run_in_chunks(job_id, _tell_piece)


def telling_words(job: Job) -> str:
    told = job.result.get("told", 0)
    words = ngettext("%s member was told.", "%s members were told.", told)
    return words % format_number(told)


def _tell_piece(job: Job) -> Step | None:
    """The next members of what is being told, then the next."""
    now = dt.datetime.fromisoformat(job.params["now"])
    at, after = job.checkpoint.get("at", [0, 0]), job.checkpoint.get("after", 0)
    for item in _due(now):
        if item.place < at:
            continue
        members = list(_untold(item, after if item.place == at else 0, now)[:PIECE])
        setting = watched(OCCASIONS[item.telling])
        if not members or setting is None:
            continue
        told = job.result.get("told", 0) + _tell(item, members, setting, now)
        return Step(
            checkpoint={"at": item.place, "after": members[-1].pk},
            done=job.done + len(members), result={"told": told},
        )  # fmt: skip
    return None


def _due(now: dt.datetime) -> list[Due]:
    running = Q(status__in=[Status.SCHEDULED, Status.LIVE], ends_at__gt=now)
    rows = campaigns().filter(running).exclude(tells=[]).exclude(template__in=SURPRISES)
    return [
        Due(row, telling)
        for row in rows.order_by("pk")
        for telling in _tellings(row, now)
        if telling in row.tells and watched(OCCASIONS[telling]) is not None
    ]


def _tellings(campaign: Campaign, now: dt.datetime) -> Iterator[Telling]:
    assert campaign.starts_at is not None
    assert campaign.ends_at is not None
    if campaign.starts_at > now:
        if campaign.teased_at is not None and campaign.teased_at <= now:
            yield "teaser"
        return
    zone = campaign.program.zone
    last = (campaign.ends_at - dt.timedelta(seconds=1)).astimezone(zone).date()
    morning = start_of_day(last, zone)
    # On its last day that it has begun is no news any more.
    if now < morning or campaign.starts_at >= morning:
        yield "begun"
    else:
        yield "last_day"


def _untold(item: Due, after: int, now: dt.datetime) -> QuerySet[Membership]:
    """Who gets it and was not told this, under any of their names."""
    told = Message.objects.filter(
        occasion=OCCASIONS[item.telling].code, occurrence__startswith=item.occurrence()
    )
    known = [
        ~Exists(told.filter(**{name: OuterRef("pk")}))
        for name in ("membership", "membership__merged_into")
    ]
    members = audience_of(item.campaign, now).filter(*known, pk__gt=after)
    if item.campaign.holdout:
        members = with_draw(item.campaign, members).filter(drawn__gte=item.campaign.holdout)
    if template_of(item.campaign).personal:
        members = members.filter(Exists(_offers(item, now).filter(membership=OuterRef("pk"))))
    return members.select_related("customer__merged_into", "program").order_by("pk")


def _offers(item: Due, now: dt.datetime) -> QuerySet[PersonalOffer]:
    """Of one that offers something to each member by themselves: what holds now."""
    return item.campaign.personal_offers.filter(starts_at__lte=now, ends_at__gt=now)


def _tell(
    item: Due, members: Sequence[Membership], setting: OccasionSetting, now: dt.datetime
) -> int:
    own: dict[int, PersonalOffer] = {}
    if template_of(item.campaign).personal:
        found = _offers(item, now).filter(membership__in=[member.pk for member in members])
        own = {offer.membership_id: offer for offer in found}
    news = [_news(item, member, own.get(member.pk)) for member in members]
    occasion = OCCASIONS[item.telling]
    return len(write_messages(occasion=occasion, setting=setting, news=news, now=now))


def _news(item: Due, member: Membership, own: PersonalOffer | None) -> News:
    campaign, zone = item.campaign, member.program.zone

    def values() -> dict[str, str]:
        told, codes = told_campaign(campaign), codes_of(campaign)
        assert campaign.starts_at is not None
        assert campaign.ends_at is not None
        if item.telling == "teaser":
            begins = format_start(campaign.starts_at, zone)
            return {"title": told.teaser or told.title, "begins": begins}
        if own is not None:
            return {
                "title": gives_words(campaign, own.name), "text": reason_words(campaign, own),
                "code": "", "ends": format_end(own.ends_at, zone),
            }  # fmt: skip
        return {
            "title": told.title, "text": told.text,
            "code": codes.word if codes.kind == "shared" else "",
            "ends": format_end(campaign.ends_at, zone),
        }  # fmt: skip

    return News(
        customer=current(member.customer), membership=member,
        occurrence=item.occurrence(member), values=values,
        link=_link(item, member),
    )  # fmt: skip


def _link(item: Due, member: Membership) -> str:
    if template_of(item.campaign).personal:
        return reverse("mypage:earn_of", args=[member.public_id])
    return reverse("campaigns_account:campaigns_of", args=[member.public_id])
