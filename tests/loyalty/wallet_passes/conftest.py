from __future__ import annotations

from typing import Any

import pytest

from loyalty.models import Membership
from loyalty.wallet_passes.keys import ApplePassKeys, GooglePassKeys
from members.models import Customer
from members.services.outbox import deliver_waiting
from tests.loyalty.account.conftest import (
    Regular,
    make_maya,
    make_shop,
    maya,  # noqa: F401  (a fixture)
    shop,  # noqa: F401  (a fixture)
    sign_in,  # noqa: F401  (a fixture)
)
from tests.loyalty.wallet_passes.authority import AppleFiles, apple_files, google_keys
from tests.sharing import shared


def make_told_maya() -> Regular:
    """Whatever follows from what she has done until now has followed: each test would wait."""
    made = make_maya(make_shop())
    while deliver_waiting(100):
        pass
    return made


maya_for_all = shared(make_told_maya)


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> AppleFiles:
    return apple_files(tmp_path_factory.mktemp("apple"))


@pytest.fixture(scope="session")
def apple_keys(files: AppleFiles) -> ApplePassKeys:
    """Read once, as a process does: a key takes a while."""
    return files.keys()


@pytest.fixture
def apple(apple_keys: ApplePassKeys, settings: Any) -> ApplePassKeys:
    """The shop has been to Apple."""
    settings.APPLE_PASSES = apple_keys
    return apple_keys


@pytest.fixture
def google(settings: Any) -> GooglePassKeys:
    """The shop has been to Google."""
    settings.GOOGLE_PASSES = google_keys()
    return settings.GOOGLE_PASSES


@pytest.fixture
def member(maya: Customer) -> Membership:  # noqa: F811
    return Membership.objects.select_related("program", "customer").get(customer=maya)
