"""A candidate as the API tells it."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from pydantic import Field

from loyalty.models import Candidate, Membership
from members.api.bodies import Answer


class CandidateCustomerOut(Answer):
    """Who it is."""

    id: UUID
    external_id: str | None


class CandidateOut(Answer):
    """A customer who was invited to a program, or waits for it; nothing that they do earns."""

    id: UUID
    program: str
    customer: CandidateCustomerOut
    state: Candidate.State
    source: Membership.Source
    source_detail: str
    invited_at: dt.datetime | None
    expires_at: dt.datetime | None = Field(description="Until when the invitation can be accepted.")
    waiting_since: dt.datetime | None
    answered_at: dt.datetime | None


def candidate_out(candidate: Candidate) -> CandidateOut:
    return CandidateOut(
        id=candidate.public_id,
        program=candidate.program.code,
        customer=CandidateCustomerOut(
            id=candidate.customer.public_id, external_id=candidate.customer.external_id
        ),
        state=Candidate.State(candidate.state),
        source=Membership.Source(candidate.source),
        source_detail=candidate.source_detail,
        invited_at=candidate.invited_at,
        expires_at=candidate.expires_at,
        waiting_since=candidate.waiting_since,
        answered_at=candidate.answered_at,
    )
