"""A program's clock changes while its members are written: real threads with connections of their
own."""

import pytest
from django.db import connection
from django.utils import timezone

from loyalty.models import Membership, Program
from loyalty.selectors.programs import definition_of
from loyalty.services.program_changes import rehearse_definition
from loyalty.services.programs import apply_definition
from members.services.audit import SYSTEM
from tests.loyalty.factories import make_program, make_wallet
from tests.rewards.services.racing import in_the_way_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def program() -> Program:
    found = make_program()
    make_wallet(found, "c1")
    return found


@pytest.mark.parametrize("change", [apply_definition, rehearse_definition])
def test_a_change_of_the_clock_that_loses_a_deadlock_is_made_again(program, change):
    now = timezone.now()
    moved = definition_of(program, now).model_copy(update={"time_zone": "Asia/Kuala_Lumpur"})

    def ask_for_the_program():
        with connection.cursor() as cursor:
            # It is the change that looks for a deadlock first, and has to give way.
            cursor.execute("SET LOCAL deadlock_timeout = '60s'")
        Program.objects.select_for_update().get(pk=program.pk)

    in_the_way_of(
        lambda: change(moved, actor=SYSTEM, now=now),
        lambda: Membership.objects.update(created_at=now),
        ask_for_the_program,
    )
    program.refresh_from_db()
    assert program.time_zone == ("UTC" if change is rehearse_definition else "Asia/Kuala_Lumpur")
