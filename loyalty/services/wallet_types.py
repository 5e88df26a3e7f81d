"""The kinds of units of a program, as its definition says them: created, changed and taken away.

What would rewrite the past is refused: units that exist keep their scale, and what is changed of
their terms is for what comes from now on.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from loyalty.definitions import ProgramDefinition
from loyalty.descriptions import (
    Unit,
    describe_expiry,
    describe_gifts,
    describe_pending,
    describe_spending,
)
from loyalty.models import (
    Account,
    FormerUnitTerms,
    LotPolicy,
    Transfer,
    Wallet,
    WalletType,
)
from loyalty.selectors.lot_policies import expiry_of
from loyalty.selectors.programs import gifts_of, spending_of, wallet_type_definition
from loyalty.selectors.tier_sets import tiers_of
from loyalty.services.applied import Applied, change, refuse_rewriting
from loyalty.services.rule_versions import lot_policy_values
from loyalty.services.unused_wallet_types import remove_wallet_type
from loyalty.unit_definitions import GiftsDefinition, SpendingDefinition, WalletTypeDefinition
from members.prepared import insert_row


def apply_wallet_types(
    applied: Applied, definition: ProgramDefinition, now: dt.datetime
) -> dict[str, WalletType]:
    """The kinds of units, by code, as the definition has them."""
    program = applied.program
    existing = {} if applied.created else {item.code: item for item in program.wallet_types.all()}
    for code, wallet_type in existing.items():
        if code not in {item.code for item in definition.wallet_types}:
            remove_wallet_type(applied, wallet_type, definition)
    kept: dict[str, WalletType] = {}
    for index, wanted in enumerate(definition.wallet_types):
        found = existing.get(wanted.code)
        if found is None:
            found = _create_wallet_type(applied, wanted)
        else:
            _keep_former_terms(found, wanted, now)
            _change_wallet_type(applied, found, wanted, index)
        _apply_lot_policy(applied, found, wanted, now)
        kept[wanted.code] = found
    return kept


# What members read of units in a program's terms, but for their names.
TOLD = {"unit_value", "tier_values", "pending_from", "pending_days", "expiry", "gifts", "spending"}


def _keep_former_terms(
    wallet_type: WalletType, wanted: WalletTypeDefinition, now: dt.datetime
) -> None:
    """What was said of units of a program that is or was live stays readable."""
    program = wallet_type.program
    if program.live_since is None:
        return
    before = wallet_type_definition(wallet_type, tiers_of(program, now))
    if before.model_dump(include=TOLD) == wanted.model_dump(include=TOLD):
        return
    former = FormerUnitTerms(
        wallet_type=wallet_type, said=before.model_dump(mode="json"), ended_at=now
    )
    # Of what was said for no time at all nothing is kept.
    FormerUnitTerms.objects.bulk_create([former], ignore_conflicts=True)


def _create_wallet_type(applied: Applied, wanted: WalletTypeDefinition) -> WalletType:
    wallet_type = WalletType(
        program=applied.program,
        code=wanted.code,
        singular=wanted.singular,
        plural=wanted.plural,
        scale=wanted.decimals,
        unit_value=wanted.unit_value,
        tier_values=tier_values(wanted),
        plural_language=wanted.plural_forms.language,
        plural_forms=wanted.plural_forms.forms,
        icon=wanted.icon,
        **gift_values(wanted.gifts, wanted.decimals),
        **spending_values(wanted.spending, wanted.decimals),
        stored_value=wanted.stored_value,
    )
    insert_row(wallet_type)
    holders = [Account.Kind.MEMBERSHIP]
    if wanted.stored_value:
        for kind in Account.STORED_VALUE_KINDS:
            Account.objects.get_or_create(program=applied.program, kind=kind, code="")
    else:
        holders.append(Account.Kind.POOL)
    if not applied.created:
        _give_wallets(wallet_type, holders)
    applied.changes.append(
        (_("%s can be paid in") if wanted.stored_value else _("%s can be collected"))
        % capfirst(wanted.plural)
    )
    return wallet_type


def _give_wallets(wallet_type: WalletType, holders: Sequence[str]) -> None:
    """Members and pools that are there already get their wallet of the new kind at once."""
    accounts = Account.objects.filter(program=wallet_type.program, kind__in=holders)
    Wallet.objects.bulk_create(
        (
            Wallet(account_id=account_id, wallet_type=wallet_type)
            for account_id in accounts.values_list("pk", flat=True)
        ),
        batch_size=5000,
    )


def _change_wallet_type(
    applied: Applied, wallet_type: WalletType, wanted: WalletTypeDefinition, index: int
) -> None:
    before, spending = gifts_of(wallet_type), spending_of(wallet_type)
    if wanted.stored_value != wallet_type.stored_value:
        refuse_rewriting(
            f"wallet_types[{index}].stored_value",
            _("What is earned does not become stored value, nor the other way round."),
        )
    if wanted.decimals != wallet_type.scale:
        if Transfer.objects.filter(wallet_type=wallet_type).exists():
            refuse_rewriting(
                f"wallet_types[{index}].decimals",
                _("Units exist with %s decimals; they cannot be counted otherwise.")
                % wallet_type.scale,
            )
        change(applied, wallet_type, "scale", wanted.decimals)
    for name in ("singular", "plural", "icon", "unit_value"):
        change(applied, wallet_type, name, getattr(wanted, name))
    change(applied, wallet_type, "tier_values", tier_values(wanted))
    change(applied, wallet_type, "plural_language", wanted.plural_forms.language)
    change(applied, wallet_type, "plural_forms", wanted.plural_forms.forms)
    _change_gifts(applied, wallet_type, wanted, before)
    _change_spending(applied, wallet_type, wanted, spending)
    wallet_type.save()


def _change_gifts(
    applied: Applied,
    wallet_type: WalletType,
    wanted: WalletTypeDefinition,
    before: GiftsDefinition,
) -> None:
    """A change is for gifts from now on; what was given stays given."""
    for name, value in gift_values(wanted.gifts, wanted.decimals).items():
        setattr(wallet_type, name, value)
    if wanted.gifts != before:
        applied.changes.append(
            _("%(wallet_type)s given away from now on: %(terms)s")
            % {
                "wallet_type": capfirst(wallet_type.plural),
                "terms": " ".join(describe_gifts(wanted.gifts, Unit(wanted))),
            }
        )


def _change_spending(
    applied: Applied,
    wallet_type: WalletType,
    wanted: WalletTypeDefinition,
    before: SpendingDefinition,
) -> None:
    """A change is for what is used from now on."""
    for name, value in spending_values(wanted.spending, wanted.decimals).items():
        setattr(wallet_type, name, value)
    if wanted.spending != before:
        applied.changes.append(
            _("%(wallet_type)s used from now on: %(terms)s")
            % {
                "wallet_type": capfirst(wallet_type.plural),
                "terms": " ".join(describe_spending(wanted.spending, Unit(wanted))),
            }
        )


def gift_values(gifts: GiftsDefinition, decimals: int) -> dict[str, Any]:
    """The columns of a wallet type with these terms."""
    return {
        "gifts_to_members": gifts.to_members,
        "gifts_to_charities": gifts.to_charities,
        "gift_least": _at_scale(gifts.least, decimals),
        "gift_step": _at_scale(gifts.step, decimals),
        "gift_most_per_day": _at_scale(gifts.most_per_day, decimals),
        "gift_most_received_per_day": _at_scale(gifts.most_received_per_day, decimals),
    }


def spending_values(spending: SpendingDefinition, decimals: int) -> dict[str, Any]:
    """The columns of a wallet type with these terms."""
    return {
        "spend_least": _at_scale(spending.least, decimals),
        "spend_step": _at_scale(spending.step, decimals),
        "spend_share": spending.share,
    }


def tier_values(wanted: WalletTypeDefinition) -> dict[str, str]:
    """What one pays by tier, as the column has it."""
    return {tier: f"{value.normalize():f}" for tier, value in wanted.tier_values.items()}


def _at_scale(amount: Decimal | None, decimals: int) -> int | None:
    return None if amount is None else int(amount.scaleb(decimals))


def _apply_lot_policy(
    applied: Applied, wallet_type: WalletType, wanted: WalletTypeDefinition, now: dt.datetime
) -> None:
    """A new policy for lots granted from now on, if the terms differ from those of the newest."""
    values = lot_policy_values(wanted, wanted.expiry)
    current = None
    if not applied.created:
        current = wallet_type.lot_policies.filter(rule=None).order_by("-pk").first()
    if current is not None and all(getattr(current, name) == values[name] for name in values):
        return
    insert_row(LotPolicy(wallet_type=wallet_type, created_at=now, **values))
    if current is None:
        return
    plural = capfirst(wallet_type.plural)
    if (current.pending_from, current.pending_days) != (wanted.pending_from, wanted.pending_days):
        applied.changes.append(
            _("%(wallet_type)s earned from now on: %(terms)s")
            % {"wallet_type": plural, "terms": describe_pending(wanted)}
        )
    if expiry_of(current) != wanted.expiry:
        applied.changes.append(
            _("%(wallet_type)s earned from now on: %(terms)s")
            % {"wallet_type": plural, "terms": describe_expiry(wanted.expiry)}
        )
