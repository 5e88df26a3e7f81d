"""From a draft of a program's tiers to what counts: writing it, asking a second person, sending it
back, publishing."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.four_eyes import why_not_alone
from loyalty.models import Program, TierDraft
from loyalty.selectors.tier_drafts import drafted_tiers, tier_draft_of
from loyalty.selectors.tier_sets import definition_of_set, tier_set_at
from loyalty.services.tier_sets import put_tiers_in_force, refuse_missing
from loyalty.tier_definitions import TiersDefinition
from members.errors import ConflictError, DomainError, FieldError
from members.services.audit import Actor, record_audit


def mark(draft: TierDraft | None) -> str:
    """Changes with every wording; empty where there is no draft."""
    return draft.written_at.isoformat() if draft else ""


@transaction.atomic
def save_tier_draft(
    *,
    program: Program,
    tiers: TiersDefinition,
    actor: Actor,
    now: dt.datetime,
    seen: str | None = None,
) -> TierDraft:
    """The draft beside the tiers says this. Whoever asked for the one before asks no more. `seen`:
    the `mark` of what the writer began with; if somebody else wrote meanwhile, nothing is saved
    (ConflictError)."""
    program = _hold(program)
    if seen is not None and seen != mark(tier_draft_of(program)):
        raise ConflictError(
            _("Somebody else changed the draft of the tiers while you were writing. What you typed"
              " is still here; open the tiers in another window and compare."),
            code="changed_meanwhile",
        )  # fmt: skip
    if program.live_since is None:
        raise ConflictError(
            _("The program was never live: its tiers are simply saved."), code="program_not_live"
        )
    refuse_missing(program, tiers)
    current = tier_set_at(program, now)
    if current is not None and definition_of_set(current) == tiers:
        raise ConflictError(
            _("The draft says the same as the tiers that count."), code="nothing_changed"
        )
    said = {
        "tiers": tiers.model_dump(mode="json", exclude_defaults=True),
        "beside": current.number if current else 0,
        "written_by": actor.user, "written_at": now,
        "asked_by": None, "asked_at": None, "sent_back": "",
    }  # fmt: skip
    draft, _created = TierDraft.objects.update_or_create(program=program, defaults=said)
    _audit(actor, "tiers.drafted", draft)
    return draft


@transaction.atomic
def ask_to_publish_tiers(
    *, program: Program, actor: Actor, now: dt.datetime, seen: str | None = None
) -> TierDraft:
    """Write down that somebody else shall publish the draft. `seen` as for publishing."""
    draft = _require_draft(_hold(program))
    _refuse_unread(draft, seen)
    _refuse_stale(draft, now)
    if actor.user is None:
        raise ConflictError(_("Only a person can ask."), code="not_staff", status=403)
    draft.asked_by, draft.asked_at, draft.sent_back = actor.user, now, ""
    draft.save()
    _audit(actor, "tiers.asked", draft)
    return draft


@transaction.atomic
def send_tiers_back(*, program: Program, actor: Actor, now: dt.datetime, note: str) -> TierDraft:
    """Not like that: the draft stays, with the reason. Whoever asked takes it back like this."""
    draft = _require_draft(_hold(program))
    if draft.asked_at is None:
        raise ConflictError(_("Nobody waits for it any more."), code="already_decided")
    own = actor.user is not None and actor.user.pk == draft.asked_by_id
    if not own and not note.strip():
        message = _("Say why, so that whoever asked knows what to do.")
        raise DomainError(message, errors=[FieldError("note", message, "required")])
    draft.asked_by, draft.asked_at = None, None
    draft.sent_back = "" if own else note.strip()[:500]
    draft.save()
    action = "tiers.taken_back" if own else "tiers.sent_back"
    _audit(actor, action, draft, reason="" if own else note.strip())
    return draft


@transaction.atomic
def publish_tier_draft(
    *, program: Program, actor: Actor, now: dt.datetime, seen: str | None = None
) -> None:
    """The draft's tiers count from now on. Where a second person publishes, not the one who wrote
    them. `seen`: the `mark` of the wording that they read; another one is refused."""
    program = _hold(program)
    draft = _require_draft(program)
    _refuse_unread(draft, seen)
    _refuse_stale(draft, now)
    if program.four_eyes and may_not_publish_tiers(draft, actor):
        raise ConflictError(may_not_publish_tiers(draft, actor), code="second_person", status=403)
    words = put_tiers_in_force(program, drafted_tiers(draft), actor=actor, now=now)
    _audit(
        actor, "tiers.published", draft, changes=[words],
        written_by=str(draft.written_by or ""), asked_by=str(draft.asked_by or ""),
    )  # fmt: skip
    draft.delete()


@transaction.atomic
def discard_tier_draft(*, program: Program, actor: Actor, now: dt.datetime) -> None:
    """Throw it away; the tiers that count stay as they are."""
    draft = _require_draft(_hold(program))
    _audit(actor, "tiers.discarded", draft)
    draft.delete()


def may_not_publish_tiers(draft: TierDraft, actor: Actor) -> str:
    """Why this person must not publish it where a second person does; nothing if they may."""
    people_only = _("Only a person may publish the tiers of this program.")
    return why_not_alone(actor, draft.written_by_id, draft.asked_by_id, people_only=people_only)


def _hold(program: Program) -> Program:
    return Program.objects.select_for_update().get(pk=program.pk)


def _require_draft(program: Program) -> TierDraft:
    draft = tier_draft_of(program)
    if draft is None:
        raise ConflictError(_("There is no draft of the tiers any more."), code="no_draft")
    return draft


def _refuse_unread(draft: TierDraft, seen: str | None) -> None:
    if seen is not None and seen != mark(draft):
        raise ConflictError(
            _("Somebody has changed the draft since you read it. Read it again, then decide."),
            code="changed_meanwhile",
        )


def _refuse_stale(draft: TierDraft, now: dt.datetime) -> None:
    """A draft that was written beside other tiers would silently take them away."""
    current = tier_set_at(draft.program, now)
    if (current.number if current else 0) != draft.beside:
        raise ConflictError(
            _("The tiers have changed since this was written. Look at the draft, and save it"
              " again."),
            code="changed_meanwhile",
        )  # fmt: skip


def _audit(actor: Actor, action: str, draft: TierDraft, reason: str = "", **said: object) -> None:
    names = [tier.name for tier in drafted_tiers(draft).tiers]
    record_audit(
        actor=actor, action=action, target=draft.program, reason=reason,
        after={"tiers": names, **said},
    )  # fmt: skip
