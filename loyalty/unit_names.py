"""What pictures of units are called, and which languages have more than one plural."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

ICON_NAMES: Mapping[str, Promise] = {
    "award": _("Ribbon"), "bike": _("Bicycle"), "bolt": _("Lightning"), "book": _("Book"),
    "bread": _("Bread"), "car": _("Car"), "cash": _("Banknote"), "coffee": _("Coffee"),
    "coin": _("Coin"), "coins": _("Coins"), "cookie": _("Cookie"), "crown": _("Crown"),
    "diamond": _("Diamond"), "flame": _("Flame"), "flower": _("Flower"), "gift": _("Gift"),
    "heart": _("Heart"), "leaf": _("Leaf"), "medal": _("Medal"), "paw": _("Paw"),
    "pig-money": _("Piggy bank"), "pizza": _("Pizza"), "plant": _("Plant"),
    "rosette": _("Rosette"), "rubber-stamp": _("Stamp"), "scissors": _("Scissors"),
    "seedling": _("Seedling"), "shirt": _("Shirt"), "star": _("Star"), "ticket": _("Ticket"),
    "trophy": _("Trophy"), "wallet": _("Wallet"),
}  # fmt: skip

PLURAL_LANGUAGES: tuple[tuple[str, Promise], ...] = (
    ("", _("None: one and several are enough")), ("ar", _("Arabic")), ("be", _("Belarusian")),
    ("cs", _("Czech")), ("hr", _("Croatian")), ("lt", _("Lithuanian")), ("pl", _("Polish")),
    ("ro", _("Romanian")), ("ru", _("Russian")), ("sk", _("Slovak")), ("sl", _("Slovenian")),
    ("sr", _("Serbian")), ("uk", _("Ukrainian")),
)  # fmt: skip
