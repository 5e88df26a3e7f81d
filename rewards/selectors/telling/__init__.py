"""What this application tells outside; registered when it is ready."""

from __future__ import annotations

from members.public_events import register_event_source


def register() -> None:
    """Called once, when the application is ready."""
    from rewards.selectors.telling import carts, redemptions

    for kind, teller, types in (
        ("told.redemptions", redemptions.tell_redemptions, redemptions.REDEMPTION_TYPES),
        ("told.vouchers", redemptions.tell_vouchers, redemptions.VOUCHER_TYPES),
        ("told.parcels", redemptions.tell_parcels, redemptions.PARCEL_TYPES),
        ("told.checkouts", carts.tell_checkouts, carts.CHECKOUT_TYPES),
        ("told.gift_cards", carts.tell_cards, carts.CARD_TYPES),
        ("told.transfers", carts.tell_card_movements, carts.CARD_MOVEMENT_TYPES),
        ("told.event_waits", carts.tell_seats, carts.SEAT_TYPES),
        ("told.events", carts.tell_events, carts.EVENT_TYPES),
    ):
        register_event_source(kind, teller, types)
