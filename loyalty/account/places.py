"""Which pool a page is about: that of the membership in the address."""

from __future__ import annotations

import uuid

from django.http import Http404
from django.urls import reverse

from loyalty.account.chosen import Chosen, choose_membership
from loyalty.models import Membership, PoolMember
from loyalty.selectors.pools import place_of
from members.account.access import CustomerRequest


def chosen_place(request: CustomerRequest, public_id: uuid.UUID) -> tuple[Chosen, PoolMember]:
    """The membership in the address and its place in a pool, or 404."""
    chosen = choose_membership(request, public_id)
    assert chosen is not None  # somebody else's, or none, is 404 already
    return chosen, place_or_404(chosen)


def place_or_404(chosen: Chosen) -> PoolMember:
    place = place_of(chosen.membership)
    if place is None:
        raise Http404("This member is in no pool.")
    return place


def pool_url(membership: Membership) -> str:
    return reverse("mypage:pool_of", args=[membership.public_id])
