"""Asking what a draft of the rules would have given: kept as a question, answered by a job."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import replace

import orjson
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from loyalty.backtest_rules import Beside, Wordings
from loyalty.definitions import ProgramDefinition
from loyalty.models import Backtest, EarningRuleVersion, Program
from loyalty.selectors.programs import definition_of
from loyalty.selectors.tier_sets import tiers_of
from loyalty.services.tier_sets import refuse_missing
from loyalty.tier_definitions import TiersDefinition
from members.errors import DomainError, FieldError
from members.formatting import format_days, format_number
from members.models import Job
from members.services.audit import Actor, record_audit
from members.services.jobs import start_or_resume_job

KIND = "backtest"
EARLIEST = dt.date(2000, 1, 1)
NOTHING_BESIDE = Beside()


@transaction.atomic
def create_backtest(
    *,
    program: Program,
    since: dt.date,
    until: dt.date,
    draft: ProgramDefinition,
    actor: Actor,
    now: dt.datetime,
    name: str = "",
    tiers: TiersDefinition | None = None,
    beside: Beside = NOTHING_BESIDE,
) -> Backtest:
    """Keep the question; its job is to be handed to a worker. `tiers`: other tiers than those that
    count, to be tried with it; `beside`: what is tried of campaigns. The same question again,
    while it is not answered, is the same backtest. Raises DomainError."""
    program = Program.objects.select_for_update().get(pk=program.pk)
    _check_days(since, until, now.astimezone(program.zone).date())
    live = _live_wordings(program, now)
    tiers = _other_tiers(program, tiers, now)
    wanted = replace(Wordings.of(draft), tiers=tiers, beside=beside)
    _check_units(program, wanted)
    same_rules = not live.changed_to(wanted) and wanted.multiplying == live.multiplying
    if same_rules and wanted.tiers is None and not beside.discounts:
        raise DomainError(
            _(
                "The draft says the same as the live rules: change, add or leave out a rule, or try"
                " other tiers."
            ),
            code="nothing_changed",
        )
    name = name.strip() or format_days(since, until)
    job = start_or_resume_job(
        kind=KIND,
        label=_("%(name)s, %(program)s") % {"name": name, "program": program.name},
        fingerprint=_fingerprint(program, since, until, live, wanted),
        actor=actor,
    )
    known = Backtest.objects.filter(job=job).first()
    if known is not None:
        return known
    backtest = Backtest.objects.create(
        program=program, name=name[:120], since=since, until=until, live=live.as_json(),
        draft=wanted.as_json(), versions=_published(program), created_at=now,
        created_by=actor.user, api_key=actor.api_key, job=job,
    )  # fmt: skip
    record_audit(actor=actor, action="backtest.created", target=backtest)
    return backtest


def backtest_words(job: Job) -> str:
    """What was done, for people."""
    if not job.result:
        return ""
    return _("%(orders)s orders of %(members)s members replayed.") % {
        "orders": format_number(job.result.get("orders", 0)),
        "members": format_number(job.result.get("members", 0)),
    }


def _live_wordings(program: Program, now: dt.datetime) -> Wordings:
    """What is live now; nothing, where the program never was."""
    definition = definition_of(program, now)
    if program.live_since is None:
        return Wordings((), definition.multiplying)
    return Wordings.of(definition)


def _other_tiers(
    program: Program, tiers: TiersDefinition | None, now: dt.datetime
) -> TiersDefinition | None:
    """None where they are those that count anyway."""
    if tiers is None:
        return None
    refuse_missing(program, tiers)
    return None if tiers == tiers_of(program, now) else tiers


def _published(program: Program) -> list[int]:
    found = EarningRuleVersion.objects.filter(
        rule__program=program, status=EarningRuleVersion.Status.PUBLISHED
    )
    return list(found.order_by("pk").values_list("pk", flat=True))


def _check_days(since: dt.date, until: dt.date, today: dt.date) -> None:
    errors = []
    if since > until:
        errors.append(FieldError("until", _("The last day is before the first.")))
    if until > today:
        errors.append(
            FieldError("until", _("Orders of the past are replayed: today at the latest."))
        )
    if since < EARLIEST:
        errors.append(FieldError("since", _("No orders are that old.")))
    if errors:
        raise DomainError(_("These days cannot be replayed."), code="invalid_period", errors=errors)


def _check_units(program: Program, draft: Wordings) -> None:
    """A draft awards units that the program has; each rule keeps the kind it has."""
    known = set(program.wallet_types.values_list("code", flat=True))
    kept = dict(program.earning_rules.values_list("code", "wallet_type__code"))
    for number, rule in enumerate(draft.rules):
        place = f"earning_rules[{number}].wallet_type"
        if rule.wallet_type not in known:
            message = _("The program has no units with the code %s.") % rule.wallet_type
        elif kept.get(rule.code, rule.wallet_type) != rule.wallet_type:
            message = _("A rule keeps its wallet type; add another rule instead.")
        else:
            continue
        raise DomainError(message, code="invalid_rules", errors=[FieldError(place, message)])


def _fingerprint(
    program: Program, since: dt.date, until: dt.date, live: Wordings, draft: Wordings
) -> str:
    said = [
        program.pk, since.isoformat(), until.isoformat(), live.as_json(), draft.as_json(),
        timezone.now().date().isoformat(),
    ]  # fmt: skip
    return hashlib.blake2b(orjson.dumps(said), digest_size=16).hexdigest()
