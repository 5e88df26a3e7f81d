"""The page of an experiment: what it takes, what its arms have done, and what becomes of it."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from campaigns.backoffice.arm_words import WRITE, unwritten, usable_words, words_by_arm
from campaigns.backoffice.experiment_menu import NAMESPACE
from campaigns.backoffice.experiment_pictures import picture_of
from campaigns.backoffice.experiments import crumbs, experiment_url, find_experiment, state_of
from campaigns.campaign_words import campaign_gives
from campaigns.experiment_statistics import early_boundary
from campaigns.experiment_words import between, for_whom, measured, plan_words, verdict_words
from campaigns.models import Experiment
from campaigns.occasions import occasion_named
from campaigns.selectors.experiments import members_by_arm
from campaigns.services.experiment_rules import draft_winner
from campaigns.services.experiments import (
    ask_to_start,
    delete_experiment,
    end_experiment,
    second_person_missing,
    send_back,
    start_experiment,
)
from campaigns.slow_figures import EXPERIMENT, ExperimentFigures
from members.errors import DomainError
from members.formatting import format_number
from members.policy import acting, is_allowed, require, staff_view
from members.responses import figures_for


@require_safe
@staff_view("programs.view")
def experiment(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Numbers first, then what it asks."""
    found, now, user = find_experiment(public_id), timezone.now(), request.user
    draft = found.status == Experiment.Status.DRAFT
    figures = figures_for(request, EXPERIMENT, now, experiment=found.pk, revision=found.revision)
    kept, words = {} if draft else members_by_arm(found), words_by_arm(found)
    may_write = draft and is_allowed(user, WRITE)
    context = {
        "title": found.name,
        "breadcrumbs": crumbs(),
        "experiment": found,
        "program": found.program,
        "status": state_of(found),
        "figures": figures,
        **_figures(found, figures.value if figures else None),
        "message": occasion_named(found.occasion),
        "arms": [
            {"arm": arm, "gives": campaign_gives(arm.campaign) if arm.campaign else [],
             "members": kept.get(arm.place), "words": words.get(arm.place, []),
             "unwritten": unwritten(found, arm, words.get(arm.place, [])) if may_write else []}
            for arm in found.arms.all()
        ],
        "usable_words": usable_words(found, words) if is_allowed(user, "messages.edit") else [],
        "for_whom": for_whom(found),
        "may_edit": is_allowed(user, "rules.draft"),
        "may_publish": is_allowed(user, "rules.publish"),
        "why_not": second_person_missing(found, acting(request)) if draft else "",
        "over": found.ends_at is not None and found.ends_at <= now,
        "can_draft": found.status == Experiment.Status.ENDED and bool(_winning_promotion(found)),
    }  # fmt: skip
    return render(request, "experiments/backoffice/experiment.html", context)


@require_POST
@staff_view("rules.draft")
def experiment_act(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Throw a draft away, ask somebody to start it, draft the rules of the better arm."""
    found, actor, now = find_experiment(public_id), acting(request), timezone.now()
    try:
        match request.POST.get("act"):
            case "delete":
                delete_experiment(experiment=found, actor=actor, now=now)
                messages.success(request, _("%s was deleted.") % found.name)
                return redirect(f"{NAMESPACE}:experiment_list")
            case "ask":
                ask_to_start(experiment=found, actor=actor, now=now)
                messages.success(request, _("Somebody else can start it now."))
            case "permanent":
                rules = draft_winner(experiment=found, actor=actor, now=now)
                words = ngettext(
                    "A rule was drafted. It counts once somebody publishes it.",
                    "%s rules were drafted. They count once somebody publishes them.", len(rules),
                )  # fmt: skip
                messages.success(request, words % len(rules) if "%s" in words else words)
                return redirect("loyalty_backoffice:rule_page", found.program.code, rules[0].code)
            case _:
                raise Http404("There is no such thing to do.")
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect(experiment_url(found))


@require_POST
@staff_view("rules.publish")
def experiment_state(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Start it, send it back, end it."""
    found = find_experiment(public_id)
    how: dict[str, Any] = {"experiment": found, "actor": acting(request)}
    try:
        match request.POST.get("do"):
            case "start":
                if found.occasion:
                    # From then on nobody changes the words of the message.
                    require(request.user, "messages.edit")
                start_experiment(now=timezone.now(), **how)
                words = _("It runs: who is in which arm is written down.")
                if found.occasion:
                    words = _("It runs: members are drawn as they are told it.")
                messages.success(request, words)
            case "send_back":
                send_back(note=request.POST.get("note", "").replace("\x00", ""), **how)
                messages.success(request, _("It was sent back."))
            case "end":
                end_experiment(now=timezone.now(), **how)
                messages.success(request, _("It has ended."))
            case _:
                raise Http404("There is no such thing to do.")
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect(experiment_url(found))


def _winning_promotion(found: Experiment) -> str:
    if found.winner is None:
        return ""
    campaign = found.arms.all()[found.winner].campaign
    return campaign.name if campaign else ""


def _figures(found: Experiment, figures: ExperimentFigures | None) -> dict[str, Any]:
    """What was worked out, in words; nothing before it is."""
    if figures is None:
        return {"plan": None, "result": None, "verdict": verdict_words(found)}
    plan, result = figures.plan, figures.result
    if plan is not None:
        rows = [
            {"weeks": row.weeks, "have": row.have, "mean": measured(found, row.mean),
             "needed": row.needed, "difference": measured(found, row.difference),
             "enough": row.enough}
            for row in plan.rows
        ]  # fmt: skip
        return {"plan": plan, "plan_rows": rows, "plan_words": plan_words(found, plan)}
    assert result is not None
    arms = list(found.arms.all())
    shown: list[dict[str, Any]] = [
        {"arm": arms[row.place], "members": row.moments.members,
         "mean": measured(found, row.moments.mean), "between": between(found, row),
         "difference": measured(found, row.against.value) if row.against else "",
         "wins": found.winner == row.place}
        for row in result.arms
    ]  # fmt: skip
    return {
        "result": result, "result_rows": shown, "picture": picture_of(found, result),
        "verdict": verdict_words(found, result), "first": arms[0].name,
        "beyond": format_number(round(early_boundary(len(arms) - 1), 1)),
    }  # fmt: skip
