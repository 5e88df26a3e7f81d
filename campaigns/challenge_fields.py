"""What conditions can ask of the challenges that a member has done: how many, the level that they
came to, their badges. The database answers as `achieved_by` does for rules."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    Case,
    Count,
    Exists,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from campaigns.challenge_levels import STANDARD
from campaigns.models import Challenge, ChallengeWin
from campaigns.selectors.challenge_levels import needs_by_program
from loyalty.models import Membership
from members.conditions import values
from members.conditions.fields import CHALLENGES, Field
from members.conditions.moments import Moment, ProgramMoment
from members.conditions.operators import Operator


def _members(moment: Moment) -> QuerySet[Membership]:
    """Of a customer: of one of their programs, or of the moment's."""
    rows = Membership.objects.filter(customer=OuterRef("pk"), merged_into=None)
    return rows.filter(program=moment.program) if isinstance(moment, ProgramMoment) else rows


def _done_before(moment: Moment) -> Coalesce:
    """How many challenges a member had done before the moment."""
    rows = _won_before(moment).order_by().values("entry__membership")
    return Coalesce(Subquery(rows.values(number=Count("pk"))), Value(0))


def _won_before(moment: Moment) -> QuerySet[ChallengeWin]:
    return ChallengeWin.objects.filter(
        entry__membership=OuterRef("pk"), state=ChallengeWin.State.WON, reached_at__lt=moment.now
    )


def _asked(
    rows: QuerySet[Membership], column: str, operator: Operator, operand: object, moment: Moment
) -> Q:
    asked = operator.query(column, operand, moment)
    return ~Q(Exists(rows.exclude(asked))) if operator.unknown else Q(Exists(rows.filter(asked)))


def _done_query(operator: Operator, operand: object, moment: Moment) -> Q:
    rows = _members(moment).annotate(challenges_done=_done_before(moment))
    return _asked(rows, "challenges_done", operator, operand, moment)


def _level_query(operator: Operator, operand: object, moment: Moment) -> Q:
    """Each program has levels of its own, or the standard ones."""
    own = needs_by_program()
    steps = [
        When(program=program, challenges_done__gte=needed, then=Value(number))
        for program, needs in own.items()
        for number, needed in reversed(list(enumerate(needs, start=1)))
    ]
    steps += [When(program=program, then=Value(0)) for program in own]
    steps += [
        When(challenges_done__gte=level.needs, then=Value(level.number))
        for level in reversed(STANDARD)
    ]
    rows = _members(moment).annotate(challenges_done=_done_before(moment))
    rows = rows.annotate(
        challenge_level=Case(*steps, default=Value(0), output_field=IntegerField())
    )
    return _asked(rows, "challenge_level", operator, operand, moment)


def _badges_query(operator: Operator, operand: object, moment: Moment) -> Q:
    named = _won_before(moment).exclude(entry__challenge__badge="")
    rows = _members(moment).annotate(
        challenge_badges=ArraySubquery(named.values("entry__challenge__badge"))
    )
    return _asked(rows, "challenge_badges", operator, operand, moment)


def known_badges() -> Sequence[tuple[str, str]]:
    """All that challenges bring or brought."""
    rows = Challenge.objects.exclude(badge="").order_by("badge")
    return [(name, name) for name in rows.values_list("badge", flat=True).distinct()]


_BEFORE = _("Before what is judged. A segment asks whether it is so in one of their programs.")
FIELDS = (
    Field("challenges.done", _("challenges done"), values.NUMBER, CHALLENGES, attrgetter("done"),
          help=_BEFORE, query=_done_query),
    Field("challenges.level", _("level"), values.NUMBER, CHALLENGES, attrgetter("level"),
          help=_("The number of their level: 1 is the first, 0 is none yet. By the levels that "
                 "the program has now."),
          query=_level_query),
    Field("challenges.badges", _("badges"), values.LIST, CHALLENGES, attrgetter("badges"),
          help=_BEFORE, query=_badges_query, choices=known_badges),
)  # fmt: skip
