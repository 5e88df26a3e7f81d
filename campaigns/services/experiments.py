"""Experiments: written, started and ended by people. What an arm gets is a promotion; starting an
experiment says for whom each is, by the numbers that members draw, and publishes them together."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from campaigns.campaign_definitions import read_audience
from campaigns.campaign_rules import rules_of_campaign, template_of
from campaigns.experiment_definitions import (
    COLUMNS,
    ExperimentDefinition,
    audience_of_arm,
    definition_of_experiment,
    draw_of_experiment,
)
from campaigns.experiment_plans import Plan
from campaigns.experiment_statistics import Decision
from campaigns.models import Campaign, Experiment, ExperimentArm
from campaigns.selectors.campaigns import promotions
from campaigns.selectors.experiment_plans import plan_of
from campaigns.selectors.experiment_results import decision_of, may_look, moments_of
from campaigns.selectors.experiments import audience_of_experiment, experiments, why_no_arm
from campaigns.services.arm_words import check_words, keep_no_words, put_words, writers_of
from campaigns.services.campaigns import end_campaign, publish_campaign
from campaigns.services.experiment_rows import changed_meanwhile, locked, require_status
from loyalty.four_eyes import why_not_alone
from loyalty.models import Program
from loyalty.services.rules import require_live
from members.condition_fields import DrawnNumber
from members.errors import ConflictError, DomainError, FieldError
from members.free_codes import code_stem, first_free
from members.services.audit import SYSTEM, Actor, record_audit

Status, Verdict = Experiment.Status, Experiment.Verdict
_NOTE_LENGTH = 500


@transaction.atomic
def create_experiment(
    *, program: Program, definition: ExperimentDefinition, actor: Actor, now: dt.datetime,
    code: str = "",
) -> Experiment:  # fmt: skip
    """A draft. Its code is as wished, or one like it that is free."""
    Program.objects.select_for_update(no_key=True).get(pk=program.pk)
    taken = set(Experiment.objects.filter(program=program).values_list("code", flat=True))
    stem = code_stem(code or definition.name, otherwise="experiment", longest=30)
    row = Experiment.objects.create(
        program=program, code=first_free(stem, taken), author=actor.user, created_at=now,
        **_columns(definition),
    )  # fmt: skip
    _put_arms(row, definition, actor, now)
    _audit("experiment.created", row, actor, after={"name": row.name})
    return experiments().get(pk=row.pk)


@transaction.atomic
def change_experiment(
    *, experiment: Experiment, definition: ExperimentDefinition, actor: Actor, now: dt.datetime,
    revision: int | None = None,
) -> Experiment:  # fmt: skip
    """Bring a draft to what is said; whoever was asked to start it has to be asked again. Raises
    ConflictError where somebody else was faster."""
    row = locked(experiment)
    require_status(row, Status.DRAFT)
    if definition_of_experiment(row) == definition:
        return row
    if revision is not None and row.revision != revision:
        raise changed_meanwhile()
    for name, value in _columns(definition).items():
        setattr(row, name, value)
    row.author, row.asked_by, row.asked_at, row.sent_back = actor.user, None, None, ""
    row.save()
    row.arms.all().delete()
    _put_arms(row, definition, actor, now)
    _audit("experiment.changed", row, actor, after={"name": row.name})
    return experiments().get(pk=row.pk)


@transaction.atomic
def delete_experiment(*, experiment: Experiment, actor: Actor, now: dt.datetime) -> None:
    """Throw a draft away; the promotions of its arms stay drafts."""
    row = locked(experiment)
    require_status(row, Status.DRAFT)
    _audit("experiment.deleted", row, actor, before={"name": row.name})
    keep_no_words(row, now)
    row.arms.all().delete()
    row.delete()


@transaction.atomic
def ask_to_start(*, experiment: Experiment, actor: Actor, now: dt.datetime) -> Experiment:
    """Write down that somebody else shall start it. What would be refused is refused now."""
    row, plan = _locked_with_plan(experiment, now)
    if actor.user is None:
        raise ConflictError(_("Only a person can ask."), code="not_staff", status=403)
    _check(row)
    _weeks(row, plan)
    row.asked_by, row.asked_at, row.sent_back = actor.user, now, ""
    row.save()
    _audit("experiment.asked", row, actor, after={"name": row.name})
    return row


@transaction.atomic
def send_back(*, experiment: Experiment, actor: Actor, note: str) -> Experiment:
    """Not like that: it stays a draft, with the reason."""
    row = locked(experiment)
    if row.asked_at is None:
        raise ConflictError(_("Nobody waits for it any more."), code="already_decided")
    if not note.strip():
        message = _("Say why, so that whoever asked knows what to do.")
        raise DomainError(message, errors=[FieldError("note", message, "required")])
    row.asked_by, row.asked_at, row.sent_back = None, None, note.strip()[:_NOTE_LENGTH]
    row.save()
    _audit("experiment.sent_back", row, actor, after={"name": row.name}, reason=note.strip())
    return row


def second_person_missing(experiment: Experiment, actor: Actor) -> str:
    """Why this person must not start it by themselves; nothing if they may: it publishes rules."""
    if not experiment.program.four_eyes:
        return ""
    writers = [arm.campaign.author_id for arm in experiment.arms.all() if arm.campaign]
    return why_not_alone(
        actor, experiment.author_id, experiment.asked_by_id, *writers, *writers_of(experiment)
    )


@transaction.atomic
def start_experiment(*, experiment: Experiment, actor: Actor, now: dt.datetime) -> Experiment:
    """Who is in which arm is written down, and the promotions of its arms begin, all at once. Where
    words are compared, it is written down of each when it is their turn to be told."""
    row, plan = _locked_with_plan(experiment, now)
    if why := second_person_missing(row, actor):
        raise ConflictError(why, code="second_person", status=403)
    found = _check(row)
    weeks, needed = _weeks(row, plan)
    row.asked_by, row.asked_at, row.sent_back = None, None, ""
    row.status, row.started_at, row.needed = Status.RUNNING, now, needed
    row.ends_at = now + dt.timedelta(weeks=weeks)
    row.save()
    if row.compares == Experiment.Compares.PROMOTIONS:
        _keep_members(row, now)
    for place, campaign in found:
        _begin_arm(row, place, campaign, actor, now)
    _audit("experiment.started", row, actor, after={
        "name": row.name, "until": row.ends_at.isoformat(),
    })  # fmt: skip
    return experiments().get(pk=row.pk)


@transaction.atomic
def end_experiment(*, experiment: Experiment, actor: Actor, now: dt.datetime) -> Experiment:
    """For good: its promotions end with it. Who ends it before its time learns nothing, unless
    something was declared already; after it, what its plan lets say is declared, whoever ends it.
    Again changes nothing."""
    decision = decision_due(experiment, now)
    row = locked(experiment)
    if row.status == Status.ENDED:
        return row
    require_status(row, Status.RUNNING)
    assert row.ends_at is not None
    why = Experiment.Ending.EARLY
    if row.ends_at <= now:
        why = Experiment.Ending.OVER
        declare(row, decision, now)
    for arm in row.arms.all():
        if arm.campaign is not None:
            end_campaign(
                campaign=arm.campaign, actor=actor, now=now, by_experiment=True,
                why=Campaign.Ending(why.value),
            )  # fmt: skip
    row.status, row.ended_at, row.ending = Status.ENDED, min(now, row.ends_at), why
    if not row.verdict:
        row.verdict, row.decided_at = Verdict.EARLY, now
    row.save()
    _audit("experiment.ended", row, actor, after={"name": row.name})
    return row


def decision_due(experiment: Experiment, now: dt.datetime) -> Decision | None:
    """What its plan lets say now; None where nothing is to be said. It is worked out before
    anything is locked, since it counts every order: what it asks does not change while it runs."""
    row = experiments().get(pk=experiment.pk)
    if row.status != Status.RUNNING or row.verdict:
        return None
    assert row.ends_at is not None
    if row.ends_at > now and not may_look(row, now):
        return None
    return decision_of(row, moments_of(row, now), now)


def declare(row: Experiment, decision: Decision | None, now: dt.datetime) -> None:
    """Once. The row is locked, and saved by whoever calls."""
    if row.verdict or decision is None or not decision.kind:
        return
    row.verdict, row.winner, row.decided_at = Verdict(decision.kind), decision.winner, now
    record_audit(
        actor=SYSTEM, action="experiment.decided", target=row,
        after={"name": row.name, "verdict": row.verdict},
    )  # fmt: skip


def _locked_with_plan(experiment: Experiment, now: dt.datetime) -> tuple[Experiment, Plan]:
    """A draft, and its plan, which looks at half a year: worked out before anything is locked.
    Raises ConflictError where it became something else meanwhile."""
    seen = experiments().get(pk=experiment.pk)
    require_status(seen, Status.DRAFT)
    plan = plan_of(seen, now)
    row = locked(seen)
    require_status(row, Status.DRAFT)
    if row.revision != seen.revision:
        raise changed_meanwhile()
    return row, plan


def _columns(definition: ExperimentDefinition) -> dict[str, Any]:
    said = {name: getattr(definition, name) for name in COLUMNS}
    return said | {"occasion": definition.message}


def _put_arms(
    row: Experiment, definition: ExperimentDefinition, actor: Actor, now: dt.datetime
) -> None:
    for place, said in enumerate(definition.arms):
        campaign = None
        if said.promotion:
            campaign = promotions().filter(program=row.program_id, code=said.promotion).first()
            _refuse(place, _why_not(row, campaign))
            _take_over(campaign)
        ExperimentArm.objects.create(
            experiment=row, place=place, name=said.name, share=said.share, campaign=campaign,
            silent=said.silent,
        )  # fmt: skip
    put_words(row, definition, actor, now)


def _take_over(campaign: Campaign | None) -> None:
    """From here on the experiment is asked for; whoever asked for its promotion may start it."""
    if campaign is not None and campaign.asked_by_id is not None:
        campaign.asked_by, campaign.asked_at = None, None
        campaign.save(update_fields=["asked_by", "asked_at"])


def _why_not(row: Experiment, campaign: Campaign | None) -> str:
    if campaign is None:
        return _("There is no such promotion.")
    others = ExperimentArm.objects.filter(campaign=campaign).exclude(experiment=row)
    if others.exists():
        return _("%s is part of another experiment. Copy it.") % campaign.name
    if template_of(campaign).for_some and not row.audience:
        return _("%s is not for everybody. Say for whom in the experiment.") % campaign.name
    return why_no_arm(campaign)


def _refuse(place: int, message: str) -> None:
    if message:
        raise DomainError(message, errors=[FieldError(f"arms[{place}].promotion", message)])


def _check(row: Experiment) -> list[tuple[int, Campaign]]:
    """All that starting asks for, and the promotions as they are now: somebody may have changed one
    since, and what it names may be gone."""
    require_live(row.program)
    read_audience(row.audience)
    if row.compares == Experiment.Compares.MESSAGES:
        check_words(row)
    found = []
    for arm in row.arms.all():
        if arm.campaign is not None:
            _refuse(arm.place, _why_not(row, arm.campaign))
            try:
                rules_of_campaign(arm.campaign)
            except DomainError as error:
                _refuse(arm.place, f"{arm.campaign.name}: {error.message}")
            found.append((arm.place, arm.campaign))
    return found


def _weeks(row: Experiment, plan: Plan) -> tuple[int, int | None]:
    """How long it runs, and how many members each arm needs for that. Raises DomainError where its
    plan never comes to an end, and nobody has said how long."""
    if row.weeks is not None:
        known = plan.row_of(row.weeks)
        return row.weeks, known.needed if known else None
    if plan.first is None:
        message = _("The members are never enough to see such a difference. Say yourself for how "
                    "many weeks it runs, or look for a larger difference.")  # fmt: skip
        raise DomainError(message, errors=[FieldError("weeks", message, "never_enough")])
    return plan.first.weeks, plan.first.needed


def _begin_arm(
    row: Experiment, place: int, campaign: Campaign, actor: Actor, now: dt.datetime
) -> None:
    """Its promotion is for the members of the arm, for the time of the experiment."""
    found = Campaign.objects.select_for_update(of=("self",)).get(pk=campaign.pk)
    found.audience, found.holdout = audience_of_arm(row, place), 0
    found.starts_at, found.ends_at, found.teased_at = now, row.ends_at, None
    found.save()
    publish_campaign(campaign=found, actor=actor, now=now, by_experiment=True)


def _keep_members(row: Experiment, now: dt.datetime) -> int:
    """Who is in which arm: one statement, however many they are."""
    drawn = audience_of_experiment(row, now).annotate(
        drawn=DrawnNumber.of(draw_of_experiment(row), "customer__public_id")
    )
    found, values = drawn.order_by().values_list("pk", "drawn").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO campaigns_experimentmember (experiment_id, membership_id, arm_id)"
            f" SELECT %s, x.member, a.id FROM ({found}) AS x(member, drawn)"
            " JOIN (SELECT id, share, sum(share) OVER (ORDER BY place) AS high"
            "         FROM campaigns_experimentarm WHERE experiment_id = %s) a"
            "   ON x.drawn >= a.high - a.share AND x.drawn < a.high",
            [row.pk, *values, row.pk],
        )
        return int(cursor.rowcount)


def _audit(action: str, row: Experiment, actor: Actor, **said: Any) -> None:
    record_audit(actor=actor, action=action, target=row, **said)
