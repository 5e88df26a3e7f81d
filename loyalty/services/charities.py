"""Charities: what a program file, the screen and the wizard say of them becomes rows."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import ProtectedError, Q
from django.utils.translation import gettext as _

from loyalty.giving_definitions import CharityDefinition, CharityRateDefinition
from loyalty.models import (
    Account,
    Charity,
    CharityEntry,
    CharityRate,
    Pledge,
    Program,
    StandingGift,
    Transfer,
    WalletType,
)
from loyalty.selectors.charities import charities, charity_definition
from loyalty.services.applied import Applied, keep_changes, refuse_rewriting
from members.errors import ConflictError, DomainError, FieldError
from members.services.audit import Actor


def apply_charities(
    applied: Applied,
    wanted: tuple[CharityDefinition, ...],
    wallet_types: Mapping[str, WalletType],
) -> None:
    """All that the program has, in this order. One that was given something stays."""
    if applied.has_none_of(wanted):
        return
    known = {item.code: item for item in charities().filter(account__program=applied.program)}
    for code, charity in known.items():
        if code not in {item.code for item in wanted}:
            _remove(applied, charity)
    for position, definition in enumerate(wanted):
        path = f"charities[{position}]"
        _write(applied, known.get(definition.code), definition, position, wallet_types, path)


@transaction.atomic
def create_charity(*, program: Program, definition: CharityDefinition, actor: Actor) -> Charity:
    """A further charity, the last of the program. Raises ConflictError where its code is taken."""
    _lock(program)
    accounts = program.accounts.filter(kind=Account.Kind.CHARITY)
    if accounts.filter(code=definition.code).exists():
        message = _("There is a charity with this short name already.")
        raise ConflictError(message, errors=[FieldError("code", message, "taken")])
    return _save(program, None, definition, accounts.count(), actor)


@transaction.atomic
def change_charity(*, charity: Charity, definition: CharityDefinition, actor: Actor) -> Charity:
    """Bring a charity to what the definition says. What was given stays what it was worth then."""
    program = charity.account.program
    _lock(program)
    found = charities().select_for_update(of=("self",)).get(pk=charity.pk)
    if definition.code != found.code:
        message = _("It stays as it is.")
        raise DomainError(message, errors=[FieldError("code", message)])
    return _save(program, found, definition, found.position, actor)


def _save(
    program: Program, known: Charity | None, definition: CharityDefinition, position: int,
    actor: Actor,
) -> Charity:  # fmt: skip
    applied = Applied(program)
    wallet_types = {item.code: item for item in program.wallet_types.all()}
    charity = _write(applied, known, definition, position, wallet_types, "")
    action = "charity.changed" if known else "charity.created"
    keep_changes(applied, action=action, of="charity", name=definition.name, actor=actor)
    return charity


def _lock(program: Program) -> None:
    Program.objects.select_for_update(no_key=True).get(pk=program.pk)


def _write(
    applied: Applied, known: Charity | None, definition: CharityDefinition, position: int,
    wallet_types: Mapping[str, WalletType], path: str,
) -> Charity:  # fmt: skip
    program = applied.program
    if known is None:
        account = Account.objects.create(
            program=program, kind=Account.Kind.CHARITY, code=definition.code, name=definition.name
        )
        charity = Charity(account=account)
        applied.changes.append(_("%s has an account") % definition.name)
    else:
        charity = known
        before = charity_definition(known)
        if before == definition and charity.position == position:
            return charity
        if before != definition:
            changed = [
                name for name in CharityDefinition.model_fields
                if getattr(before, name) != getattr(definition, name)
            ]  # fmt: skip
            words = {"charity": before.name, "what": ", ".join(changed)}
            applied.changes.append(_("Charity %(charity)s: %(what)s") % words)
        charity.account.name = definition.name
        charity.account.save(update_fields=["name"])
    values: dict[str, Any] = definition.model_dump(exclude={"code", "name", "rates"})
    for name, value in values.items():
        setattr(charity, name, value)
    charity.position = position
    charity.save()
    charity.rates.all().delete()
    CharityRate.objects.bulk_create(
        _rate(charity, item, wallet_types, f"{path}.rates[{index}]".lstrip("."))
        for index, item in enumerate(definition.rates)
    )
    return charities().get(pk=charity.pk)


def _rate(
    charity: Charity, wanted: CharityRateDefinition, wallet_types: Mapping[str, WalletType],
    path: str,
) -> CharityRate:  # fmt: skip
    wallet_type = wallet_types.get(wanted.wallet_type)
    if wallet_type is None:
        message = _("The program has no units “%s”.") % wanted.wallet_type
        raise DomainError(message, errors=[FieldError(f"{path}.wallet_type", message)])
    units: Decimal = wanted.units.scaleb(wallet_type.scale)
    if units != units.to_integral_value():
        message = _("At most %s decimals.") % wallet_type.scale
        raise DomainError(message, errors=[FieldError(f"{path}.units", message)])
    return CharityRate(
        charity=charity, wallet_type=wallet_type, units=int(units), money=wanted.money,
        things=wanted.things,
    )  # fmt: skip


def _remove(applied: Applied, charity: Charity) -> None:
    account = charity.account
    used = (
        Transfer.objects.filter(Q(from_account=account) | Q(to_account=account)).exists()
        or CharityEntry.objects.filter(charity=charity).exists()
        or Pledge.objects.filter(charity=charity).exists()
        or StandingGift.objects.filter(charity=charity).exists()
    )
    if used:
        refuse_rewriting(
            "charities",
            _("%s is in the books and cannot be removed. Archive it instead.") % account.name,
        )
    try:
        charity.delete()
    except ProtectedError:
        refuse_rewriting(
            "charities",
            _("A reward gives to %s, so it cannot be removed. Archive it instead.") % account.name,
        )
    applied.changes.append(_("%s has no account any more") % account.name)
    account.delete()
