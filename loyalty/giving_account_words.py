"""What charities are given in money, in words: its accounts in the journal."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _l

# By the role of the account in the journal.
GIVING_NAMES = {
    "charity_money": _l("Owed to charities in money"),
    "round_ups": _l("Rounded up by buyers"),
    "pledges": _l("Pledged to charities"),
}
