"""Before a launch: that members will be told what they expect to hear."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _

from campaigns.models import Journey
from campaigns.occasions import Occasion
from campaigns.selectors.policies import settings_by_code
from campaigns.services.told_expiry import EXPIRING
from campaigns.services.told_members import TIER_UP, WELCOME
from loyalty.launch_registry import Check, LaunchCheck, register_launch_check
from loyalty.models import Program
from loyalty.selectors.programs import wallet_type_definitions
from loyalty.selectors.tier_sets import tiers_of

# A journey that begins with it tells the same, perhaps better.
_BEGUN_BY = {WELCOME.code: "joined", TIER_UP.code: "tier_up", EXPIRING.code: "expiring"}


def register() -> None:
    register_launch_check(
        LaunchCheck(
            "messages", look_at_messages, "messages_backoffice:occasion_list", "programs.view"
        )
    )


def look_at_messages(program: Program, now: dt.datetime) -> Check:
    """What this program's members are to be told, by an occasion or by a journey of its own."""
    settings = settings_by_code()
    journeys = Journey.objects.filter(program=program, status=Journey.Status.LIVE)
    begun_by = set(journeys.values_list("trigger", flat=True))
    untold = [
        str(occasion.label)
        for occasion in _expected(program, now)
        if not settings[occasion.code].is_on and _BEGUN_BY.get(occasion.code) not in begun_by
    ]
    if untold:
        why = _("Members are not told of this yet: %s.") % ", ".join(untold)
    else:
        why = _("Members are told what matters in this program.")
    return Check("messages", _("Messages are switched on"), not untold, why)


def _expected(program: Program, now: dt.datetime) -> list[Occasion]:
    tiers = tiers_of(program, now)
    found = [WELCOME]
    if any(item.expiry.kind != "never" for item in wallet_type_definitions(program, tiers)):
        found.append(EXPIRING)
    if tiers is not None:
        found.append(TIER_UP)
    return found
