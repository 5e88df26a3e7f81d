"""What the demonstration's shop sells, and what was written about it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Goods:
    sku: str
    name: str
    category: str
    price: Decimal
    icon: str
    text: str


GOODS = {
    item.sku: item
    for item in (
        Goods("coffee", "Coffee beans, 500 g", "COFFEE", Decimal("12.50"), "coffee",
              "Roasted on Tuesdays, sold by Saturday."),
        Goods("bread", "Sourdough loaf", "BAKERY", Decimal("6.20"), "bread",
              "Baked overnight with rye from the valley."),
        Goods("apples", "Orchard apples, 1 kg", "FRUIT", Decimal("4.80"), "apple",
              "Whatever is ripe: today Cox and Gala."),
        Goods("cheese", "Mountain cheese, 250 g", "DAIRY", Decimal("9.90"), "cheese",
              "Twelve months in the cellar."),
        Goods("oil", "Olive oil, 750 ml", "PANTRY", Decimal("18.40"), "bottle",
              "First pressing, one grove."),
        Goods("flowers", "Bunch of field flowers", "FLOWERS", Decimal("14.00"), "flower",
              "Cut this morning."),
    )
}  # fmt: skip
# What customers of the demonstration say, whoever they are.
REVIEWS = ("Would buy it again, and have.", "Better than it has to be.")
