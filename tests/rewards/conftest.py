"""The fixtures of loyalty's screens serve here, too."""

from tests.loyalty.account.conftest import maya, maya_for_all, shop  # noqa: F401
from tests.loyalty.account.conftest import sign_in as sign_in_customer  # noqa: F401
from tests.loyalty.backoffice.conftest import (  # noqa: F401
    agent,
    ana,
    ana_for_all,
    beans,
    client_of,
    manager,
    sign_in,
)
from tests.loyalty.conftest import coherent_ledger  # noqa: F401
