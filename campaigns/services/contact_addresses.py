"""Devices and numbers of their own by which members are reached."""

from __future__ import annotations

import datetime as dt
import re

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.addresses import digest_of
from campaigns.models import BlockedAddress, ContactAddress
from campaigns.services.number_codes import send_code
from campaigns.short_texts import PUSH, WHATSAPP
from members.errors import ConflictError, DomainError, FieldError
from members.models import Customer
from members.phones import normalize_phone
from members.program_scope import of_all_programs
from members.selectors.erased import refuse_erased
from members.selectors.merges import refuse_merged
from members.services.audit import Actor, record_audit

# Those that members name themselves, and how many each may have.
NAMED = {PUSH: 20, WHATSAPP: 1}
# A device is named on the device itself.
SHOWN_BY_CODE = frozenset({WHATSAPP})
LONGEST, LONGEST_LABEL = 500, 80
# Keys as providers draw them. What begins with “#” or “@” is a whole group or somebody else to
# some, a comma parts several, and some read what is written as “%23” once more.
_KEY = re.compile(r"[\w:./~+=-]+", re.ASCII)


@of_all_programs()
@transaction.atomic
def name_address(
    *, customer: Customer, channel: str, address: str, label: str = "", actor: Actor,
    now: dt.datetime, vouched: bool = True,
) -> ContactAddress:  # fmt: skip
    """They are reached there from now on, before the others that they named. Named again it works
    again. A device goes with who signs in on it; a number that is another's is refused. `vouched`:
    the shop or its staff say whose it is; a number that somebody names themselves is shown to be
    theirs by a code, which is sent there (`number_codes`). Raises DomainError."""
    refuse_merged(customer)
    cleaned = _checked(channel, address)
    label = " ".join(label.replace("\x00", "").split())[:LONGEST_LABEL]
    refuse_erased(Customer.objects.select_for_update().get(pk=customer.pk))
    digest = digest_of(cleaned)
    known = ContactAddress.objects.select_for_update().filter(channel=channel, digest=digest)
    row = known.first()
    new = row is None or row.customer_id != customer.pk
    if row is not None and new and row.confirmed_at is not None:
        _refuse_foreign(channel)
    values = {"customer": customer, "address": cleaned, "label": label, "named_at": now}
    if vouched or channel not in SHOWN_BY_CODE:
        values |= {"confirmed_at": now, "code_at": None, "code_tries": 0}
    elif new:
        # Whoever named it before has not shown that it is theirs.
        values |= {"confirmed_at": None, "code_at": None, "code_tries": 0}
    row, _made = ContactAddress.objects.update_or_create(
        channel=channel, digest=digest, defaults=values
    )
    BlockedAddress.objects.filter(
        channel=channel, digest=digest, reason=BlockedAddress.Reason.BOUNCED
    ).delete()
    if new:
        record_audit(
            actor=actor, action="address.named", target=customer, after={"channel": channel}
        )
    _keep_newest(customer, channel)
    return row if row.confirmed_at is not None else send_code(address=row, now=now)


@transaction.atomic
def remove_address(*, address: ContactAddress, actor: Actor) -> None:
    """Nothing is sent there any more. Again changes nothing."""
    removed, _by_model = ContactAddress.objects.filter(pk=address.pk).delete()
    if removed:
        record_audit(
            actor=actor, action="address.removed", target=address.customer,
            after={"channel": address.channel},
        )  # fmt: skip


def _checked(channel: str, address: str) -> str:
    if channel not in NAMED:
        message = _("There is no such channel.")
        raise DomainError(message, errors=[FieldError("channel", message, "not_found")])
    cleaned = address.replace("\x00", "").strip()
    blanks = channel != WHATSAPP and any(one.isspace() for one in cleaned)
    if not cleaned or blanks or len(cleaned) > LONGEST:
        message = _("Write it without blanks, with at most %s characters.") % LONGEST
        raise DomainError(message, errors=[FieldError("address", message)])
    if channel == WHATSAPP:
        return normalize_phone(cleaned, field="address")
    if not _KEY.fullmatch(cleaned):
        message = _("Write the key as the app has it: letters, digits and : . / ~ + = _ -")
        raise DomainError(message, errors=[FieldError("address", message)])
    return cleaned


def _refuse_foreign(channel: str) -> None:
    if channel != PUSH:
        message = _("Another customer already has this number.")
        raise ConflictError(message, code="taken", errors=[FieldError("address", message, "taken")])


def _keep_newest(customer: Customer, channel: str) -> None:
    """One that is to be shown first takes no place of those that are."""
    own = ContactAddress.objects.filter(customer=customer, channel=channel)
    for theirs in (own.exclude(confirmed_at=None), own.filter(confirmed_at=None)):
        kept = theirs.order_by("-named_at", "-pk").values_list("pk", flat=True)[: NAMED[channel]]
        theirs.exclude(pk__in=list(kept)).delete()
