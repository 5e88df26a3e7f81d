"""The e-mail that brings a gift card to whom it is for."""

from __future__ import annotations

from django.utils.translation import gettext as _

from members.formatting import format_money
from members.selectors.merchants import get_merchant
from members.services.mail import queue_mail
from rewards.gift_card_codes import code_of_seed
from rewards.models import GiftCard


def mail_gift_card(card: GiftCard) -> None:
    """Have it sent with the caller's transaction. Its text is forgotten once it is on its way."""
    assert card.seed is not None
    money = format_money(card.amount, card.program.currency)
    merchant = get_merchant().name
    lines = [
        _("Hello %s,") % card.recipient_name if card.recipient_name else _("Hello,"),
        "",
        _("%(sender)s has a gift card of %(money)s from %(merchant)s for you.")
        % {"sender": card.sender_name, "money": money, "merchant": merchant}
        if card.sender_name
        else _("Here is a gift card of %(money)s from %(merchant)s.")
        % {"money": money, "merchant": merchant},
    ]
    if card.message:
        lines += ["", card.message]
    lines += [
        "",
        _("Its code: %s") % code_of_seed(bytes(card.seed), bytes(card.code_hash)),
        "",
        _("Whoever has the code can pay with it, so keep it like money."),
    ]
    queue_mail(
        to=card.recipient_email,
        subject=_("A gift card of %(money)s from %(merchant)s")
        % {"money": money, "merchant": merchant},
        text="\n".join(lines),
    )
