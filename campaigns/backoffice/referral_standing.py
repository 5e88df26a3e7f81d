"""How far the referral of a friend is, and what is missing: to be read out to who brought them."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _

from campaigns.models import Referral, ReferralPayment
from campaigns.referral_words import got_words, refusal_words
from campaigns.selectors.referrals import begins_at, terms_said
from members.formatting import format_day, format_money

Status = Referral.Status


def standing_words(item: Referral) -> str:
    """One sentence, from what was promised when the friend came."""
    match item.status:
        case Status.INVITED:
            return _("Is on the waiting list, and no member yet.")
        case Status.JOINED:
            return _must_buy(item)
        case Status.PENDING:
            return _waits(item)
        case Status.IN_REVIEW:
            # That somebody is suspected is not for reading out: the referral's page says it.
            return _("Is being checked.")
        case Status.PAID:
            return _paid(item)
        case Status.LAPSED:
            return _("Bought nothing that counts in time.")
        case _:
            # What a colleague noted is not for reading out either.
            return refusal_words(item) or _("Does not count")


def _must_buy(item: Referral) -> str:
    definition, begin = terms_said(item), begins_at(item)
    assert begin is not None
    last = begin + dt.timedelta(days=definition.within_days)
    words = {"day": _day(item, last)}
    if definition.least is None:
        return _("Has joined, and has to buy by %(day)s.") % words
    words["amount"] = format_money(definition.least, item.program.currency)
    return _("Has joined, and has to buy for %(amount)s or more at once by %(day)s.") % words


def _waits(item: Referral) -> str:
    if item.due_at is None or item.bought_at is None:
        return _("Has bought. It is not paid yet.")
    return _("Bought on %(day)s. It is paid on %(due)s, unless they give it back.") % {
        "day": _day(item, item.bought_at), "due": _day(item, item.due_at),
    }  # fmt: skip


def _paid(item: Referral) -> str:
    payments = [
        payment
        for payment in item.payments.all()
        if payment.side == ReferralPayment.Side.ADVOCATE and not payment.missed
    ]
    got = got_words(payments, item.program.currency)
    if not got:
        return _("Was paid; it brought nothing to who brought them.")
    day = _day(item, payments[0].paid_at)
    return _("Brought %(what)s on %(day)s.") % {"what": got, "day": day}


def _day(item: Referral, moment: dt.datetime) -> str:
    return format_day(moment.astimezone(item.program.zone).date())
