"""Before a launch: that there is something to collect for."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.launch_registry import Check, LaunchCheck, register_launch_check
from loyalty.models import Program
from rewards.models import Reward


def register() -> None:
    register_launch_check(
        LaunchCheck(
            "rewards", look_at_rewards, "rewards_backoffice:reward_list", "programs.view",
            of_program=True,
        )
    )  # fmt: skip


def look_at_rewards(program: Program, now: dt.datetime) -> Check:
    """What members can take; credit is paid with, and a discount card collects nothing."""
    live = Reward.objects.filter(program=program, status=Reward.Status.LIVE).count()
    collected = program.wallet_types.filter(stored_value=False).exists()
    if live:
        why = ngettext("%s reward is live.", "%s rewards are live.", live) % live
    elif collected:
        why = _("Members collect and find nothing to take: put up the first reward.")
    else:
        why = _("Nothing is collected in it that a reward could be taken for.")
    return Check(
        "rewards", _("There is something to collect for"), bool(live) or not collected, why
    )
