"""Creating and changing programs. The form, the program file and the demo all come through here.

What would rewrite the past is refused: a live rule gets a new version from now on, never another
wording; units that exist keep their scale, orders their currency.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pgtrigger
from django.db import transaction
from django.db.models import F, Q
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
    EarningRule,
    EarningRuleVersion,
    LotPolicy,
    OrderEvaluation,
    Program,
    Transfer,
    Wallet,
    WalletType,
)
from loyalty.program_parts import program_parts
from loyalty.selectors.lot_policies import expiry_of
from loyalty.selectors.programs import (
    account_codes_of,
    company_terms_of,
    gifts_of,
    spending_of,
)
from loyalty.services.activity_types import apply_activity_types
from loyalty.services.applied import Applied, change, refuse_rewriting
from loyalty.services.charities import apply_charities
from loyalty.services.launches import apply_launch
from loyalty.services.plans import apply_plans, release_wallet_type
from loyalty.services.pledges import apply_pledges
from loyalty.services.program_rules import apply_rules, publish_drafts, refuse_dead_rules
from loyalty.services.program_times import apply_times
from loyalty.services.rule_versions import lot_policy_values
from loyalty.services.tier_sets import apply_tiers
from loyalty.unit_definitions import GiftsDefinition, SpendingDefinition, WalletTypeDefinition
from members.services.audit import Actor, record_audit


@transaction.atomic
def apply_definition(definition: ProgramDefinition, *, actor: Actor, now: dt.datetime) -> Applied:
    """Bring a program to what the definition says, or refuse and change nothing (ConflictError)."""
    program = Program.objects.select_for_update().filter(code=definition.code).first()
    created = program is None
    if program is None:
        program = Program.objects.create(
            code=definition.code, name=definition.name, currency=definition.currency
        )
        Account.objects.bulk_create(
            Account(kind=kind, program=program) for kind in Account.PROGRAM_KINDS
        )
    applied = Applied(program, created=created)
    if created:
        applied.changes.append(_("Program created"))
    _apply_settings(applied, definition)
    _apply_partners(applied, definition)
    _apply_account_codes(applied, definition)
    _apply_company_terms(applied, definition)
    applied.changes += apply_activity_types(definition.activity_types, actor=actor)
    wallet_types = _apply_wallet_types(applied, definition, now)
    apply_charities(applied, definition.charities, wallet_types)
    apply_pledges(applied, definition.pledges)
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
        Program.objects.filter(pk=program.pk).update(revision=F("revision") + 1)
        program.refresh_from_db()
        record_audit(
            actor=actor,
            action="program.created" if created else "program.changed",
            target=program,
            after={"changes": applied.changes},
        )
    return applied


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
    for name in (
        "name", "description", "time_zone", "enrollment", "joinable", "unlinked_returns",
        "linked_returns", "debt_policy", "clawback_order", "multiplying", "discounting",
        "four_eyes",
    ):  # fmt: skip
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


def _apply_partners(applied: Applied, definition: ProgramDefinition) -> None:
    """Partners get an account each; one that has moved units stays."""
    if applied.has_none_of(definition.partners):
        return
    partners = applied.program.accounts.filter(kind=Account.Kind.PARTNER)
    existing = {item.code: item for item in partners}
    for code, account in existing.items():
        if code not in {partner.code for partner in definition.partners}:
            _remove_partner(applied, account)
    for partner in definition.partners:
        known = existing.get(partner.code)
        if known is None:
            Account.objects.create(
                program=applied.program, kind=Account.Kind.PARTNER, code=partner.code,
                name=partner.name,
            )  # fmt: skip
            applied.changes.append(_("%s has an account") % partner.name)
        else:
            change(applied, known, "name", partner.name)
            known.save()


def _remove_partner(applied: Applied, account: Account) -> None:
    if Transfer.objects.filter(Q(from_account=account) | Q(to_account=account)).exists():
        refuse_rewriting("partners", _("%s is in the books and cannot be removed.") % account.name)
    applied.changes.append(_("%s has no account any more") % account.name)
    account.delete()


def _apply_wallet_types(
    applied: Applied, definition: ProgramDefinition, now: dt.datetime
) -> dict[str, WalletType]:
    program = applied.program
    existing = {item.code: item for item in program.wallet_types.all()}
    for code, wallet_type in existing.items():
        if code not in {item.code for item in definition.wallet_types}:
            _remove_wallet_type(applied, wallet_type)
    kept: dict[str, WalletType] = {}
    for index, wanted in enumerate(definition.wallet_types):
        found = existing.get(wanted.code)
        if found is None:
            found = _create_wallet_type(applied, wanted)
        else:
            _change_wallet_type(applied, found, wanted, index)
        _apply_lot_policy(applied, found, wanted, now)
        kept[wanted.code] = found
    return kept


def _create_wallet_type(applied: Applied, wanted: WalletTypeDefinition) -> WalletType:
    wallet_type = WalletType.objects.create(
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
    holders = [Account.Kind.MEMBERSHIP]
    if wanted.stored_value:
        for kind in Account.STORED_VALUE_KINDS:
            Account.objects.get_or_create(program=applied.program, kind=kind, code="")
    else:
        holders.append(Account.Kind.POOL)
    # Members and pools that are there already get their wallet of the new kind at once.
    Wallet.objects.bulk_create(
        (
            Wallet(account_id=account_id, wallet_type=wallet_type)
            for account_id in Account.objects.filter(
                program=applied.program, kind__in=holders
            ).values_list("pk", flat=True)
        ),
        batch_size=5000,
    )
    applied.changes.append(
        (_("%s can be paid in") if wanted.stored_value else _("%s can be collected"))
        % capfirst(wanted.plural)
    )
    return wallet_type


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


def _remove_wallet_type(applied: Applied, wallet_type: WalletType) -> None:
    if (
        Wallet.objects.filter(wallet_type=wallet_type).exists()
        or not release_wallet_type(wallet_type)
        or EarningRuleVersion.objects.filter(
            rule__wallet_type=wallet_type, status=EarningRuleVersion.Status.PUBLISHED
        ).exists()
    ):
        refuse_rewriting(
            "wallet_types",
            _("The wallet type %s is in use and cannot be removed.") % wallet_type.code,
        )
    EarningRuleVersion.objects.filter(rule__wallet_type=wallet_type).delete()
    # An unused policy explains no lot; the table is immutable for those that do.
    _delete_unused_policies(wallet_type)
    EarningRule.objects.filter(wallet_type=wallet_type).delete()
    wallet_type.delete()
    applied.changes.append(_("%s can no longer be collected") % capfirst(wallet_type.plural))


def _delete_unused_policies(wallet_type: WalletType) -> None:
    with pgtrigger.ignore("loyalty.LotPolicy:lot_policy_immutable"):
        LotPolicy.objects.filter(wallet_type=wallet_type).delete()


def _apply_lot_policy(
    applied: Applied, wallet_type: WalletType, wanted: WalletTypeDefinition, now: dt.datetime
) -> None:
    """A new policy for lots granted from now on, if the terms differ from those of the newest."""
    values = lot_policy_values(wanted, wanted.expiry)
    current = wallet_type.lot_policies.filter(rule=None).order_by("-pk").first()
    if current is not None and all(getattr(current, name) == values[name] for name in values):
        return
    LotPolicy.objects.create(wallet_type=wallet_type, created_at=now, **values)
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


def _apply_status(
    applied: Applied, definition: ProgramDefinition, actor: Actor, now: dt.datetime
) -> None:
    program = applied.program
    if definition.status == program.status:
        return
    if definition.status == "draft":
        refuse_rewriting("status", _("A program that was live cannot become a draft again."))
    if program.live_since is None and definition.status == "live":
        publish_drafts(applied, actor, now)
        program.live_since = now
    change(applied, program, "status", definition.status)
    program.save()
