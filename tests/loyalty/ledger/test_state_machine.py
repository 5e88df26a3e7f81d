"""Whatever happens in whatever order, the ledger holds what a plain-Python model of it says.

SETIA_HYPOTHESIS=long searches longer. The operations are in `tests.loyalty.ledger.machine`, the
model in its modules `purses`, `wallets`, `shop` and `merging`.
"""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.loyalty.histories import LONG
from tests.loyalty.ledger.machine.by_hand import ByHand
from tests.loyalty.ledger.machine.by_merge import ByMerge
from tests.loyalty.ledger.machine.by_order import ByOrder
from tests.loyalty.ledger.machine.by_pool import ByPool


class Ledger(ByHand, ByOrder, ByPool, ByMerge):
    """Everything, to two members of one program and their pool."""


@pytest.mark.timeout(3600 if LONG else 120)
def test_the_ledger_is_its_model(db):
    run_state_machine_as_test(
        Ledger,
        settings=settings(
            max_examples=300 if LONG else 20,
            stateful_step_count=50 if LONG else 16,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
