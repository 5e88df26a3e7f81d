"""Kinds of units that were never used go without a trace; what anything hangs on stays.

Members and pools get a wallet of a kind as soon as it is there, so empty wallets are no use of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pgtrigger
from django.db import connection
from django.db.models import Model
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from loyalty.definitions import ProgramDefinition
from loyalty.models import (
    EarningRule,
    EarningRuleVersion,
    FormerUnitTerms,
    LotPolicy,
    PlanVersion,
    Transfer,
    Wallet,
    WalletType,
)
from loyalty.services.applied import Applied, refuse_rewriting
from loyalty.services.plans import release_wallet_type

# What a kind of units has from its beginning, and what goes with it.
OWN: tuple[type[Model], ...] = (Wallet, LotPolicy, FormerUnitTerms, EarningRule)


def remove_wallet_type(
    applied: Applied, wallet_type: WalletType, definition: ProgramDefinition
) -> None:
    """Take away a kind that the definition does without. Raises ConflictError, saying what it is
    needed for, where it was ever used."""
    # Held, so that nothing is awarded of it meanwhile.
    WalletType.objects.select_for_update().get(pk=wallet_type.pk)
    wallets = Wallet.objects.filter(wallet_type=wallet_type)
    # In the database, however many members there are: none of them is read here.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM (SELECT 1 FROM loyalty_wallet WHERE wallet_type_id = %s"
            " ORDER BY id FOR UPDATE) w",
            [wallet_type.pk],
        )
    used = why_used(wallet_type, definition)
    if used or not release_wallet_type(wallet_type):
        refuse_rewriting("wallet_types", used or _needed(wallet_type, _("a plan")))
    with pgtrigger.ignore("loyalty.Wallet:wallet_stays", "loyalty.LotPolicy:lot_policy_immutable"):
        # At once: nothing hangs on them, as was just seen, and the database sees it again.
        wallets._raw_delete(wallets.db)  # noqa: SLF001
        EarningRuleVersion.objects.filter(rule__wallet_type=wallet_type).delete()
        # An unused policy explains no lot; the table is immutable for those that do.
        LotPolicy.objects.filter(wallet_type=wallet_type).delete()
    wallet_type.former_terms.all().delete()
    EarningRule.objects.filter(wallet_type=wallet_type).delete()
    applied.changes.append(_("%s can no longer be collected") % capfirst(wallet_type.plural))
    wallet_type.delete()


def why_used(wallet_type: WalletType, definition: ProgramDefinition) -> str:
    """Why it cannot be taken away from a program that then says this; empty: it can."""
    if Transfer.objects.filter(wallet_type=wallet_type).exists():
        words = {"units": capfirst(wallet_type.plural), "code": wallet_type.code}
        return _("%(units)s (%(code)s) have been given: they are in the books, and stay.") % words
    place = next(_naming("", definition.model_dump(mode="json"), wallet_type.code), "")
    rule = _("a rule that counts or has counted") if _has_rules(wallet_type) else ""
    thing = place or rule or next(_things_of(wallet_type), "")
    return _needed(wallet_type, thing) if thing else ""


def _needed(wallet_type: WalletType, thing: str) -> str:
    return _("%(units)s (%(code)s) are in use and cannot be removed: %(thing)s.") % {
        "units": capfirst(wallet_type.plural), "code": wallet_type.code, "thing": thing,
    }  # fmt: skip


def _has_rules(wallet_type: WalletType) -> bool:
    """Also rules that have ended: orders keep what they were judged by."""
    return EarningRuleVersion.objects.filter(
        rule__wallet_type=wallet_type, status=EarningRuleVersion.Status.PUBLISHED
    ).exists()


def _naming(path: str, said: Any, code: str) -> Iterator[str]:
    """Where a definition names it."""
    if isinstance(said, Mapping):
        for name, value in said.items():
            place = f"{path}.{name}" if path else str(name)
            if name.endswith("wallet_type") and value == code:
                yield place
            yield from _naming(place, value, code)
    elif isinstance(said, list):
        for number, value in enumerate(said):
            yield from _naming(f"{path}[{number}]", value, code)


def _things_of(wallet_type: WalletType) -> Iterator[str]:
    """What else in the database hangs on it or on its wallets, by name, in all applications."""
    wallets = Wallet.objects.filter(wallet_type=wallet_type)
    # Plans of a program that was never live count for nothing yet.
    drafting = wallet_type.program.live_since is None
    for model, field in (*_leading_to(WalletType), *_leading_to(Wallet)):
        if model in OWN or (drafting and model is PlanVersion):
            continue
        key = {field.name: wallet_type} if field.related_model is WalletType else {
            f"{field.name}__in": wallets
        }  # fmt: skip
        if model._base_manager.filter(**key).exists():  # noqa: SLF001  (of all programs)
            yield str(model._meta.verbose_name)


def _leading_to(model: type[Model]) -> Iterator[tuple[type[Model], Any]]:
    for found in model._meta.get_fields(include_hidden=True):
        if found.auto_created and not found.concrete and found.is_relation:
            yield found.related_model, found.field  # type: ignore[union-attr, misc]
