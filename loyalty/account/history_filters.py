"""What the history shows: movements of units, all or in one direction, or purchases."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _

from loyalty.account.chosen import Chosen
from members.navigation import Tab

DIRECTIONS = ("", "in", "out")
PURCHASES = "purchases"


def history_filters(chosen: Chosen, current: str) -> list[Tab]:
    """Links to each, of the membership that is shown. `current`: a direction, or PURCHASES."""
    movements, purchases = _address(chosen, "history"), _address(chosen, "purchases")
    labels = {"": _("All"), "in": _("Added"), "out": _("Taken off")}
    found = [
        Tab(label, f"{movements}?show={key}" if key else movements, current=key == current)
        for key, label in labels.items()
    ]
    return [*found, Tab(_("Purchases"), purchases, current=current == PURCHASES)]


def _address(chosen: Chosen, name: str) -> str:
    if len(chosen.all) < 2:
        return reverse(f"mypage:{name}")
    return reverse(f"mypage:{name}_of", args=[chosen.membership.public_id])
