"""What a till prints for a member: what they earned and used, and what they have now."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence

from django.utils import translation
from django.utils.translation import gettext as _

from loyalty.models import Membership, Order, Transfer, UnitTender
from loyalty.selectors.balances import Balance, balances_of
from loyalty.selectors.member_tiers import member_standings
from members.formatting import format_money, format_units
from members.languages import locale_of
from rewards.models import Redemption, VoucherUse
from rewards.services.till_rewards import taken_at_till
from rewards.texts import told


def receipt_lines(
    order: Order, members: Sequence[Membership], checkout: str, now: dt.datetime
) -> list[str]:
    """Of each of the buyer's programs, in the buyer's language where they have chosen one."""
    language = locale_of(order.customer) if order.customer else ""
    with translation.override(language or translation.get_language()):
        balances, standings = balances_of(members, now), member_standings(members, now)
        lines = list(_used(order, checkout, language))
        for member in members:
            lines += _of_program(order, member, balances[member.pk])
            standing = standings.get(member.pk)
            if standing is not None:
                lines.append(standing.tier.name)
                lines += standing.sentences[:1]
        return lines


def _used(order: Order, checkout: str, language: str) -> Iterator[str]:
    for use in VoucherUse.objects.filter(
        checkout=checkout, state=VoucherUse.State.USED
    ).select_related("voucher"):
        name, code = use.voucher.terms.get("name", ""), use.voucher.written
        off = "" if use.discount is None else f": -{format_money(use.discount, order.currency)}"
        yield f"{name} ({code}){off}"
    # Of a canceled sale it all came back.
    kept = taken_at_till(checkout).exclude(status=Redemption.Status.CANCELED)
    for taken in kept.exclude(voucher__uses__checkout=checkout):
        # What is not used with the sale: its code is for later, or it was given away.
        code = f" ({taken.voucher.written})" if taken.voucher else ""
        yield f"{told(taken.got, language).name}{code}"
    for taken in kept:
        if taken.units:
            words = {
                "reward": told(taken.reward, language).name,
                "units": format_units(taken.units, taken.reward.wallet_type),
            }
            yield _("%(reward)s: %(units)s taken") % words
    paid = UnitTender.objects.filter(order=order).select_related("wallet_type", "transfer")
    for row in paid:
        words = {
            "units": format_units(row.transfer.amount, row.wallet_type),
            "money": format_money(row.amount, order.currency),
        }
        yield _("Paid with %(units)s: %(money)s") % words


def _of_program(order: Order, member: Membership, held: Sequence[Balance]) -> Iterator[str]:
    yield member.program.name
    earned: defaultdict[int, int] = defaultdict(int)
    for transfer in order.transfers.exclude(kind=Transfer.Kind.REDEMPTION):
        earned[transfer.wallet_type_id] += transfer.signed_amount
    for balance in held:
        if earned[balance.wallet_type.pk] > 0:
            units = format_units(earned[balance.wallet_type.pk], balance.wallet_type)
            yield _("You earned %s.") % units
    for balance in held:
        yield _("You can spend %s.") % format_units(balance.spendable, balance.wallet_type)
        if balance.pending > 0:
            yield _("On their way: %s.") % format_units(balance.pending, balance.wallet_type)
