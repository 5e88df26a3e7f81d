"""The fixtures of loyalty's screens serve here, too; and a receiver of webhooks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from campaigns.models import MessagingPolicy
from tests.campaigns.receiver import Receiver, receiving
from tests.loyalty.account.conftest import maya, shop  # noqa: F401
from tests.loyalty.account.conftest import sign_in as sign_in_customer  # noqa: F401
from tests.loyalty.backoffice.conftest import (  # noqa: F401
    agent,
    ana,
    beans,
    client_of,
    manager,
    sign_in,
)
from tests.loyalty.conftest import coherent_ledger  # noqa: F401


@pytest.fixture
def awake(db: None) -> None:
    """Nobody has quiet hours, so a test may run at any time of day."""
    MessagingPolicy.objects.bulk_create(
        [MessagingPolicy(pk=1, quiet_from=dt.time(0), quiet_until=dt.time(0))],
        update_conflicts=True, unique_fields=["pk"],
        update_fields=["quiet_from", "quiet_until"],
    )  # fmt: skip


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found
