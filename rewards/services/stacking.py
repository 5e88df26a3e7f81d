"""What goes together in one cart, and in which order it takes its part off.

Alone, or with others; of one group one; those with a smaller turn before others, and of those of
one turn the vouchers in the order in which they were named, then the rewards in theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from rewards.errors import VoucherRefusedError
from rewards.models import Reward, Voucher
from rewards.voucher_terms import terms_of, turn_of

Terms = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """A voucher that is used, or a reward that is taken, with a cart."""

    terms: Terms
    voucher: Voucher | None = None
    reward: Reward | None = None


def parts_in_turn(vouchers: Iterable[Voucher], rewards: Iterable[Reward]) -> list[Part]:
    """All of a cart, in the order in which they take something off."""
    parts = [Part(voucher.terms, voucher=voucher) for voucher in vouchers]
    parts += [Part(terms_of(reward), reward=reward) for reward in rewards]
    return sorted(parts, key=lambda part: turn_of(part.terms))


def refuse_together(terms: Sequence[Terms]) -> None:
    """Raises VoucherRefusedError where one of several is for purchases without others, or two are
    of one group."""
    off = [item for item in terms if item.get("discount")]
    if len(off) < 2:
        return
    if not all(item["combines"] for item in off):
        raise VoucherRefusedError(
            _("One of them does not go together with other vouchers."), code="voucher_alone"
        )
    seen: dict[str, str] = {}
    for item in off:
        group, name = item.get("group", ""), item["name"]
        if group and group in seen:
            said = _("“%(one)s” and “%(other)s” do not go together: one of them is enough.")
            raise VoucherRefusedError(
                said % {"one": seen[group], "other": name}, code="voucher_same_group"
            )
        seen[group] = name
