"""The lists of the back-office as files: what is in them, and for whom."""

import csv
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from members.models import AuditEntry
from tests.factories import JobFactory, StaffMemberFactory
from tests.loyalty.factories import make_program
from tests.other_program import NUMBER, WORD, Things, make_things
from tests.sharing import shared
from tests.sign_ins import signed_in

# By their address: whether it is of a program, and a column that each row has something in.
LISTS = {
    "backoffice:customer_list": (False, "id"),
    "backoffice:job_list": (False, "kind"),
    "backoffice:segment_list": (False, "segment"),
    "loyalty_backoffice:order_list": (False, "order"),
    "loyalty_backoffice:company_list": (False, "name"),
    "loyalty_backoffice:partner_list": (True, "partner"),
    "rewards_backoffice:redemption_list": (False, "reward"),
    "rewards_backoffice:gift_card_list": (False, "ends_with"),
    "rewards_backoffice:reward_list": (True, "reward"),
    "referrals_backoffice:referral_list": (False, "came_at"),
    "messages_backoffice:delivery_list": (False, "occasion"),
    "campaigns_backoffice:campaign_list": (False, "promotion"),
}
OF_EVERY_PROGRAM = [name for name, (of_program, _column) in LISTS.items() if not of_program]
WITHOUT_ROWS = {
    "backoffice:segment_list", "loyalty_backoffice:company_list",
    "messages_backoffice:delivery_list",
}  # fmt: skip

pytestmark = pytest.mark.django_db
things_for_all = shared(make_things)


@pytest.fixture(autouse=True)
def _things(things_for_all: Things) -> None:
    JobFactory(state="succeeded")


@pytest.fixture
def client_of() -> Callable[..., Client]:
    def sign_in(role: str, **limits: list[int]) -> Client:
        user = StaffMemberFactory(role=role, **limits).user
        return signed_in(user)

    return sign_in


def address(name: str) -> str:
    return reverse(name, args=["quiet"] if LISTS[name][0] else [])


def read(client: Client, url: str) -> list[dict[str, str]]:
    answer = client.post(url)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(answer.getvalue().decode().splitlines()))


@pytest.mark.parametrize("name", LISTS)
def test_each_list_is_taken_as_a_file_from_its_page(
    name: str, client_of: Callable[..., Client]
) -> None:
    manager, url = client_of("marketing_manager"), address(name)
    rows = read(manager, url)
    assert all(row[LISTS[name][1]] for row in rows)
    assert bool(rows) != (name in WITHOUT_ROWS)
    offered = "Take as a file" in manager.get(url).content.decode()
    assert offered == bool(rows)
    assert AuditEntry.objects.filter(action="list.handed_out").count() == 1
    with CaptureQueriesContext(connection) as asked:
        read(manager, url)
    # Nothing is looked up for a single row.
    assert len(asked) < 20


@pytest.mark.parametrize(
    "name", [name for name, (of_program, _c) in LISTS.items() if not of_program]
)
def test_whoever_is_limited_to_another_program_gets_nothing_of_this_one(
    name: str, client_of: Callable[..., Client]
) -> None:
    elsewhere = make_program("elsewhere")
    limited = client_of("marketing_manager", programs=[elsewhere.pk])
    text = limited.post(address(name)).getvalue().decode()
    assert WORD not in text
    assert NUMBER not in text
