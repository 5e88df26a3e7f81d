"""What discounts cost, in words: its accounts in the journal."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _l

# By the role of the account in the journal.
DISCOUNT_NAMES = {
    "discounts": _l("Sales that came in less"),
    "rule_discounts": _l("Taken off by discount rules and cards"),
    "reward_discounts": _l("Taken off by rewards"),
    "voucher_discounts": _l("Taken off by vouchers for anybody"),
    "tier_worth": _l("Paid by units beyond their worth, in a tier"),
}
