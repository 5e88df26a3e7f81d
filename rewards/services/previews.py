"""The shelf as a new member of a tier finds it: somebody joins, looks, and was never there."""

from __future__ import annotations

import datetime as dt
import uuid

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.models import Membership, Program
from loyalty.services.manual_tiers import give_tier
from loyalty.services.memberships import enroll_customer
from members.models import Customer
from members.services.audit import SYSTEM
from members.services.transactions import run_atomically
from rewards.selectors.rewards import offered
from rewards.services.eligibility import Offer, offers_for


def preview_shelf(*, program: Program, tier: str, now: dt.datetime) -> list[Offer]:
    """What such a member would be offered, with the same code as every member. `tier`: its code;
    empty: the one that everybody begins with. Nothing of it stays."""

    def look() -> list[Offer]:
        with transaction.atomic():
            offers = offers_for(list(offered(program)), _somebody(program, tier, now), now)
            transaction.set_rollback(True)
        return offers

    return run_atomically(look)


def _somebody(program: Program, tier: str, now: dt.datetime) -> Membership:
    customer = Customer.objects.create(external_id=f"preview-{uuid.uuid4()}")
    joined, _new = enroll_customer(
        customer=customer, program=program, source=Membership.Source.STAFF, at=now, actor=SYSTEM
    )
    if tier:
        give_tier(membership=joined, tier=tier, reason=_("Preview"), actor=SYSTEM, now=now)
    return Membership.objects.select_related("program", "customer").get(pk=joined.pk)
