"""What members may see of what is sent to them."""

from __future__ import annotations

from django.db.models import Q

from rewards.models import FulfillmentTask

Status = FulfillmentTask.Status
# Gifts of the staff are a surprise until they are sent, or need an address.
TOLD = Q(kind=FulfillmentTask.Kind.REWARD) | Q(status__in=[Status.AWAITED, Status.SENT])


def is_surprise(task: FulfillmentTask) -> bool:
    """Whether its member is not told yet what it is."""
    return task.kind != FulfillmentTask.Kind.REWARD and task.status == Status.AWAITED
