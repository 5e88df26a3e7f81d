"""What follows who joins and what is bought: friends who came by a link, and codes at the
checkout. And the job that looks for what time has brought."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.models import (
    Referral,
    ReferralAsk,
    ReferralLink,
    ReferralProgram,
    ReferralTrace,
)
from campaigns.referral_traces import Kind, digest_of, plain_email
from campaigns.services.referral_links import DETAIL, find_link, link_named
from campaigns.services.referrals import bring_friend, bring_up_to_date, hold_all
from loyalty.join_codes import JoinCode
from loyalty.models import Membership, Order
from members.errors import DomainError
from members.formatting import format_number
from members.jobs import Work
from members.models import Customer, Job, OutboxEvent
from members.prepared import KeptQuery
from members.selectors.merges import current
from members.services.job_runs import Step, run_in_chunks
from rewards.codes import plain

KIND = "referrals"
Status = Referral.Status
Via = Referral.Via
# A friend, and the link they come by.
Coming = tuple[Customer, ReferralLink]
# Codes of an order that was placed longer ago are of the past.
LATELY = dt.timedelta(days=7)
# Whenever somebody joins or buys.
_BEGUN: KeptQuery[ReferralProgram] = KeptQuery(
    lambda draft: ReferralProgram.objects.exclude(status=draft)
)


def follow_joined(events: Sequence[OutboxEvent]) -> None:
    """Friends whose membership says by which link they came, and those who had waited for it."""
    if not _anybody():
        return
    now = timezone.now()
    named = {pk for event in events for pk in event.payload.get("memberships") or ()}
    members = Membership.objects.filter(pk__in=named, source_detail__startswith=DETAIL)
    came = [
        (member, link)
        for member in members.select_related("customer__merged_into", "program").order_by("pk")
        if (link := find_link(member.source_detail.removeprefix(DETAIL), member.program))
    ]
    people = Membership.objects.filter(pk__in=named).values("customer")
    invited = Referral.objects.filter(friend__in=people, status=Status.INVITED)
    _hold(invited, now, [(member.customer, link) for member, link in came])
    for member, link in came:
        _note_place(link, member.customer, now)
        _bring(link, current(member.customer), Via.LINK, member.enrolled_at, now)
    _follow(invited, now)


def follow_orders(events: Sequence[OutboxEvent]) -> None:
    """Friends who have bought, or given something back; and codes that came with an order."""
    if not _anybody():
        return
    now = timezone.now()
    people = {pk for event in events for pk in event.payload["customers"]}
    orders = Order.objects.filter(
        customer__in=people, recorded_at__gt=now - LATELY, coupons__len__gt=0
    ).select_related("customer__merged_into")  # fmt: skip
    came = [
        (order.customer, link, order.placed_at)
        for order in orders.order_by("pk")
        for link in _links_given(order)
        if order.customer is not None
    ]
    whose = Q(friend__in=people) | Q(friend__merged_into__in=people)
    closed = [Status.REFUSED, Status.TAKEN_BACK]
    found = Referral.objects.filter(whose).exclude(status__in=closed)
    _hold(found, now, [(friend, link) for friend, link, _at in came])
    for friend, link, placed_at in came:
        _bring(link, current(friend), Via.CHECKOUT, placed_at, now)
    _follow(found, now)


def use_join_code(code: JoinCode) -> None:
    """The code of a friend that somebody gave as they joined. Raises DomainError where there is no
    such code."""
    link = link_named(code.code, code.program)
    bring_friend(link=link, friend=code.customer, via=code.via, now=code.at, actor=code.actor)


def find_due(now: dt.datetime) -> Work | None:
    """None where nothing has come due."""
    if not _due(now, 0, 1):
        return None
    return Work(_("Referrals that are due"), params={"now": now.isoformat()})


def run_due(job_id: int) -> Job | None:
    """One after the other; None when another run has it."""
    return run_in_chunks(job_id, _move_some)


def due_words(job: Job) -> str:
    moved = job.result.get("moved", 0)
    words = ngettext("%s referral was looked at.", "%s referrals were looked at.", moved)
    return words % format_number(moved)


def _move_some(job: Job) -> Step | None:
    now = dt.datetime.fromisoformat(job.params["now"])
    keys = _due(now, job.checkpoint.get("after", 0), 50)
    if not keys:
        return None
    _hold(Referral.objects.filter(pk__in=keys), now)
    for pk in keys:
        bring_up_to_date(pk, now)
    done = job.done + len(keys)
    return Step(checkpoint={"after": keys[-1]}, done=done, result={"moved": done})


def _due(now: dt.datetime, after: int, most: int) -> list[int]:
    """What can be paid, and what nobody has bought in time; not what is held back. And whose
    further purchases can be paid."""
    rows = Referral.objects.filter(program__status="live", pk__gt=after).order_by("pk")
    first = rows.filter(
        status__in=[Status.JOINED, Status.PENDING], due_at__lte=now, order__held_at=None
    )
    further = rows.filter(status=Status.PAID, further_at__lte=now)
    return sorted(
        key for found in (first, further) for key in found.values_list("pk", flat=True)[:most]
    )[:most]


def _links_given(order: Order) -> list[ReferralLink]:
    """A friend's code given at the checkout stands among the order's codes."""
    codes = [plain(code)[:16] for code in order.coupons]
    links = ReferralLink.objects.filter(code__in=codes).values_list("code", flat=True)
    return [link for code in links if (link := find_link(code)) is not None]


def _hold(rows: QuerySet[Referral], now: dt.datetime, coming: Sequence[Coming] = ()) -> None:
    """Lock for all of a batch what each of them locks, also of friends who are only coming."""
    found = rows.select_related(
        "friend__merged_into", "link__membership__customer__merged_into",
        "link__membership__merged_into__customer__merged_into",
    )  # fmt: skip
    hold_all([*coming, *((row.friend, row.link) for row in found)], now)


def _anybody() -> bool:
    return bool(_BEGUN.rows(ReferralProgram.Status.DRAFT.value))


def _bring(
    link: ReferralLink, friend: Customer, via: str, given_at: dt.datetime, now: dt.datetime
) -> None:
    """Where nobody is there to be told: who came by another link before stays with that one."""
    try:
        bring_friend(link=link, friend=friend, via=via, now=now, given_at=given_at)
    except DomainError:
        return


def _note_place(link: ReferralLink, friend: Customer, now: dt.datetime) -> None:
    """Where they were when they asked by the link; what was kept for that goes."""
    asked = ReferralAsk.objects.filter(
        link=link, email=digest_of("email", plain_email(friend.email))
    )
    rows = [
        ReferralTrace(customer=friend, kind=kind, digest=bytes(digest), seen_at=now)
        for ask in asked
        for kind, digest in ((Kind.DEVICE, ask.device), (Kind.NETWORK, ask.network))
    ]
    ReferralTrace.objects.bulk_create(rows, ignore_conflicts=True)
    asked.delete()


def _follow(rows: QuerySet[Referral], now: dt.datetime) -> None:
    keys: Iterable[int] = list(rows.order_by("pk").values_list("pk", flat=True))
    for pk in keys:
        bring_up_to_date(pk, now)
