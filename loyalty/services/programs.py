"""Creating and changing programs. The form, the program file and the demo all come through here.

What would rewrite the past is refused: a live rule gets a new version from now on, never another
wording; units that exist keep their scale, orders their currency.
"""

from __future__ import annotations

import datetime as dt
from contextlib import nullcontext

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.definitions import ProgramDefinition
from loyalty.models import (
    Account,
    OrderEvaluation,
    Program,
)
from loyalty.program_parts import program_parts
from loyalty.selectors.programs import (
    account_codes_of,
    company_terms_of,
)
from loyalty.services.activity_types import apply_activity_types
from loyalty.services.applied import Applied, change, refuse_rewriting
from loyalty.services.charities import apply_charities
from loyalty.services.launches import apply_launch
from loyalty.services.partners import apply_partners
from loyalty.services.plans import apply_plans
from loyalty.services.pledges import apply_pledges
from loyalty.services.program_rules import apply_rules, publish_drafts, refuse_dead_rules
from loyalty.services.program_times import apply_times
from loyalty.services.tier_sets import apply_tiers
from loyalty.services.wallet_types import apply_wallet_types
from members.prepared import (
    KeptQuery,
    insert_row,
    insert_rows,
    read_again,
    run_prepared,
    update_row,
)
from members.services import transactions
from members.services.audit import Actor, record_audit
from members.services.transactions import run_atomically

SETTINGS = (
    "name", "description", "time_zone", "enrollment", "joinable", "unlinked_returns",
    "linked_returns", "debt_policy", "clawback_order", "multiplying", "discounting", "four_eyes",
    "foreign_orders",
)  # fmt: skip
_COUNT_UP = "UPDATE loyalty_program SET revision = revision + 1 WHERE id = %s"


def apply_definition(definition: ProgramDefinition, *, actor: Actor, now: dt.datetime) -> Applied:
    """Bring a program to what the definition says, or refuse and change nothing (ConflictError).

    Another time zone keeps memberships from being written until it is done, so it may meet somebody
    who writes one and waits for the program: then it begins anew.
    """

    def write() -> Applied:
        # Within another transaction a part that refuses leaves nothing of the others.
        with transaction.atomic() if nested else nullcontext():
            return _apply(definition, actor, now)

    nested = transactions.within_another()
    return run_atomically(write)


_held: KeptQuery[Program] = KeptQuery(
    lambda code: Program.objects.select_for_update().filter(code=code)
)


def _apply(definition: ProgramDefinition, actor: Actor, now: dt.datetime) -> Applied:
    program = _held.first(definition.code)
    created = program is None
    if program is None:
        program = _create(definition)
    applied = Applied(
        program, created=created, second_person=program.four_eyes or definition.four_eyes
    )
    if created:
        applied.changes.append(_("Program created"))
    else:
        _apply_settings(applied, definition)
    _apply_account_codes(applied, definition)
    _apply_company_terms(applied, definition)
    applied.changes += apply_activity_types(definition.activity_types, actor=actor)
    wallet_types = apply_wallet_types(applied, definition, now)
    apply_partners(applied, definition.partners, wallet_types, actor, now)
    apply_charities(applied, definition.charities, wallet_types)
    apply_pledges(applied, definition.pledges, now)
    apply_rules(applied, definition, wallet_types, actor, now)
    apply_tiers(applied, definition, wallet_types, actor, now)
    apply_launch(applied, definition.launch, wallet_types, now)
    apply_plans(applied, definition, wallet_types, actor, now)
    _apply_parts(applied, definition, actor, now, once_live=False)
    _apply_status(applied, definition, actor, now)
    _apply_parts(applied, definition, actor, now, once_live=True)
    apply_times(applied, definition, actor, now)
    refuse_dead_rules(applied, now)
    if applied.changes:
        run_prepared(_COUNT_UP, [program.pk])
        read_again(program)
        record_audit(
            actor=actor,
            action="program.created" if created else "program.changed",
            target=program,
            after={"changes": applied.changes},
        )
    return applied


def _create(definition: ProgramDefinition) -> Program:
    settings = {name: getattr(definition, name) for name in SETTINGS}
    program = Program(code=definition.code, currency=definition.currency, **settings)
    insert_row(program)
    insert_rows([Account(kind=kind, program=program) for kind in Account.PROGRAM_KINDS])
    return program


def _apply_parts(
    applied: Applied, definition: ProgramDefinition, actor: Actor, now: dt.datetime,
    *, once_live: bool,
) -> None:  # fmt: skip
    """What higher applications say in it."""
    for part in program_parts():
        if part.once_live == once_live:
            part.apply(applied, getattr(definition, part.name), actor, now)


def _apply_settings(applied: Applied, definition: ProgramDefinition) -> None:
    program = applied.program
    if definition.currency != program.currency:
        if OrderEvaluation.objects.filter(program=program).exists():
            refuse_rewriting("currency", _("Orders were judged in %s already.") % program.currency)
        change(applied, program, "currency", definition.currency)
    for name in SETTINGS:
        change(applied, program, name, getattr(definition, name))
    program.save()


def _apply_account_codes(applied: Applied, definition: ProgramDefinition) -> None:
    """At once for the whole journal: books that were handed over keep the codes of their file."""
    before = account_codes_of(applied.program).model_dump()
    after = definition.account_codes.model_dump()
    if before == after:
        return
    applied.program.account_codes = after
    applied.program.save(update_fields=["account_codes"])
    changed = [f"{before[name]} → {code}" for name, code in after.items() if before[name] != code]
    applied.changes.append(_("Account codes of the journal: %s") % ", ".join(changed))


def _apply_company_terms(applied: Applied, definition: ProgramDefinition) -> None:
    """For companies that are founded from now on; those that there are keep theirs."""
    before, after = company_terms_of(applied.program), definition.companies
    if before == after:
        return
    applied.program.company_terms = after.model_dump()
    applied.program.save(update_fields=["company_terms"])
    changed = sorted(
        name for name, value in after.model_dump().items() if value != getattr(before, name)
    )
    applied.changes.append(_("New companies: %s") % ", ".join(changed))


def _apply_status(
    applied: Applied, definition: ProgramDefinition, actor: Actor, now: dt.datetime
) -> None:
    program = applied.program
    if definition.status == program.status:
        return
    if definition.status == "draft":
        refuse_rewriting("status", _("A program that was live cannot become a draft again."))
    begins = program.live_since is None and definition.status == "live"
    if begins:
        publish_drafts(applied, actor, now)
        program.live_since = now
    change(applied, program, "status", definition.status)
    update_row(program, "status", "live_since", "updated_at")
    for part in program_parts() if begins else ():
        if part.begin and not applied.has_none_of(getattr(definition, part.name)):
            part.begin(program, actor, now)
