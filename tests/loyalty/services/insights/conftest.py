from __future__ import annotations

import pytest

from tests.loyalty.factories import make_program


@pytest.fixture
def shop(db):
    return make_program(unit={"unit_value": "0.01"}, enrollment="explicit")
