"""Campaigns: begun from a template, written, planned, paused and ended by people."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.campaign_definitions import (
    CampaignDefinition,
    definition_of_campaign,
    read_audience,
)
from campaigns.campaign_rules import (
    MOST_TARGETS,
    budget_off_prices,
    rules_of_campaign,
    template_of,
)
from campaigns.campaign_templates import TEMPLATES
from campaigns.models import Campaign
from campaigns.offers import Offer
from campaigns.selectors.offer_picks import usual_targets
from campaigns.services.campaign_members import keep_audience
from campaigns.services.challenge_pauses import go_on, rest
from campaigns.services.experiment_arms import ask_again, own_audience, refuse_arm
from campaigns.services.promo_codes import close_codes, open_codes, take_codes_back
from campaigns.services.surprises import (
    needs_second_person,
    prepare_surprise,
    take_surprise_back,
)
from loyalty.four_eyes import why_not_alone
from loyalty.models import Program
from loyalty.services.campaign_rules import (
    Span,
    campaign_findings,
    drop_campaign_rules,
    put_campaign_rules,
    stop_campaign_rules,
)
from members.errors import ConflictError, DomainError, FieldError
from members.free_codes import code_stem, first_free
from members.prepared import KeptQuery, run_prepared
from members.services.audit import Actor, record_audit

Status = Campaign.Status
_HOLD_PROGRAM = "SELECT 1 FROM loyalty_program WHERE id = %s FOR NO KEY UPDATE"
_HELD: KeptQuery[Campaign] = KeptQuery(
    lambda pk: Campaign.objects.select_related("program").filter(pk=pk),
    ending=' FOR UPDATE OF "campaigns_campaign"',
)


@transaction.atomic
def create_from_template(
    *, program: Program, template: str, actor: Actor, now: dt.datetime
) -> Campaign:
    """A draft that says what the template says, for the next time that suits it."""
    if template not in TEMPLATES or TEMPLATES[template].own_pages:
        message = _("There is no such template.")
        raise DomainError(message, errors=[FieldError("template", message)])
    known = TEMPLATES[template]
    starts_at, ends_at = known.times(now, program.zone)
    said = dict(known.offer) | usual_targets(program, known)
    unit = program.wallet_types.order_by("pk").first()

    def worded(text: object) -> str:
        """In the program's own word for what it collects."""
        return str(text).replace("{units}", unit.plural if unit else _("points"))

    definition = CampaignDefinition(
        name=str(known.label), template=template, offer=Offer.model_validate(said),
        title=worded(known.title), text=worded(known.text), teaser=worded(known.teaser),
        holdout=0 if known.takes_off else 10, starts_at=starts_at, ends_at=ends_at,
        teased_at=max(now, starts_at - dt.timedelta(days=2)),
    )  # fmt: skip
    return create_campaign(program=program, definition=definition, actor=actor, now=now)


@transaction.atomic
def create_campaign(
    *, program: Program, definition: CampaignDefinition, actor: Actor, now: dt.datetime,
    code: str = "",
) -> Campaign:  # fmt: skip
    """A draft. Its code is as wished, or one like it that is free."""
    run_prepared(_HOLD_PROGRAM, [program.pk])
    stem = code_stem(code or definition.name, otherwise="campaign", longest=40)
    free = first_free(stem, _taken_codes(program, definition.template))
    campaign = Campaign.objects.create(
        program=program, code=free, author=actor.user, created_at=now,
        **columns_of(definition),
    )  # fmt: skip
    _audit("campaign.created", campaign, actor, after={"name": campaign.name})
    return campaign


@transaction.atomic
def change_campaign(
    *, campaign: Campaign, definition: CampaignDefinition, actor: Actor, now: dt.datetime,
    revision: int | None = None,
) -> Campaign:  # fmt: skip
    """Bring a draft to what is said; whoever was asked to publish it has to be asked again.
    `revision`: what whoever changes it has seen. Raises ConflictError where it is another."""
    row = locked(campaign)
    _require(row, Status.DRAFT)
    if definition_of_campaign(row) == definition:
        return row
    require_revision(row, revision)
    if definition.template != row.template:
        message = _("It stays of the kind that it is. Begin another one.")
        raise DomainError(message, errors=[FieldError("template", message)])
    for name, value in columns_of(definition).items():
        setattr(row, name, value)
    row.author, row.asked_by, row.asked_at, row.sent_back = actor.user, None, None, ""
    row.save()
    ask_again(row)
    _audit("campaign.changed", row, actor, after={"name": row.name})
    return row


@transaction.atomic
def copy_campaign(*, campaign: Campaign, actor: Actor, now: dt.datetime) -> Campaign:
    """A draft that says the same, for the next time that suits its kind."""
    starts_at, ends_at = template_of(campaign).times(now, campaign.program.zone)
    teased_at = max(now, starts_at - dt.timedelta(days=2)) if campaign.teased_at else None
    fresh = definition_of_campaign(campaign).model_copy(
        update={"starts_at": starts_at, "ends_at": ends_at, "teased_at": teased_at,
                "audience": own_audience(campaign)}
    )  # fmt: skip
    return create_campaign(
        program=campaign.program, definition=fresh, actor=actor, now=now, code=campaign.code
    )


@transaction.atomic
def delete_campaign(*, campaign: Campaign, actor: Actor) -> None:
    """Throw a draft away."""
    row = locked(campaign)
    _require(row, Status.DRAFT)
    refuse_arm(row)
    _audit("campaign.deleted", row, actor, before={"name": row.name})
    drop_campaign_rules(program=row.program, source=row.source)
    row.promo_codes.all().delete()
    row.delete()


def findings_of(campaign: Campaign, now: dt.datetime) -> list[str]:
    """What is odd about it beside all else that counts in its time, and what keeps it from being
    planned. Raises nothing."""
    try:
        span = span_of(campaign, now)
        wanted = rules_of_campaign(campaign)
    except DomainError as error:
        return [str(error.message)]
    found = campaign_findings(
        program=campaign.program, source=campaign.source, wanted=wanted, span=span, now=now
    )
    return list(dict.fromkeys(item.message for item in found if item.code != "multiplies_nothing"))


@transaction.atomic
def publish_campaign(
    *, campaign: Campaign, actor: Actor, now: dt.datetime, by_experiment: bool = False
) -> Campaign:
    """It begins at its time, or at once where that has come. Where a second person publishes the
    rules of the program, not the one who wrote it. `by_experiment`: of which it is an arm."""
    row = locked(campaign)
    _require(row, Status.DRAFT)
    if not by_experiment:
        refuse_arm(row)
    if why := second_person_missing(row, actor, now):
        raise ConflictError(why, code="second_person", status=403)
    span = span_of(row, now)
    _check_whole(row)
    open_codes(row, now)
    prepare_surprise(row, actor, now)
    put_campaign_rules(
        program=row.program, source=row.source, wanted=rules_of_campaign(row), span=span,
        actor=actor, now=now, money=budget_off_prices(row),
    )  # fmt: skip
    row.asked_by, row.asked_at, row.sent_back = None, None, ""
    if row.starts_at is not None and row.starts_at < now:
        row.starts_at = now
    row.status = Status.SCHEDULED
    row.save()
    _audit("campaign.published", row, actor, after={
        "name": row.name, "from": span.starts_at.isoformat(), "until": span.ends_at.isoformat(),
    })  # fmt: skip
    return begin(row, now) if span.starts_at <= now else row


def second_person_missing(campaign: Campaign, actor: Actor, now: dt.datetime) -> str:
    """Why this person must not publish it by themselves; nothing if they may. A second person does
    where the program asks for one, or it is a surprise above what their role may give alone."""
    if campaign.program.four_eyes or needs_second_person(campaign, actor, now):
        return may_not_publish(campaign, actor)
    return ""


def may_not_publish(campaign: Campaign, actor: Actor) -> str:
    """Why this person must not, where a second person does; nothing if they may."""
    return why_not_alone(actor, campaign.author_id, campaign.asked_by_id)


@transaction.atomic
def ask_to_publish(*, campaign: Campaign, actor: Actor, now: dt.datetime) -> Campaign:
    """Write down that somebody else shall publish it. What would be refused is refused now."""
    row = locked(campaign)
    _require(row, Status.DRAFT)
    refuse_arm(row)
    if actor.user is None:
        raise ConflictError(_("Only a person can ask."), code="not_staff", status=403)
    span_of(row, now)
    _check_whole(row)
    rules_of_campaign(row)
    row.asked_by, row.asked_at, row.sent_back = actor.user, now, ""
    row.save()
    _audit("campaign.asked", row, actor, after={"name": row.name})
    return row


@transaction.atomic
def send_back(*, campaign: Campaign, actor: Actor, note: str) -> Campaign:
    """Not like that: it stays a draft, with the reason."""
    row = locked(campaign)
    if row.asked_at is None:
        raise ConflictError(_("Nobody waits for it any more."), code="already_decided")
    if not note.strip():
        message = _("Say why, so that whoever asked knows what to do.")
        raise DomainError(message, errors=[FieldError("note", message, "required")])
    row.asked_by, row.asked_at, row.sent_back = None, None, note.strip()[:500]
    row.save()
    _audit("campaign.sent_back", row, actor, after={"name": row.name}, reason=note.strip())
    return row


@transaction.atomic
def withdraw_campaign(*, campaign: Campaign, actor: Actor, now: dt.datetime) -> Campaign:
    """What was planned does not come; it is a draft again."""
    row = locked(campaign)
    _require(row, Status.SCHEDULED)
    if row.starts_at is not None and row.starts_at <= now:
        raise ConflictError(_("It has begun already. End it instead."), code="campaign_state")
    stop_campaign_rules(program=row.program, source=row.source, at=now)
    take_codes_back(row)
    take_surprise_back(row)
    row.status = Status.DRAFT
    row.save()
    _audit("campaign.withdrawn", row, actor, after={"name": row.name})
    return row


@transaction.atomic
def pause_campaign(*, campaign: Campaign, actor: Actor, now: dt.datetime) -> Campaign:
    """Orders from now on get nothing by it. What was used of its limits stays used."""
    row = begin_if_due(locked(campaign), now)
    if row.status == Status.PAUSED:
        return row
    _require(row, Status.LIVE)
    refuse_arm(row)
    stop_campaign_rules(program=row.program, source=row.source, at=now)
    row.status = Status.PAUSED
    row.save()
    rest(row, now)
    _audit("campaign.paused", row, actor, after={"name": row.name})
    return row


@transaction.atomic
def resume_campaign(*, campaign: Campaign, actor: Actor, now: dt.datetime) -> Campaign:
    """It goes on until its end; orders of the pause get nothing."""
    row = locked(campaign)
    if row.status == Status.LIVE:
        return row
    _require(row, Status.PAUSED)
    assert row.ends_at is not None
    if row.ends_at <= now:
        raise ConflictError(_("Its time is over."), code="campaign_state")
    put_campaign_rules(
        program=row.program, source=row.source, wanted=rules_of_campaign(row),
        span=Span(now, row.ends_at), actor=actor, now=now, money=budget_off_prices(row),
    )  # fmt: skip
    row.status = Status.LIVE
    row.save()
    go_on(row, now)
    _audit("campaign.resumed", row, actor, after={"name": row.name})
    return row


@transaction.atomic
def end_campaign(
    *, campaign: Campaign, actor: Actor, now: dt.datetime,
    why: Campaign.Ending = Campaign.Ending.EARLY, by_experiment: bool = False,
) -> Campaign:  # fmt: skip
    """For good. Again changes nothing. An arm of an experiment is ended by that alone, before its
    time."""
    row = begin_if_due(locked(campaign), now)
    if row.status == Status.ENDED:
        return row
    if why == Campaign.Ending.EARLY and not by_experiment:
        refuse_arm(row)
    if row.status not in (Status.LIVE, Status.PAUSED):
        raise ConflictError(_("It has not begun."), code="campaign_state")
    assert row.ends_at is not None
    if row.ends_at > now and row.status == Status.LIVE:
        stop_campaign_rules(program=row.program, source=row.source, at=now)
    row.status, row.ended_at, row.ending = Status.ENDED, min(now, row.ends_at), why
    row.save()
    close_codes(row)
    _audit("campaign.ended", row, actor, after={"name": row.name})
    return row


def begin_if_due(row: Campaign, now: dt.datetime) -> Campaign:
    """What its time has brought about, written down."""
    due = row.status == Status.SCHEDULED and row.starts_at is not None and row.starts_at <= now
    return begin(row, now) if due else row


def begin(row: Campaign, now: dt.datetime) -> Campaign:
    """It is live from its beginning on: who is in it is written down. The row is held."""
    row.status, row.live_at = Status.LIVE, row.starts_at or now
    row.save()
    keep_audience(row, now)
    return row


def span_of(campaign: Campaign, now: dt.datetime) -> Span:
    """Raises DomainError where its times are missing or over."""
    if campaign.starts_at is None or campaign.ends_at is None:
        name = "starts_at" if campaign.starts_at is None else "ends_at"
        message = _("Say from when to when.")
        raise DomainError(message, errors=[FieldError(name, message, "required")])
    if campaign.ends_at <= now:
        message = _("That has passed already.")
        raise DomainError(message, errors=[FieldError("ends_at", message)])
    return Span(max(campaign.starts_at, now), campaign.ends_at)


def locked(campaign: Campaign) -> Campaign:
    """The program first, as whatever writes rules does; who joins it meanwhile is not held up."""
    run_prepared(_HOLD_PROGRAM, [campaign.program_id])
    return _HELD.one(campaign.pk)


def _taken_codes(program: Program, template: str) -> set[str]:
    """What a new one of this template cannot be called: the rules of one with several have its
    code with a number behind, which must not be those of another."""
    taken: set[str] = set()
    for code, known in Campaign.objects.filter(program=program).values_list("code", "template"):
        taken |= {code, *(f"{code}{end}" for end in _endings(known))}
    return taken | {
        code.removesuffix(end) for code in taken for end in _endings(template) if code.endswith(end)
    }


def _endings(template: str) -> list[str]:
    """What the codes of its second rule and of those after it end in."""
    known = TEMPLATES[template]
    most = MOST_TARGETS if known.personal else len(known.parts)
    return [f"-{number}" for number in range(2, most + 1)]


def _check_whole(campaign: Campaign) -> None:
    if template_of(campaign).for_some and not campaign.audience:
        message = _("Say for whom: this is not for everybody.")
        raise DomainError(message, errors=[FieldError("audience", message, "required")])
    # What it names may be gone since it was written.
    read_audience(campaign.audience)


def require_revision(row: Campaign, revision: int | None) -> None:
    if revision is not None and row.revision != revision:
        message = _("Somebody else has changed it meanwhile. Look at it again.")
        raise ConflictError(message, code="changed_meanwhile")


def _require(row: Campaign, status: str) -> None:
    if row.status != status:
        raise ConflictError(_("That is not possible now."), code="campaign_state")


def columns_of(definition: CampaignDefinition) -> dict[str, Any]:
    """The fields of a campaign that says this."""
    said = dict(definition)
    return said | {
        "offer": definition.offer.model_dump(mode="json", exclude_defaults=True),
        "texts": {code: text.model_dump() for code, text in definition.texts.items()},
        "codes": definition.codes.model_dump(mode="json", exclude_defaults=True),
        "tells": list(definition.tells),
    }


def _audit(action: str, campaign: Campaign, actor: Actor, **said: Any) -> None:
    record_audit(actor=actor, action=action, target=campaign, **said)
