"""Which of the customer's memberships a page is about."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.http import Http404
from django.urls import reverse

from loyalty.models import Membership
from loyalty.selectors.memberships import list_memberships, named_membership
from members.account.access import CustomerRequest
from members.navigation import Tab

SESSION_KEY = "mypage_membership"


@dataclass(frozen=True, slots=True)
class Chosen:
    """The membership that the page shows, among all that the customer has."""

    membership: Membership
    all: Sequence[Membership]

    def tabs(self, url_name: str) -> list[Tab]:
        """Links to the same page of the other memberships; none when there is only one."""
        if len(self.all) < 2:
            return []
        return [
            Tab(
                item.program.name,
                reverse(url_name, args=[item.public_id]),
                current=item == self.membership,
            )
            for item in self.all
        ]


def choose_membership(
    request: CustomerRequest, public_id: uuid.UUID | None, *, with_causes: bool = False
) -> Chosen | None:
    """The one asked for (or 404), else the one looked at last, else the longest active one.

    None: the customer has no membership at all. `with_causes` as for `list_memberships`.
    """
    memberships = list_memberships(request.customer, with_causes=with_causes)
    if public_id is not None:
        found = named_membership(memberships, public_id)
        if found is None:
            raise Http404("This customer has no such membership.")
        if len(memberships) > 1:
            remember(request, found)
        return Chosen(found, memberships)
    if not memberships:
        return None
    last = request.session.get(SESSION_KEY)
    return Chosen(min(memberships, key=lambda item: _rank(item, last)), memberships)


def remember(request: CustomerRequest, membership: Membership) -> None:
    """Let the bottom bar's links stay with this membership."""
    if request.session.get(SESSION_KEY) != str(membership.public_id):
        request.session[SESSION_KEY] = str(membership.public_id)


def _rank(membership: Membership, last: str | None) -> tuple[bool, bool]:
    """Lowest first; memberships come longest first, and min keeps the first of equals."""
    inactive = membership.status != Membership.Status.ACTIVE
    return str(membership.public_id) != last, inactive
