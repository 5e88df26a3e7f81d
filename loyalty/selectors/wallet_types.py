from __future__ import annotations

from functools import lru_cache

from loyalty.models import Program, WalletType
from loyalty.selectors.rulebooks import Terms
from members.program_scope import of_all_programs


def earned_types(program: Program) -> list[WalletType]:
    """What members earn in a program, in its order: all but stored value, which is money."""
    return list(program.wallet_types.filter(stored_value=False).order_by("pk"))


def wallet_types_of(terms: Terms) -> dict[int, WalletType]:
    """The wallet types of these programs by key, with their programs; kept while the terms are."""
    known = _loaded(terms.fingerprint)
    wanted = {pk for program in terms.programs for pk in program.units}
    if not wanted <= known.keys():
        _loaded.cache_clear()
        known = _loaded(terms.fingerprint)
    return known


@lru_cache(maxsize=4)
def _loaded(fingerprint: str) -> dict[int, WalletType]:
    # Kept for everybody, whoever asks first.
    with of_all_programs():
        return {item.pk: item for item in WalletType.objects.select_related("program")}
