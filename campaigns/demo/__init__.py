"""What the demonstration shows of campaigns: a module for each page of theirs."""

from importlib import import_module

PARTS = (
    "messages", "browsing", "broadcasts", "devices", "connections", "journeys", "figures",
    "webhooks", "surveys", "calendar",
    "campaigns", "experiments", "games", "challenges", "offers", "referrals", "community",
)  # fmt: skip


def register() -> None:
    for part in PARTS:
        import_module(f"{__name__}.{part}").register()
