"""Who calls the services and looks at the screens."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from members.models import StaffMember, User
from members.services import api_keys
from members.services.audit import Actor
from tests.factories import StaffMemberFactory
from tests.sign_ins import signed_in

Role = StaffMember.Role
SignIn = Callable[..., Client]


@pytest.fixture(autouse=True)
def _forget_keys() -> None:
    """Keys remembered in this process belong to a test that is over."""
    api_keys.forget_cached_keys()


@pytest.fixture
def administrator(db: None) -> User:
    return StaffMemberFactory(
        administrator=True, user__name="Ada Admin", user__email="ada@example.com"
    ).user


@pytest.fixture
def agent(db: None) -> User:
    return StaffMemberFactory(user__name="Sam Support", user__email="sam@example.com").user


@pytest.fixture
def actor(administrator: User) -> Actor:
    return Actor.of_user(administrator)


@pytest.fixture
def as_user() -> Callable[[User], Client]:
    """`as_user(user).get(...)`: a browser in which the user is signed in."""

    def sign_in(user: User) -> Client:
        return signed_in(user)

    return sign_in


@pytest.fixture
def browser_of(as_user: Callable[[User], Client]) -> Callable[[str], Client]:
    """`browser_of("analyst").get(...)`: a browser of a colleague with this role."""

    def sign_in(role: str) -> Client:
        return as_user(StaffMemberFactory(role=role).user)

    return sign_in


@pytest.fixture
def admins_browser(as_user: Callable[[User], Client], administrator: User) -> Client:
    return as_user(administrator)


HTMX = {"HX-Request": "true"}
IN_DIALOG = {"HX-Request": "true", "HX-Target": "dialog-body"}
