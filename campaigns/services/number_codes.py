"""Showing that a number is one's own: by a code that is sent there and typed here.

Until then nothing but codes is sent to it. A code is worked out from when it was asked for, so none
is kept with the number; another one makes the one before useless.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from campaigns.channels import channel_named
from campaigns.models import ContactAddress, Delivery, Message, OccasionSetting
from campaigns.news import News
from campaigns.occasions import occasion_named
from campaigns.selectors.ways import usable_senders
from campaigns.services.messages import write_messages
from members.errors import ConflictError, DomainError, FieldError
from members.models import Customer
from members.services.audit import Actor, record_audit

NUMBER_CODE = "number_code"
DIGITS = 6
LASTS = dt.timedelta(minutes=20)
MOST_TRIES = 5
# So many codes in a day for one customer: nobody is bothered by a number that is not theirs.
MOST_CODES, A_DAY = 5, dt.timedelta(days=1)
BETWEEN = dt.timedelta(minutes=1)


@transaction.atomic
def send_code(*, address: ContactAddress, now: dt.datetime) -> ContactAddress:
    """Send a code there, which counts instead of the one before; for a minute that one stays.
    Raises ConflictError where there were too many, or nothing can be sent."""
    customer = Customer.objects.select_for_update().get(pk=address.customer_id)
    row = ContactAddress.objects.select_for_update().get(pk=address.pk)
    if row.confirmed_at is not None or (row.code_at is not None and now < row.code_at + BETWEEN):
        return row
    if row.channel not in {way.key for way in usable_senders()}:
        raise ConflictError(_("Nothing can be sent there yet."), code="channel_off")
    sent = Message.objects.filter(customer=customer, occasion=NUMBER_CODE)
    if sent.filter(created_at__gt=now - A_DAY).count() >= MOST_CODES:
        message = _("You had %s codes today. Ask for another one tomorrow.") % MOST_CODES
        raise ConflictError(message, code="too_many_codes")
    row.code_at, row.code_tries = now, 0
    row.save(update_fields=["code_at", "code_tries"])
    _tell(customer, row, now)
    return row


def confirm_number(
    *, address: ContactAddress, code: str, actor: Actor, now: dt.datetime
) -> ContactAddress:
    """It is theirs from now on, and takes the place of the one before. Again changes nothing.
    Commits what was tried, whatever comes of it. Raises DomainError for a code that is not the
    one, ConflictError for one that does not count any more."""
    with transaction.atomic():
        Customer.objects.select_for_update().get(pk=address.customer_id)
        row = ContactAddress.objects.select_for_update().get(pk=address.pk)
        if row.confirmed_at is not None:
            return row
        if row.code_at is None or now >= row.code_at + LASTS or row.code_tries >= MOST_TRIES:
            message = _("This code does not count any more. Ask for another one.")
            raise ConflictError(message, code="code_over", errors=[FieldError("code", message)])
        if constant_time_compare(code_of(row), "".join(code.split())):
            _take_over(row, actor, now)
            return row
        row.code_tries += 1
        row.save(update_fields=["code_tries"])
    message = _("This is not the code that was sent last.")
    raise DomainError(message, errors=[FieldError("code", message)])


def code_of(row: ContactAddress) -> str:
    """The code that counts."""
    assert row.code_at is not None
    about = f"{row.public_id}:{bytes(row.digest).hex()}:{row.customer_id}:{row.code_at.isoformat()}"
    drawn = salted_hmac("setia.messages.number", about, algorithm="sha256").digest()
    return f"{int.from_bytes(drawn[:8], 'big') % 10**DIGITS:0{DIGITS}}"


def _take_over(row: ContactAddress, actor: Actor, now: dt.datetime) -> None:
    row.confirmed_at, row.code_at, row.code_tries = now, None, 0
    row.save(update_fields=["confirmed_at", "code_at", "code_tries"])
    others = ContactAddress.objects.filter(customer=row.customer_id, channel=row.channel)
    others.exclude(pk=row.pk).delete()
    record_audit(
        actor=actor, action="address.confirmed", target=row.customer,
        after={"channel": row.channel},
    )  # fmt: skip


def _tell(customer: Customer, row: ContactAddress, now: dt.datetime) -> None:
    """To this number, wherever they are reached else."""
    occasion, channel = occasion_named(NUMBER_CODE), channel_named(row.channel)
    assert occasion is not None
    assert channel is not None
    code = code_of(row)
    news = News(
        customer, f"{row.public_id}:{now.isoformat()}", lambda: {"code": code},
        link=reverse("messages_account:devices"),
    )  # fmt: skip
    setting = OccasionSetting(code=occasion.code, channels=[channel.key], topic=occasion.topic)
    written = write_messages(occasion=occasion, setting=setting, news=[news], now=now)
    # Not committed yet, so no worker has seen it.
    Delivery.objects.filter(message__in=written).update(device=row.public_id)
