"""What the demonstration shows of rewards: a module for each page of theirs."""

from importlib import import_module

PARTS = ("catalog", "checkouts", "cards", "experiences", "storefront")


def register() -> None:
    for part in PARTS:
        import_module(f"{__name__}.{part}").register()
