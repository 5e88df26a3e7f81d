"""The reasons for adjustments, and what they are called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy, gettext_noop

from loyalty.models import AdjustmentReason, Transfer
from members.prepared import KeptQuery

# The reasons that come with an installation. Their names are translated wherever they still have
# them; movements from before names were kept with them are read by this table too.
REASONS: Mapping[str, Promise] = {
    "goodwill": gettext_lazy("Goodwill"),
    "service_recovery": gettext_lazy("Something went wrong"),
    "missing_units": gettext_lazy("Purchase did not earn"),
    "correction": gettext_lazy("Correction of a mistake"),
    "surprise": gettext_lazy("A surprise"),
    "fraud": gettext_lazy("Misuse"),
    "other": gettext_lazy("Other"),
}
# Those that are not for the member's eyes.
HIDDEN = frozenset({"fraud", "other"})
# Why balances of a file are booked: nobody gives it by hand.
OPENING = "opening_balance"
OPENING_LABEL = gettext_noop("Opening balance")


def reason_label(label: str) -> str:
    """A reason's name in the reader's language, where it is one that came with the installation."""
    return gettext(label) if label else ""


def reason_of(transfer: Transfer) -> str:
    """What a movement's reason was called when it was given; before that was kept: by its code."""
    said = reason_label(transfer.explanation.get("reason", ""))
    return said or str(REASONS.get(transfer.reason, "")) or transfer.reason


def told_to_members(transfer: Transfer) -> bool:
    """Whether the member may read the reason."""
    known = transfer.reason in REASONS and transfer.reason not in HIDDEN
    return bool(transfer.explanation.get("told", known))


def list_reasons() -> list[AdjustmentReason]:
    """All of them, those that are no longer offered too."""
    return list(AdjustmentReason.objects.all())


def usable_reasons(role: str | None = None) -> list[AdjustmentReason]:
    """Those that may be given now; by this role, or by the API."""
    found = AdjustmentReason.objects.filter(is_active=True)
    return list(found if role is None else found.filter(roles__contains=[role]))


def reason_labels(codes: Iterable[str]) -> dict[str, str]:
    """What the reasons with these codes are called now."""
    found = AdjustmentReason.objects.filter(code__in=set(codes))
    return {code: reason_label(label) for code, label in found.values_list("code", "label")}


_NAMED: KeptQuery[AdjustmentReason] = KeptQuery(
    lambda code: AdjustmentReason.objects.filter(code=code)
)


def find_reason(code: str) -> AdjustmentReason | None:
    return _NAMED.first(code)
