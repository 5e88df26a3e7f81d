"""Recording what people do besides buying: written, limited, judged by every program and posted,
all at once."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import orjson
from django.db import connection
from django.utils.translation import gettext as _

from loyalty.activity_data import problems_of_data
from loyalty.models import Activity, ActivityType, Membership
from loyalty.selectors.partners import AtPartner
from loyalty.selectors.rulebooks import Terms
from loyalty.services.activity_awards import Judged, award_activities
from loyalty.services.activity_limits import why_over_limit
from loyalty.services.cap_books import with_budgets
from loyalty.services.order_batches import Enrolling, Opened, Wanted, hold_people, open_batch
from loyalty.services.order_checks import ahead
from loyalty.services.order_inputs import CustomerRef
from members.errors import ConflictError, DomainError, FieldError, placed
from members.selectors.merges import were_one

Outcome = Literal["created", "unchanged", "over_limit"]
LONGEST_PROOF = 2_000
# `orders_open` finds the people and locks their wallets; no order has this source.
NO_ORDERS = ""


@dataclass(frozen=True, slots=True)
class ActivityInput:
    """An activity as it comes in. `type`: the code of its type; `subject`: what it was about, as a
    SKU; `proof`: a link or a text."""

    external_id: str
    customer: CustomerRef
    type: str
    occurred_at: dt.datetime
    source: str = "shop"
    subject: str = ""
    subject_name: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    proof: str = ""

    def body_hash(self) -> bytes:
        """What makes the same number the same activity; whose it is, is compared apart."""
        said = [
            self.type, self.occurred_at.astimezone(dt.UTC).isoformat(), self.subject,
            self.subject_name, self.data, self.proof,
        ]  # fmt: skip
        text = orjson.dumps(said, option=orjson.OPT_SORT_KEYS)
        return hashlib.blake2b(text, digest_size=32).digest()


@dataclass(frozen=True, slots=True)
class ActivityResult:
    """What became of one. Over a limit nothing is kept: `reason` says which limit."""

    external_id: str
    outcome: Outcome
    activity: Activity | None = None
    reason: str = ""


class ActivityConflictError(ConflictError):
    code = "activity_conflict"


def record_activities(
    inputs: Sequence[ActivityInput],
    *,
    now: dt.datetime,
    transfer_source: str,
    partner: AtPartner | None = None,
) -> list[ActivityResult]:
    """Record activities of one source, all or nothing; repeating them changes nothing.

    One that is over a limit of its type is left out and said so. Those that somebody has to approve
    wait; the others are judged by the rules in force when they occurred. Raises DomainError for
    what cannot be taken, ActivityConflictError for a known number with other content.
    """
    _refuse_doubles(inputs)
    if not inputs:
        return []
    return with_budgets(partial(_record, inputs, now, transfer_source, partner))


def open_people(
    wanted: Sequence[Wanted], *, enrolling: Enrolling, program_ids: Sequence[int] | None = None
) -> tuple[Terms, list[Opened]]:
    """The programs and people of activities, with their wallets and the people themselves locked:
    two activities of one person take turns."""
    terms, opened = open_batch(
        wanted, source=NO_ORDERS, program_ids=program_ids, enrolling=enrolling
    )
    people = sorted({known.customer_id for known in opened if known.customer_id is not None})
    hold_people(people)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM members_customer WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
            [people],
        )
    return terms, opened


def _record(
    inputs: Sequence[ActivityInput], now: dt.datetime, transfer_source: str,
    partner: AtPartner | None, whole: set[int],
) -> list[ActivityResult]:  # fmt: skip
    wanted = [
        Wanted(str(number), given.customer, given.occurred_at)
        for number, given in enumerate(inputs)
    ]
    terms, opened = open_people(
        wanted, enrolling=Enrolling(source=Membership.Source.API),
        program_ids=[partner.program_id] if partner else None,
    )  # fmt: skip
    types = {found.code: found for found in ActivityType.objects.all()}
    stored = {
        found.external_id: found
        for found in Activity.objects.select_related("type").filter(
            source=inputs[0].source, external_id__in=[given.external_id for given in inputs]
        )
    }
    results: list[ActivityResult] = []
    counting: list[Judged] = []
    for index, (given, known) in enumerate(zip(inputs, opened, strict=True)):
        with placed(index):
            earlier = stored.get(given.external_id)
            result = (
                _again(earlier, given, known, partner)
                if earlier
                else _new(given, known, types, now, partner)
            )
        results.append(result)
        made = result.activity
        if made and result.outcome == "created" and made.state == Activity.State.APPROVED:
            counting.append(Judged(made, known.members))
    award_activities(counting, terms=terms, now=now, transfer_source=transfer_source, whole=whole)
    return results


def _again(
    earlier: Activity, given: ActivityInput, known: Opened, partner: AtPartner | None
) -> ActivityResult:
    """Told before: the same, or something else under a number that is taken."""
    same = bytes(earlier.body_hash) == given.body_hash()
    same = same and (partner is None or earlier.partner_id == partner.account_id)
    if not same or not were_one(earlier.customer_id, known.customer_id):
        raise ActivityConflictError(
            _("Activity %(number)s is known with other content.") % {"number": given.external_id},
            errors=[FieldError("external_id", _("It belongs to another activity."), "not_unique")],
        )
    return ActivityResult(given.external_id, "unchanged", earlier)


def _new(
    given: ActivityInput, known: Opened, types: Mapping[str, ActivityType], now: dt.datetime,
    partner: AtPartner | None,
) -> ActivityResult:  # fmt: skip
    kind = _checked_type(given, types, now)
    assert known.customer_id is not None
    reason = why_over_limit(kind, known.customer_id, given.subject, given.occurred_at)
    if reason:
        return ActivityResult(given.external_id, "over_limit", reason=reason)
    state = Activity.State.PENDING if kind.approval else Activity.State.APPROVED
    made = Activity.objects.create(
        source=given.source, external_id=given.external_id, customer_id=known.customer_id,
        type=kind, subject=given.subject, subject_name=given.subject_name, data=given.data,
        proof=given.proof, body_hash=given.body_hash(), occurred_at=given.occurred_at,
        recorded_at=now, state=state, partner_id=partner.account_id if partner else None,
    )  # fmt: skip
    return ActivityResult(given.external_id, "created", made)


def _checked_type(
    given: ActivityInput, types: Mapping[str, ActivityType], now: dt.datetime
) -> ActivityType:
    """The type of an activity that can be taken. Raises DomainError naming each wrong field."""
    kind = types.get(given.type)
    if kind is None or not kind.active:
        known = ", ".join(sorted(code for code, found in types.items() if found.active)) or "–"
        message = _("There is no such type. Types: %s.") % known
        raise DomainError(message, errors=[FieldError("type", message, "not_found")])
    errors = problems_of_data(given.data, kind.data_schema)
    errors += ahead("occurred_at", given.occurred_at, now)
    if kind.proof == ActivityType.Proof.REQUIRED and not given.proof.strip():
        errors.append(FieldError("proof", _("A link or a text is required."), "required"))
    if kind.proof == ActivityType.Proof.NONE and given.proof:
        errors.append(FieldError("proof", _("Activities of this type come without a proof.")))
    if len(given.proof) > LONGEST_PROOF:
        errors.append(FieldError("proof", _("At most %s characters.") % LONGEST_PROOF))
    if kind.once_per_subject and not given.subject:
        errors.append(FieldError("subject", _("Say what it was about."), "required"))
    if errors:
        raise DomainError(_("The activity cannot be taken like this."), errors=errors)
    return kind


def _refuse_doubles(inputs: Sequence[ActivityInput]) -> None:
    seen: set[tuple[str, str]] = set()
    for index, given in enumerate(inputs):
        address = (given.source, given.external_id)
        if address in seen or given.source != inputs[0].source:
            message = _("The batch names activity %(number)s twice.") % {
                "number": given.external_id
            }
            raise DomainError(
                message,
                errors=[FieldError(f"activities[{index}].external_id", message, "duplicate")],
            )
        seen.add(address)
