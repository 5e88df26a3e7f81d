"""Which parts and which lines of an order count for a rule, and how it rounds, in plain words."""

from __future__ import annotations

from django.utils.translation import gettext as _

from loyalty.rules.body_parts import BasePolicy, LineFilter, Rounding
from members.formatting import format_list


def describe_base(base: BasePolicy) -> list[str]:
    """Which parts of what was paid count."""
    return [
        _("Prices count after discounts.")
        if base.after_discounts
        else _("Prices count before discounts."),
        _("Tax earns too.") if base.include_tax else _("Tax does not earn."),
        _("Shipping earns too.") if base.include_shipping else _("Shipping does not earn."),
        _("What is paid with gift cards or credit earns; buying a gift card does not.")
        if base.paid_with_stored_value
        else _("Neither buying a gift card nor paying with one earns."),
        _("What is paid with points earns.")
        if base.paid_with_units
        else _("What is paid with points does not earn."),
    ]


def describe_lines(lines: LineFilter) -> str:
    """ "category Coffee, category Tea, product A-17, tag sale" """
    return format_list(
        [
            *(_("category %s") % name for name in lines.categories),
            *(_("product %s") % name for name in lines.skus),
            *(_("tag %s") % name for name in lines.tags),
        ]
    )


def describe_rounding(rounding: Rounding) -> str:
    words = {
        ("down", "order"): _("Fractions are rounded down, once per order."),
        ("nearest", "order"): _("Fractions are rounded to the nearest, once per order."),
        ("up", "order"): _("Fractions are rounded up, once per order."),
        ("down", "line"): _("Fractions are rounded down on each line."),
        ("nearest", "line"): _("Fractions are rounded to the nearest on each line."),
        ("up", "line"): _("Fractions are rounded up on each line."),
    }
    return words[rounding.mode, rounding.per]
