"""Which surveys there are, and which are open for a member."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from campaigns.models import Survey, SurveyResponse
from loyalty.models import Membership, Program
from loyalty.rule_conditions import stored_condition
from loyalty.segment_uses import Asking, segments_asked_for
from loyalty.selectors.selves import selves
from loyalty.services.member_conditions import members_meeting
from members.conditions.tree import ConditionError
from members.errors import NotFoundError
from members.segment_uses import SegmentUse, register_segment_uses


def surveys() -> QuerySet[Survey]:
    return Survey.objects.select_related("program", "activity_type").prefetch_related("questions")


def counted_surveys() -> QuerySet[Survey]:
    """With how many answered each, newest first."""
    return surveys().annotate(answered=Count("responses")).order_by("-created_at", "-pk")


def get_survey(public_id: UUID | str) -> Survey:
    """Raises NotFoundError."""
    found = surveys().filter(public_id=public_id).first()
    if found is None:
        raise NotFoundError("There is no such survey.")
    return found


def open_surveys(now: dt.datetime) -> QuerySet[Survey]:
    """Those that are being asked."""
    return surveys().filter(
        Q(opens_at=None) | Q(opens_at__lte=now), Q(closes_at=None) | Q(closes_at__gt=now),
        state=Survey.State.LIVE, program__status=Program.Status.LIVE,
    )  # fmt: skip


def is_open(survey: Survey, now: dt.datetime) -> bool:
    return open_surveys(now).filter(pk=survey.pk).exists()


def asked_of(membership: Membership, now: dt.datetime) -> list[Survey]:
    """Those that the member finds on their page and has not answered, under any name; the one that
    closes first comes first."""
    if membership.status != Membership.Status.ACTIVE:
        return []
    found = list(open_surveys(now).filter(program=membership.program_id, on_page=True))
    if not found:
        return []
    answers = SurveyResponse.objects.filter(membership__in=selves([membership]), survey__in=found)
    answered = set(answers.values_list("survey", flat=True))
    mine = [item for item in found if item.pk not in answered and is_asked(item, membership, now)]
    return sorted(mine, key=lambda item: (item.closes_at is None, item.closes_at or now, item.pk))


def answered_by(membership: Membership) -> QuerySet[SurveyResponse]:
    """What the member answered, under any name, newest first."""
    found = SurveyResponse.objects.filter(membership__in=selves([membership]))
    return found.select_related("survey__program", "activity").order_by("-answered_at", "-pk")


def is_asked(survey: Survey, membership: Membership, now: dt.datetime) -> bool:
    return bool(those_asked(survey, [membership], now))


def those_asked(survey: Survey, members: Sequence[Membership], now: dt.datetime) -> set[int]:
    """The keys of the members who are in the survey's audience."""
    try:
        condition = stored_condition(survey.when)
    except ConditionError:
        return set()  # what it names is not there any more, so nobody is meant
    if condition is None:
        return {item.pk for item in members}
    return members_meeting(condition, members, now)


def uses_of_segments() -> Iterator[SegmentUse]:
    """Of surveys that are not over."""
    found = Survey.objects.exclude(state=Survey.State.ENDED).exclude(when={})
    asking = (
        Asking(
            item.pk, item.when, f"{item.title} ({item.program.name})",
            reverse("surveys_backoffice:survey", args=[item.public_id]),
        )
        for item in found.select_related("program")
    )  # fmt: skip
    return segments_asked_for(_("survey"), asking)


def register() -> None:
    """Called once, when the application is ready."""
    register_segment_uses("surveys", uses_of_segments)
