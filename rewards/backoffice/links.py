"""Where the screens of rewards lead to and come from."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _

from loyalty.backoffice.links import Crumbs, program_crumbs
from loyalty.models import Program
from rewards.models import Reward

NAMESPACE = "rewards_backoffice"


def catalogue_url(program: Program) -> str:
    return reverse(f"{NAMESPACE}:reward_list", args=[program.code])


def reward_url(reward: Reward) -> str:
    return reverse(f"{NAMESPACE}:reward_page", args=[reward.program.code, reward.code])


def catalogue_crumbs(program: Program, reward: Reward | None = None) -> Crumbs:
    """From the list of programs down to the catalogue of one, or to a reward in it."""
    crumbs = [*program_crumbs(program), (_("Rewards"), catalogue_url(program))]
    return [*crumbs, (reward.name, reward_url(reward))] if reward else crumbs
