"""Joining by the form of a program's public page: the address is proved by a link in a mail.

Known and unknown addresses get the same answer; only the owner of the mailbox learns more.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from loyalty.models import JoinRequest, Membership, Program
from loyalty.services.join_links import hash_of, new_token
from loyalty.services.joining import Joined, join_program, refuse_unless_joinable
from members.errors import DomainError, FieldError
from members.models import Customer
from members.selectors.identities import customer_of_email
from members.selectors.merchants import get_merchant
from members.selectors.merges import current
from members.services.audit import SYSTEM
from members.services.customers import create_customer
from members.services.mail import queue_mail
from members.told_consents import JOIN, ConsentSaid, ConsentsTold, keep_consents

VALID = dt.timedelta(days=2)
# Mails that one address gets in an hour, whoever asks for them.
MOST_MAILS = 3
LONGEST_DETAIL = 64


@transaction.atomic
def request_to_join(
    *,
    program: Program,
    email: str,
    given_name: str,
    family_name: str,
    detail: str,
    locale: str,
    now: dt.datetime,
    said: Sequence[ConsentSaid] = (),
) -> None:
    """Send a link by which the owner of the address joins, and says by it what they want to be
    told. Over the limit of an address nothing is
    sent, and nothing is said about it."""
    refuse_unless_joinable(program)
    email = _checked(email)
    hour = dt.timedelta(hours=1)
    recent = JoinRequest.objects.filter(email=email, created_at__gt=now - hour)
    if recent.count() >= MOST_MAILS:
        return
    token = new_token()
    JoinRequest.objects.create(
        program=program, email=email, given_name=_text(given_name, 100),
        family_name=_text(family_name, 100), locale=locale[:16],
        source_detail=_text(detail, LONGEST_DETAIL), token_hash=hash_of(token), created_at=now,
        expires_at=now + VALID, consents=[
            {"channel": item.channel, "topic": item.topic, "wording": item.wording,
             "locale": item.locale}
            for item in said if item.wanted
        ],
    )  # fmt: skip
    merchant = get_merchant()
    context = {
        "merchant": merchant,
        "program": program,
        "hours": int(VALID.total_seconds() // 3600),
        "url": settings.SITE_URL + reverse("programs:join_confirm", args=[program.code, token]),
    }
    queue_mail(
        to=email,
        subject=_("Confirm that you want to join %s") % program.name,
        text=render_to_string("programs/mail/confirm.txt", context),
    )


def forget_requests(*, now: dt.datetime) -> int:
    """Remove requests whose link works no more. Returns how many."""
    removed, _by_model = JoinRequest.objects.filter(expires_at__lte=now).delete()
    return removed


def find_request(program: Program, token: str, now: dt.datetime) -> JoinRequest | None:
    """What a link of a mail is about; None when it is wrong, or its time has passed."""
    return JoinRequest.objects.filter(
        program=program, token_hash=hash_of(token), expires_at__gt=now
    ).first()


@transaction.atomic
def confirm_request(*, request: JoinRequest, now: dt.datetime) -> Joined:
    """The address is theirs: the customer with it joins, made now where nobody has it. Opening the
    link again changes nothing."""
    refuse_unless_joinable(request.program)
    found = customer_of_email(request.email)
    customer = current(found) if found else _new_customer(request)
    joined = join_program(
        customer=customer, program=request.program, source=Membership.Source.LINK, at=now,
        actor=SYSTEM, detail=request.source_detail,
    )  # fmt: skip
    first = JoinRequest.objects.filter(pk=request.pk, confirmed_at=None).update(confirmed_at=now)
    # They ticked the boxes before they read the mail: what they said since counts.
    said = [
        ConsentSaid(wanted=True, said_at=request.created_at, **item)
        for item in (request.consents if first else ())
    ]
    keep_consents(ConsentsTold(customer, said, JOIN, SYSTEM, now, proven="email"))
    return joined


def _new_customer(request: JoinRequest) -> Customer:
    return create_customer(
        actor=SYSTEM, email=request.email, given_name=request.given_name,
        family_name=request.family_name, locale=request.locale,
    )  # fmt: skip


def _checked(email: str) -> str:
    email = email.replace("\x00", "").strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        message = _("Write an e-mail address like ann@example.com.")
        raise DomainError(message, errors=[FieldError("email", message)]) from error
    return email


def _text(text: str, most: int) -> str:
    return " ".join(text.replace("\x00", "").split())[:most]
