"""What is told of fraud reviews: that somebody has to look, and what was decided. Not why: that is
read by the API, with a key that may."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from django.utils.translation import gettext_lazy as _
from pydantic import Field

from loyalty.models import RiskCase
from loyalty.selectors.risk import risk_cases
from loyalty.selectors.telling.people import SAMPLE_MEMBER, MemberData, member_values
from members.models import OutboxEvent
from members.models.telling import ToldRow
from members.public_events import EventType, PublicEvent, named_rows

State = RiskCase.State


class RiskCaseData(MemberData):
    """A case of a member who may take advantage of a program."""

    case: str = Field(description="The case's id in the API.", json_schema_extra={"format": "uuid"})
    state: Literal["open", "held", "released", "clawed_back", "merged"]
    points: int = Field(description="How much speaks against them, from 0 to 100.")


_SAMPLE = SAMPLE_MEMBER | {
    "case": "5b0f1f7e-3d53-4d1a-9a57-51d6a4b8a9c2", "state": "open", "points": 65,
}  # fmt: skip
CASE_TYPES = tuple(
    EventType(name, sentence, RiskCaseData, RiskCaseData.model_validate(_SAMPLE | {"state": state}))
    for name, sentence, state in (
        ("risk_case.opened", _("Somebody has to look whether a member misuses a program."), "open"),
        ("risk_case.held", _("A member is held until a fraud review is decided."), "held"),
        ("risk_case.released", _("A fraud review found nothing wrong."), "released"),
        ("risk_case.clawed_back", _("What came from misuse was taken back."), "clawed_back"),
    )
)
_NAMES = {
    State.OPEN: "risk_case.opened", State.HELD: "risk_case.held",
    State.RELEASED: "risk_case.released", State.CLAWED_BACK: "risk_case.clawed_back",
}  # fmt: skip


def tell_cases(events: Sequence[OutboxEvent]) -> Iterator[PublicEvent]:
    named = named_rows(events, _names)
    found = risk_cases().in_bulk([item.row.id for item in named])
    for item in named:
        case = found.get(item.row.id)
        # Who was erased meanwhile has none any more.
        if case is not None:
            values = member_values(case.membership) | {
                "case": str(case.public_id), "state": item.row.became, "points": case.points,
            }  # fmt: skip
            yield item.told(case.membership.program.code, RiskCaseData.model_validate(values))


def _names(row: ToldRow) -> Iterable[str]:
    name = _NAMES.get(State(row.became)) if row.became else None
    return [name] if name else []
