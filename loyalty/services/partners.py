"""Partners: what a program file and the screen say of them becomes rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.db import transaction
from django.db.models import Max, Q
from django.utils.translation import gettext as _

from loyalty.models import (
    Account,
    Partner,
    PartnerRate,
    PartnerSettlement,
    Program,
    Transfer,
    WalletType,
)
from loyalty.partner_definitions import PartnerDefinition
from loyalty.selectors.goals import today_of
from loyalty.selectors.partners import partner_definition, partners, partners_in
from loyalty.services.applied import Applied, keep_changes, refuse_rewriting
from members.errors import ConflictError, DomainError, FieldError
from members.models import ApiKey
from members.services.api_keys import revoke_api_key
from members.services.audit import Actor


def apply_partners(
    applied: Applied, wanted: tuple[PartnerDefinition, ...], wallet_types: Mapping[str, WalletType],
    actor: Actor, now: dt.datetime,
) -> None:  # fmt: skip
    """All that the program has. One at whom units moved stays."""
    if applied.has_none_of(wanted):
        return
    # A month that is being closed keeps the rates that it began with.
    held = Partner.objects.filter(account__program=applied.program).order_by("pk")
    list(held.select_for_update(of=("self",), no_key=True))
    known = {item.code: item for item in partners_in(applied.program)}
    for code, partner in known.items():
        if code not in {item.code for item in wanted}:
            _remove(applied, partner)
    for position, definition in enumerate(wanted):
        path = f"partners[{position}]."
        _write(applied, known.get(definition.code), definition, wallet_types, actor, now, path)


@transaction.atomic
def create_partner(
    *, program: Program, definition: PartnerDefinition, actor: Actor, now: dt.datetime
) -> Partner:
    """A further partner of the program. Raises ConflictError where its short name is taken."""
    _lock(program)
    if program.accounts.filter(kind=Account.Kind.PARTNER, code=definition.code).exists():
        message = _("There is a partner with this short name already.")
        raise ConflictError(message, errors=[FieldError("code", message, "taken")])
    return _save(program, None, definition, actor, now)


@transaction.atomic
def change_partner(
    *, partner: Partner, definition: PartnerDefinition, actor: Actor, now: dt.datetime
) -> Partner:
    """Bring a partner to what the definition says. Rates of days that are settled stay."""
    program = partner.account.program
    _lock(program)
    found = partners().select_for_update(of=("self",)).get(pk=partner.pk)
    if definition.code != found.code:
        message = _("It stays as it is.")
        raise DomainError(message, errors=[FieldError("code", message)])
    return _save(program, found, definition, actor, now)


def end_partner(*, partner: Partner, actor: Actor, now: dt.datetime) -> Partner:
    """Let nothing be earned or spent there any more: its API keys are revoked. What was is settled
    all the same."""
    ended = partner_definition(partner).model_copy(update={"status": "ended"})
    return change_partner(partner=partner, definition=ended, actor=actor, now=now)


def last_settled_day(partner: Partner) -> dt.date | None:
    """The last day of the month that was closed last; None: none was."""
    rows = PartnerSettlement.objects.filter(partner=partner)
    last: dt.date | None = rows.aggregate(last=Max("until"))["last"]
    return last


def _save(
    program: Program, known: Partner | None, definition: PartnerDefinition, actor: Actor,
    now: dt.datetime,
) -> Partner:  # fmt: skip
    applied = Applied(program)
    wallet_types = {item.code: item for item in program.wallet_types.all()}
    partner = _write(applied, known, definition, wallet_types, actor, now, "")
    action = "partner.changed" if known else "partner.created"
    keep_changes(applied, action=action, of="partner", name=definition.name, actor=actor)
    return partner


def _lock(program: Program) -> None:
    Program.objects.select_for_update(no_key=True).get(pk=program.pk)


def _write(
    applied: Applied, known: Partner | None, definition: PartnerDefinition,
    wallet_types: Mapping[str, WalletType], actor: Actor, now: dt.datetime, path: str,
) -> Partner:  # fmt: skip
    today = today_of(applied.program, now)
    if known is None:
        account = Account.objects.create(
            program=applied.program, kind=Account.Kind.PARTNER, code=definition.code,
            name=definition.name,
        )  # fmt: skip
        partner = Partner(account=account, since=definition.since or today)
        applied.changes.append(_("%s has an account") % definition.name)
    else:
        partner = known
        if definition.since is None:
            definition = definition.model_copy(update={"since": known.since})
        definition = _with_days(definition, definition.since or known.since)
        before = partner_definition(known)
        if before == definition:
            return partner
        changed = [
            name for name in PartnerDefinition.model_fields
            if getattr(before, name) != getattr(definition, name)
        ]  # fmt: skip
        words = {"partner": before.name, "what": ", ".join(changed)}
        applied.changes.append(_("Partner %(partner)s: %(what)s") % words)
        if "since" in changed and last_settled_day(known) is not None:
            refuse_rewriting(f"{path}since", _("Months of it are settled already."))
        known.account.name = definition.name
        known.account.save(update_fields=["name"])
    partner.since = definition.since or partner.since
    partner.summary, partner.website = definition.summary, definition.website
    _write_status(partner, definition, actor, now)
    partner.save()
    _write_rates(partner, definition, wallet_types, path)
    return partners().get(pk=partner.pk)


def _with_days(definition: PartnerDefinition, since: dt.date) -> PartnerDefinition:
    """Its rates, each from a day: without one from its first."""
    rates = tuple(
        rate.model_copy(update={"from_on": rate.from_on or since}) for rate in definition.rates
    )
    return definition.model_copy(update={"rates": rates})


def _write_status(
    partner: Partner, definition: PartnerDefinition, actor: Actor, now: dt.datetime
) -> None:
    if definition.status == "live":
        partner.ended_at = None
    elif partner.ended_at is None:
        partner.ended_at = now
        for key in ApiKey.objects.filter(partner=partner.pk, revoked_at=None):
            revoke_api_key(actor=actor, key=key)


def _write_rates(
    partner: Partner, definition: PartnerDefinition, wallet_types: Mapping[str, WalletType],
    path: str,
) -> None:  # fmt: skip
    """Those that are new, and those that are gone; of settled days neither."""
    settled = last_settled_day(partner)
    wanted: dict[tuple[int, dt.date], PartnerRate] = {}
    for place, rate in enumerate(definition.rates):
        unit = wallet_types.get(rate.wallet_type)
        if unit is None or unit.stored_value:
            message = _("The program has no units “%s” that are earned.") % rate.wallet_type
            field = FieldError(f"{path}rates[{place}].wallet_type", message)
            raise DomainError(message, errors=[field])
        from_on = rate.from_on or partner.since
        wanted[unit.pk, from_on] = PartnerRate(
            partner=partner, wallet_type=unit, from_on=from_on, issued=rate.issued,
            taken_in=rate.taken_in,
        )  # fmt: skip
    known = {(rate.wallet_type_id, rate.from_on): rate for rate in partner.rates.all()}
    gone = [rate for key, rate in known.items() if not _same(rate, wanted.get(key))]
    new = [rate for key, rate in wanted.items() if not _same(rate, known.get(key))]
    if settled is not None and any(rate.from_on <= settled for rate in (*gone, *new)):
        refuse_rewriting(f"{path}rates", _("Rates of days that are settled stay as they are."))
    PartnerRate.objects.filter(pk__in=[rate.pk for rate in gone]).delete()
    PartnerRate.objects.bulk_create(new)


def _same(one: PartnerRate, other: PartnerRate | None) -> bool:
    return other is not None and (one.issued, one.taken_in) == (other.issued, other.taken_in)


def _remove(applied: Applied, partner: Partner) -> None:
    account = partner.account
    used = (
        Transfer.objects.filter(Q(from_account=account) | Q(to_account=account)).exists()
        or partner.orders.exists()
        or partner.settlements.exists()
        or ApiKey.objects.filter(partner=partner.pk).exists()
    )
    if used:
        refuse_rewriting(
            "partners",
            _("%s is in the books and cannot be removed. End it instead.") % account.name,
        )
    applied.changes.append(_("%s has no account any more") % account.name)
    partner.delete()
    account.delete()
