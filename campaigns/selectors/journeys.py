"""Journeys, and what is in force of them."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet
from pydantic import ValidationError

from campaigns.journey_definitions import JourneyDefinition, read_audience
from campaigns.models import Journey, JourneyVersion
from loyalty.models import Membership
from loyalty.rules.bodies import FixedBody
from loyalty.rules.engine import RuleVersion
from loyalty.rules.facts import NOTHING, Deed
from loyalty.selectors.rulebooks import fresh_terms
from loyalty.services.contexts import Wish, with_contexts
from members.conditions.moments import Moment
from members.errors import NotFoundError
from members.prepared import KeptQuery

logger = logging.getLogger(__name__)

_ASKING = FixedBody(kind="fixed", units=1)


@dataclass(frozen=True, slots=True)
class InForce:
    """A journey with the version by which members enter it."""

    journey: Journey
    version: JourneyVersion
    definition: JourneyDefinition


def live_journeys(*triggers: str) -> list[InForce]:
    """By key; those that begin with one of these, or all. One that cannot be read any more holds
    up no other. Two queries, however many there are."""
    live = Journey.Status.LIVE
    rows = _beginning.rows(live, list(triggers)) if triggers else _running.rows(live)
    newest = {row.journey_id: row for row in _newest.rows([row.pk for row in rows])} if rows else {}
    found = [_readable(row, newest[row.pk]) for row in rows if row.pk in newest]
    return [item for item in found if item is not None]


def _live(state: str) -> QuerySet[Journey]:
    return Journey.objects.filter(status=state).select_related("program").order_by("pk")


_running: KeptQuery[Journey] = KeptQuery(_live)
_beginning: KeptQuery[Journey] = KeptQuery(
    lambda state, triggers: _live(state).filter(trigger__among=triggers)
)
_newest: KeptQuery[JourneyVersion] = KeptQuery(
    lambda journeys: (
        _published()
        .filter(journey__among=journeys)
        .order_by("journey_id", "-number")
        .distinct("journey_id")
    )
)


def _published() -> QuerySet[JourneyVersion]:
    return JourneyVersion.objects.filter(published_at__isnull=False)


def _readable(journey: Journey, newest: JourneyVersion) -> InForce | None:
    try:
        return InForce(journey, newest, definition_of(newest))
    except ValidationError as error:
        logger.error("journey %s cannot be read: %s errors", journey.public_id, error.error_count())
        return None


def version_in_force(journey: Journey) -> InForce | None:
    version = _published().filter(journey=journey).order_by("-number").first()
    if version is None:
        return None
    return InForce(journey, version, definition_of(version))


def definition_of(version: JourneyVersion) -> JourneyDefinition:
    return JourneyDefinition.model_validate(version.body)


def get_journey(public_id: UUID) -> Journey:
    """Raises NotFoundError."""
    found = journeys().filter(public_id=public_id).first()
    if found is None:
        raise NotFoundError("There is no such journey.")
    return found


def journeys() -> QuerySet[Journey]:
    return Journey.objects.select_related("program")


def for_whom(
    when: dict[str, object], members: Sequence[Membership], now: dt.datetime
) -> list[Membership]:
    """Those of these members of one program for whom the condition holds now. A constant number of
    queries."""
    if not when or not members:
        return list(members)
    unit = members[0].program.wallet_types.order_by("pk").first()
    terms = next(item for item in fresh_terms().programs if item.id == members[0].program_id)
    condition = read_audience(dict(when))
    version = RuleVersion(
        1, "", 1, unit.pk if unit else 0, unit.scale if unit else 0, _ASKING, when=condition
    )
    # Everything that is asked counts up to this moment.
    day = Deed(NOTHING, Moment(now, terms.zone))
    asked = [Wish(terms, [version], one.pk, one.customer_id, day) for one in members]
    answered = with_contexts(asked)
    return [
        member
        for member, wish in zip(members, answered, strict=True)
        if condition.holds(day, wish.context.answers.get(1, ""))
    ]
