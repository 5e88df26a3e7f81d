from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loyalty.models import Membership
from loyalty.wallet_passes.keys import ApplePassKeys, GooglePassKeys
from members.models import Customer
from tests.loyalty.account.conftest import maya, shop, sign_in  # noqa: F401  (fixtures)
from tests.loyalty.wallet_passes.authority import AppleFiles, apple_files, google_keys


@pytest.fixture
def files(tmp_path: Path) -> AppleFiles:
    return apple_files(tmp_path)


@pytest.fixture
def apple(files: AppleFiles, settings: Any) -> ApplePassKeys:
    """The shop has been to Apple."""
    settings.APPLE_PASSES = files.keys()
    return settings.APPLE_PASSES


@pytest.fixture
def google(tmp_path: Path, settings: Any) -> GooglePassKeys:
    """The shop has been to Google."""
    settings.GOOGLE_PASSES = google_keys(tmp_path)
    return settings.GOOGLE_PASSES


@pytest.fixture
def member(maya: Customer) -> Membership:  # noqa: F811
    return Membership.objects.select_related("program", "customer").get(customer=maya)
