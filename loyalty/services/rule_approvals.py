"""Rules that a second person publishes: asking for it, and sending back."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.models import EarningRule, EarningRuleVersion
from loyalty.selectors.rules import get_rule
from loyalty.services.rule_versions import NOBODY_ASKED, refuse_unread
from loyalty.services.rules import (
    audit_rule,
    from_now,
    hold_program,
    refuse_dead,
    require_draft,
    require_live,
)
from members.errors import ConflictError, DomainError, FieldError
from members.services.audit import Actor


@transaction.atomic
def ask_to_publish(
    *,
    rule: EarningRule,
    actor: Actor,
    now: dt.datetime,
    starts_at: dt.datetime | None = None,
    ends_at: dt.datetime | None = None,
    seen: str | None = None,
) -> EarningRuleVersion:
    """Write down that a draft shall be published by somebody else, from when to when. What would
    be refused is refused now. `seen` as for publishing."""
    program = hold_program(rule.program)
    rule = get_rule(program, rule.code)
    draft = require_draft(rule)
    refuse_unread(rule, seen)
    require_live(program)
    refuse_dead(rule, draft, now=now, starts_at=from_now(starts_at, now), ends_at=ends_at)
    if actor.user is None:
        raise ConflictError(_("Only a person can ask."), code="not_staff", status=403)
    draft.asked_by, draft.asked_at = actor.user, now
    draft.asked_start, draft.asked_end, draft.sent_back = starts_at, ends_at, ""
    draft.save()
    audit_rule(actor, "rule.asked", rule, after={"rule": rule.name})
    return draft


@transaction.atomic
def send_back(
    *, rule: EarningRule, actor: Actor, now: dt.datetime, note: str
) -> EarningRuleVersion:
    """Not like that: the draft stays, with the reason. Whoever asked takes it back like this."""
    program = hold_program(rule.program)
    rule = get_rule(program, rule.code)
    draft = require_draft(rule)
    if draft.asked_at is None:
        raise ConflictError(_("Nobody waits for it any more."), code="already_decided")
    own = actor.user is not None and actor.user.pk == draft.asked_by_id
    if not own and not note.strip():
        message = _("Say why, so that whoever asked knows what to do.")
        raise DomainError(message, errors=[FieldError("note", message, "required")])
    for name, value in NOBODY_ASKED.items():
        setattr(draft, name, value)
    draft.sent_back = "" if own else note.strip()[:500]
    draft.save()
    action = "rule.taken_back" if own else "rule.sent_back"
    audit_rule(actor, action, rule, after={"rule": rule.name}, reason=note.strip())
    return draft
