"""Why a movement happened, in words: the recorded codes and numbers put into the reader's language.

Nothing here asks the database: `loyalty.selectors.transfers` loads all that is read.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from loyalty.arithmetic import arithmetic, conversion_steps
from loyalty.lot_words import last_day
from loyalty.models import Transfer
from loyalty.ready_activities import told_for_reader
from loyalty.selectors.adjustment_reasons import reason_of, told_to_members
from loyalty.stored_value_words import deposit_title, moved_title
from members.formatting import format_day, format_money, format_number, format_units
from members.timeline_view import WhyStep

Audience = Literal["member", "staff"]

_PURCHASES = (Transfer.Kind.ACCRUAL, Transfer.Kind.REDEMPTION)

# What moved units or a debt from one wallet of a person to another.
_MERGES: dict[str, Promise] = {
    "joined": gettext_lazy("Two accounts were merged"),
    "passed_on": gettext_lazy("Two accounts were merged"),
    "parted": gettext_lazy("The merge of two accounts was undone"),
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """A title ("Earned with order 4711") and the reasons, each a text and often its value.
    `message`: what the merchant, or another member, wrote with a gift."""

    title: str
    why: tuple[WhyStep, ...]
    message: str = ""

    @property
    def steps(self) -> tuple[str, ...]:
        """The reasons as sentences, for readers that have no second column."""
        return tuple(_sentence(step) for step in self.why)


def purchase_words(transfer: Transfer) -> str:
    """What was bought where, for what an order earned or was paid with."""
    order = transfer.order
    if order is None or transfer.kind not in _PURCHASES:
        return ""
    amount = format_money(order.total, order.currency)
    if transfer.explanation.get("partner"):
        words = {"amount": amount, "partner": transfer.explanation["partner"]}
        return _("Purchase of %(amount)s at %(partner)s") % words
    if order.store:
        return _("Purchase of %(amount)s, %(store)s") % {"amount": amount, "store": order.store}
    return _("Purchase of %s") % amount


def circumstances_of(transfer: Transfer) -> str:
    """By which rule a purchase earned, since each of several rules has a line of its own, and what
    was bought where."""
    bought, earned = purchase_words(transfer), transfer.explanation
    named = transfer.kind == Transfer.Kind.ACCRUAL and not earned.get("window")
    rule = earned.get("rule", "") if bought and named else ""
    return " · ".join(part for part in (rule, bought) if part)


def explain_transfer(transfer: Transfer, *, audience: Audience = "member") -> Explanation:
    """Staff also read the rule and its version, the refund's number, the note and who did it."""
    why = [*_reckoning(transfer), *_circumstances(transfer), *_paid(transfer), *_debt(transfer)]
    if audience == "staff":
        why += _for_staff(transfer)
    elif told_to_members(transfer):
        why.append(WhyStep(_("Reason"), reason_of(transfer)))
    of_window = transfer.explanation.get("window")
    title = _bonus_title(transfer) if of_window else _title(transfer, audience)
    message = transfer.explanation.get("message", "")
    return Explanation(title, tuple(why), message)


def earned_title(order: str) -> str:
    """The title of what a new order earns."""
    return _("Earned with order %s") % order if order else _("Earned")


def icon_of(transfer: Transfer, usual: str) -> str:
    """The icon of what was earned without an order; else the usual one of its kind."""
    if transfer.kind != Transfer.Kind.ACCRUAL:
        return usual
    if transfer.explanation.get("occasion"):
        return "cake"
    if transfer.explanation.get("founding"):
        return "rocket"
    if transfer.explanation.get("referral"):
        return "user-heart"
    if transfer.explanation.get("plan"):
        return "credit-card"
    return "star" if transfer.explanation.get("activity") else usual


def _sentence(step: WhyStep) -> str:
    if not step.value:
        return step.text
    pattern = pgettext("a reason and its value, as a sentence", "%(text)s: %(value)s.")
    return pattern % {"text": step.text, "value": step.value}


def _bonus_title(transfer: Transfer) -> str:
    """Of what belongs to a window rather than to an order."""
    rule: str = transfer.explanation["rule"]
    if transfer.kind == Transfer.Kind.CLAWBACK:
        return _("Bonus no longer reached: %s") % rule
    return _("Bonus: %s") % rule


def _title(transfer: Transfer, audience: Audience) -> str:
    match transfer.kind:
        case Transfer.Kind.ACCRUAL | Transfer.Kind.CLAWBACK:
            return _order_title(transfer)
        case Transfer.Kind.ADJUSTMENT:
            return _adjusted(transfer, audience)
        case Transfer.Kind.GIFT:
            return _gift_title(transfer, audience)
        case Transfer.Kind.DEPOSIT:
            return deposit_title(transfer.explanation)
        case Transfer.Kind.POOL:
            return _pool_title(transfer, audience)
        case Transfer.Kind.DONATION:
            return str(_("Given to %s") % transfer.explanation["charity"])
        case Transfer.Kind.REVERSAL:
            return _undone_title(transfer.explanation)
    return _title_of_lots_and_debts(transfer, audience)


def _order_title(transfer: Transfer) -> str:
    details = transfer.explanation
    order: str = details.get("order", "")
    refund: str = details.get("refund", "")
    own = _title_without_order(details, taken=transfer.kind == Transfer.Kind.CLAWBACK)
    if own:
        return own
    match transfer.kind:
        case Transfer.Kind.ACCRUAL if order and details.get("was"):
            return _("Order %s changed and earned more") % order
        case Transfer.Kind.ACCRUAL:
            return earned_title(order)
        case Transfer.Kind.CLAWBACK if refund:
            return _("Refund of order %s") % order if order else _("Refund %s") % refund
        case Transfer.Kind.CLAWBACK if order:
            return (
                _("Order %s changed and earns less")
                if details.get("now")
                else _("Order %s was canceled")
            ) % order
    return transfer.get_kind_display()


def _title_without_order(details: dict[str, Any], *, taken: bool) -> str:
    """Of what was earned by something else than buying, or taken back of it; empty: by buying."""
    if details.get("came_from"):
        return str(_("Came from %s, which ended") % details["came_from"])
    if details.get("founding"):
        return _("Founding member no. %s") % format_number(details["founding"])
    if details.get("plan"):
        plan: str = details["plan"]
        return (
            _("Your plan %s was refunded") % plan if taken else _("Comes with your plan %s") % plan
        )
    said = told_for_reader(details.get("activity", ""))
    if details.get("referral"):
        said = _referral_title(details["referral"], further=bool(details.get("further")))
    if details.get("occasion"):
        said = _occasion_title(details["occasion"], details["years"])
    return _("Taken back: %s") % said if said and taken else said


def _referral_title(side: str, *, further: bool) -> str:
    if further:
        return _("Share of a further purchase")
    return _("Brought a friend") if side == "advocate" else _("Came by a friend")


def _occasion_title(occasion: str, years: int) -> str:
    if occasion == "birthday":
        return _("Happy birthday")
    if occasion == "enrollment":
        return ngettext("%s year with us", "%s years with us", years) % years
    words = ngettext("%s year since the first purchase", "%s years since the first purchase", years)
    return words % years


def _undone_title(details: dict[str, Any]) -> str:
    order: str = details.get("order", "")
    match details.get("undone"):
        case "redemption" if order:
            return _("What order %s was paid with came back") % order
        case "redemption" if details.get("reward"):
            return str(_("Given up: %s") % details["reward"])
        case "redemption" if details.get("checkout"):
            return _("Came back from a checkout")
        case "redemption":
            return _("A redemption was undone")
        case "deposit":
            return _("What was paid in was taken back")
        case "gift":
            return _("A gift was undone")
        case "donation":
            return str(_("What was given to %s came back") % details["charity"])
    return _("An adjustment was undone")


def _title_of_lots_and_debts(transfer: Transfer, audience: Audience) -> str:
    """Spending, expiry, and what becomes of a debt."""
    details = transfer.explanation
    order: str = details.get("order", "")
    match transfer.kind:
        case Transfer.Kind.REDEMPTION:
            return _spent_title(transfer, order, audience)
        case Transfer.Kind.REINSTATEMENT if details.get("code") == "taken_back":
            return _("Not expired after all")
        case Transfer.Kind.REINSTATEMENT:
            return _("Expired units were brought back")
        case Transfer.Kind.WRITE_OFF if order:
            return _("Owed after order %s and written off") % order
        case Transfer.Kind.SETTLEMENT if transfer.signed_amount < 0:
            return _("Used to settle what was owed")
    return str(_MERGES.get(details.get("code", ""), transfer.get_kind_display()))


def _spent_title(transfer: Transfer, order: str, audience: Audience) -> str:
    """In a pool's history it says who spent."""
    name = _name_of(getattr(transfer, "spender", None), audience)
    if transfer.explanation.get("became"):
        return str(_("Went on in %s") % transfer.explanation["became"])
    if transfer.explanation.get("reward"):
        return str(_("Taken: %s") % transfer.explanation["reward"])
    if transfer.explanation.get("checkout"):
        return _("Used at a checkout")
    if order and name:
        return _("Order %(order)s, paid by %(name)s") % {"order": order, "name": name}
    if order:
        return _("Paid for order %s") % order
    if transfer.explanation.get("partner") and not name:
        return str(_("Spent at %s") % transfer.explanation["partner"])
    return _("Redeemed by %s") % name if name else transfer.get_kind_display()


def _adjusted(transfer: Transfer, audience: Audience) -> str:
    gift = bool(transfer.explanation.get("grant"))
    if audience == "staff":
        reason = reason_of(transfer) or _("no reason given")
        return (_("Gift: %s") if gift else _("Adjusted: %s")) % reason
    if gift:
        return _("A gift for you")
    if transfer.explanation.get("game") and transfer.signed_amount > 0:
        return str(_("Won in a game: %s") % transfer.explanation["game"])
    return _("Added by our team") if transfer.signed_amount > 0 else _("Taken off by our team")


def _reckoning(transfer: Transfer) -> Iterator[WhyStep]:
    """How an order came to so many units. A write-off carries the reckoning of what it forgives."""
    if transfer.kind != Transfer.Kind.WRITE_OFF:
        if transfer.explanation.get("converted"):
            yield from conversion_steps(transfer.explanation["converted"])
        yield from arithmetic(
            transfer.explanation.get("steps", []),
            wallet_type=transfer.wallet_type,
            currency=transfer.explanation.get("currency", ""),
        )
        yield from _order_before_and_after(transfer)


def _circumstances(transfer: Transfer) -> Iterator[WhyStep]:
    """What the title leaves open of units that expired, or were owed."""
    words: dict[str, str] = {
        "taken_back": _("A refund, or a redemption told later, used them"),
        "beyond_balance": _("More was taken back than there was"),
        "expiring": _("They would have expired"),
    }
    details = transfer.explanation
    if details.get("code") in words:
        yield WhyStep(words[details["code"]])
    yield from _expired(transfer)
    if details.get("partner"):
        yield WhyStep(_("At our partner"), details["partner"])
    if details.get("founding"):
        days = ngettext(
            "Joined within %s day of the launch", "Joined within %s days of the launch",
            details["days"],
        )  # fmt: skip
        yield WhyStep(days % format_number(details["days"]))
    if details.get("until"):
        yield WhyStep(_("Usable until"), format_day(dt.date.fromisoformat(details["until"])))


def _expired(transfer: Transfer) -> Iterator[WhyStep]:
    """Which units they were that expired, and how long they could be used."""
    lot: dict[str, str] | None = getattr(transfer, "expired_lot", None)
    if lot is None:
        return
    zone = transfer.wallet_type.program.zone
    earned = dt.datetime.fromisoformat(lot["earned_at"])
    yield WhyStep(earned_title(lot["order"] or ""), format_day(earned, zone))
    yield WhyStep(_("Usable until"), format_day(last_day(transfer.occurred_at, zone)))


def _paid(transfer: Transfer) -> Iterator[WhyStep]:
    """What units paid, as it was then, and the tier in which they paid that."""
    details = transfer.explanation
    if transfer.kind == Transfer.Kind.REDEMPTION and details.get("pays"):
        yield WhyStep(_("Paid"), format_money(Decimal(details["pays"]), details["currency"]))
        if details.get("tier"):
            yield WhyStep(_("At what they are worth in"), details["tier"])


def _gift_title(transfer: Transfer, audience: Audience) -> str:
    card: str = transfer.explanation.get("gift_card", "")
    if card:
        return moved_title(card)
    name = _counterpart(transfer, audience) or _("another member")
    return (_("Gift from %s") if transfer.signed_amount > 0 else _("Gift to %s")) % name


# What moved between a member and their pool: as the member reads it, and in the pool's own history.
_POOLED: dict[str, tuple[Promise, Promise]] = {
    "earned": (gettext_lazy("Shared with %s"), gettext_lazy("Shared by %s")),
    "brought": (gettext_lazy("Brought to %s"), gettext_lazy("Brought by %s")),
    "put_in": (gettext_lazy("Put into %s"), gettext_lazy("Put in by %s")),
    "taken": (gettext_lazy("Taken from %s"), gettext_lazy("Taken by %s")),
    "returned": (
        gettext_lazy("Back from %s, for a return"),
        gettext_lazy("Back to %s, for a return"),
    ),
    "left": (gettext_lazy("Back from %s on leaving"), gettext_lazy("Back to %s, who left")),
    "closed": (gettext_lazy("Back from %s, which closed"), gettext_lazy("Back to %s on closing")),
}


def _pool_title(transfer: Transfer, audience: Audience) -> str:
    words = _POOLED.get(transfer.explanation.get("pool", ""))
    if words is None:
        return str(transfer.get_kind_display())
    pool: str | None = (getattr(transfer, "counterpart", None) or {}).get("pool")
    if pool:
        return str(words[0]) % pool
    return str(words[1]) % (_counterpart(transfer, audience) or _("a member"))


def _counterpart(transfer: Transfer, audience: Audience) -> str:
    """Whose the wallet on the other side is: members read each other's given names only. Looked
    up, not kept with the movement, so that it is what they are called now, and nothing once they
    are forgotten."""
    return _name_of(getattr(transfer, "counterpart", None), audience)


def _name_of(names: dict[str, str | None] | None, audience: Audience) -> str:
    names = names or {}
    parts = [names.get("given"), names.get("family") if audience == "staff" else ""]
    return " ".join(part for part in parts if part)


def _order_before_and_after(transfer: Transfer) -> Iterator[WhyStep]:
    """An order that was judged again: what it had earned, and what it deserves as it is now."""
    details = transfer.explanation
    if details.get("was"):
        had = _("It had brought") if details.get("window") else _("The order had earned")
        yield WhyStep(had, format_units(details["was"], transfer.wallet_type))
        yield WhyStep(_("It now earns"), format_units(details["now"], transfer.wallet_type))
    if details.get("taken"):
        yield WhyStep(
            _("Taken of it before, by hand"), format_units(details["taken"], transfer.wallet_type)
        )


def _debt(transfer: Transfer) -> Iterator[WhyStep]:
    units = format_units(abs(transfer.debt_change), transfer.wallet_type)
    if transfer.debt_change > 0 and transfer.wallet.debt_blocks:
        yield WhyStep(_("Already spent, so still to settle"), units)
    elif transfer.debt_change > 0:
        yield WhyStep(_("Already spent, so settled by what is earned next"), units)
    elif transfer.kind == Transfer.Kind.WRITE_OFF:
        yield WhyStep(_("No longer owed"), units)
    elif transfer.debt_change < 0:
        yield WhyStep(_("Settled what was still owed"), units)


def _for_staff(transfer: Transfer) -> Iterator[WhyStep]:
    details: dict[str, Any] = transfer.explanation
    if "rule" in details:
        named = {"rule": details["rule"], "version": details["version"]}
        yield WhyStep(_("Rule"), _("%(rule)s, version %(version)s") % named)
    if details.get("refund"):
        yield WhyStep(_("Refund"), details["refund"])
    if transfer.kind == Transfer.Kind.REVERSAL and reason_of(transfer):
        yield WhyStep(_("Reason"), reason_of(transfer))
    if details.get("message"):
        yield WhyStep(_("Message"), details["message"])
    if transfer.note:
        yield WhyStep(_("Note"), transfer.note)
    if transfer.actor_id:
        yield WhyStep(_("By"), str(transfer.actor))
    if details.get("approved_by"):
        yield WhyStep(_("Approved by"), details["approved_by"])
