"""What is to be sent, and what was."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from loyalty.models import Membership
from loyalty.selectors.selves import selves
from members.errors import NotFoundError
from rewards.addresses import Address, kept_address
from rewards.models import FulfillmentTask

Status = FulfillmentTask.Status


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of the queue is looked at. `whose`: the key of a colleague, or "nobody"."""

    status: str = ""
    program: str = ""
    whose: str = ""
    late: bool = False
    text: str = ""


def tasks() -> QuerySet[FulfillmentTask]:
    """With all that is shown of one."""
    return FulfillmentTask.objects.select_related(
        "program", "membership__customer", "assignee", "redemption__reward__program"
    )


def get_task(public_id: UUID | str) -> FulfillmentTask:
    """Raises NotFoundError."""
    found = tasks().filter(public_id=public_id).first()
    if found is None:
        raise NotFoundError("There is no such task.")
    return found


def wanted_tasks(wanted: Wanted, now: dt.datetime) -> QuerySet[FulfillmentTask]:
    """Those of all states where none is named."""
    found = tasks()
    if wanted.program:
        found = found.filter(program__code=wanted.program)
    if wanted.whose == "nobody":
        found = found.filter(assignee=None)
    elif wanted.whose:
        found = found.filter(assignee=int(wanted.whose))
    if wanted.late:
        found = found.filter(status__in=FulfillmentTask.OPEN, due_at__lte=now)
    if wanted.text:
        person = "membership__customer__search_text__icontains"
        found = found.filter(
            Q(what__icontains=wanted.text)
            | Q(tracking_number__iexact=wanted.text)
            | Q(**{person: wanted.text.lower()})
        )
    return found.filter(status=wanted.status) if wanted.status else found


def counts_by_status(found: QuerySet[FulfillmentTask]) -> dict[str, int]:
    rows = found.order_by().values_list("status").annotate(count=Count("pk"))
    return dict(rows)


def sent_to(members: Sequence[Membership]) -> QuerySet[FulfillmentTask]:
    """What goes to these members, also under accounts that were merged into theirs."""
    return tasks().filter(membership__in=selves(members))


def last_address(membership: Membership) -> Address | None:
    """Where the last parcel of a member goes or went to."""
    owner = membership.merged_into or membership
    known = sent_to([owner]).filter(address__isnull=False).order_by("-created_at", "-pk").first()
    return None if known is None else kept_address(known.address)
