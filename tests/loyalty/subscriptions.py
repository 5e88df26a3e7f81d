"""What tests read of paid plans."""

import datetime as dt

from loyalty.models import Subscription, Transfer
from tests.loyalty.factories import (
    order,
    record,
)
from tests.loyalty.planning import plan


def days_of(subscription: Subscription) -> list[str]:
    """When its periods begin."""
    found = subscription.charges.order_by("pk").values_list("period_start", flat=True)
    return [at.date().isoformat() for at in found]


def state_of(subscription: Subscription) -> str:
    subscription.refresh_from_db()
    return subscription.state


DOUBLED = plan(benefits=[{"kind": "multiplier", "factor": 2}])


def earned(number: str, at: dt.datetime, now: dt.datetime | None = None) -> int:
    record(order(number, "10", at=at), now=now)
    found = Transfer.objects.filter(order__external_id=number, kind="accrual")
    return sum(found.values_list("amount", flat=True))
