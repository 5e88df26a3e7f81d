"""Experiments: which there are, who is in them, and how many members are in each arm."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.db.models import Q, QuerySet, Sum
from django.utils.translation import gettext as _

from campaigns.campaign_rules import template_of
from campaigns.experiment_definitions import asked_by_experiment
from campaigns.models import Campaign, Experiment, ExperimentTally
from campaigns.occasions import Occasion, all_occasions, family_of
from campaigns.selectors.campaigns import members_asked, promotions
from campaigns.topics import is_needed
from loyalty.models import Membership, Program
from members.errors import NotFoundError
from members.prepared import KeptQuery

Status = Experiment.Status


def experiments() -> QuerySet[Experiment]:
    """With what a list of them shows."""
    rows = Experiment.objects.select_related("program", "author", "asked_by")
    return rows.prefetch_related("arms__campaign", "program__wallet_types")


def get_experiment(public_id: UUID) -> Experiment:
    """Raises NotFoundError."""
    found = experiments().filter(public_id=public_id).first()
    if found is None:
        raise NotFoundError("There is no such experiment.")
    return found


def audience_of_experiment(experiment: Experiment, now: dt.datetime) -> QuerySet[Membership]:
    """The active members whom it is for, as of now."""
    return members_asked(experiment.program, asked_by_experiment(experiment), now)


def members_by_arm(experiment: Experiment) -> dict[int, int]:
    """By place, as written down when it began; from tallies, so that it costs the same however many
    there are."""
    rows = ExperimentTally.objects.filter(experiment=experiment).order_by()
    return dict(rows.values_list("arm__place").annotate(Sum("members")))


def running_on(occasion: str) -> QuerySet[Experiment]:
    """Those that compare the words of a message."""
    return experiments().filter(occasion=occasion, status=Status.RUNNING)


def drawing_on(occasion: str, now: dt.datetime) -> list[Experiment]:
    """The same whose time it is; asked of whatever is told, and mostly there is none."""
    return _drawing.rows(occasion, Status.RUNNING, now, now)


_drawing: KeptQuery[Experiment] = KeptQuery(
    lambda occasion, state, now, also_now: (
        experiments().filter(occasion=occasion, status=state)
        .filter(started_at__lte=now).filter(ends_at__gt=also_now)
    )
)  # fmt: skip


def winner_of(variant: str, occasion: Occasion) -> str:
    """The same, if it is the better arm of an experiment on this message that has ended and may be
    seen; else nothing."""
    number, _dash, place = variant.partition("-")
    if not (number.isdecimal() and place.isdecimal() and len(variant) <= 24):
        return ""
    ended = experiments().filter(
        pk=number[:18], status=Status.ENDED, occasion=occasion.code, winner=place[:4]
    )
    return variant if ended.exists() else ""


def messages_for_experiments() -> list[Occasion]:
    """Those whose words can be compared."""
    return [occasion for occasion in all_occasions() if not why_no_message(occasion)]


def why_no_message(occasion: Occasion) -> str:
    """What speaks against comparing its words; nothing where they can be."""
    if family_of(occasion.code):
        return _("A broadcast is sent once: it keeps members aside itself.")
    if occasion.always_by or occasion.of_no_program:
        return _("%s is not told to members of a program.") % occasion.label
    return ""


def may_be_silent(occasion: Occasion) -> bool:
    """Whether members may be left without it: not what they need, or something follows from."""
    return not is_needed(occasion.topic) and occasion.told is None


def experiment_with(campaign: Campaign) -> Experiment | None:
    """Of which experiment a promotion is an arm."""
    return Experiment.objects.filter(arms__campaign=campaign).first()


def experiment_of(campaign: Campaign) -> Experiment | None:
    """The same, of those that are still written or run."""
    found = experiment_with(campaign)
    return None if found is None or found.status == Status.ENDED else found


def promotions_for_arms(program: Program, *, but_for: Experiment | None = None) -> list[Campaign]:
    """Drafts of the program that an arm may have, and no other experiment has."""
    rows = promotions().filter(program=program, status=Campaign.Status.DRAFT)
    free = Q(arm=None) | Q(arm__experiment=but_for) if but_for else Q(arm=None)
    return [row for row in rows.filter(free).order_by("name", "pk") if not why_no_arm(row)]


def why_no_arm(campaign: Campaign) -> str:
    """What speaks against it as an arm; nothing where it can be one."""
    if campaign.status != Campaign.Status.DRAFT:
        return _("%s is no draft any more. Copy it.") % campaign.name
    if not template_of(campaign).is_public:
        return _("%s is for single members: it cannot be compared.") % campaign.name
    if campaign.codes:
        return _("%s takes a code: who has it is not decided by lot.") % campaign.name
    if campaign.audience:
        return _("%s says for whom it is itself. Say that in the experiment.") % campaign.name
    return ""
