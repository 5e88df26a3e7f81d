"""The links by which members bring others: made once, counted when they are opened."""

from __future__ import annotations

import datetime as dt
import secrets

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from campaigns.models import (
    Affiliate,
    ReferralAsk,
    ReferralLink,
    ReferralProgram,
    ReferralVisit,
)
from campaigns.referral_traces import Place, digest_of, plain_email, plain_trace
from loyalty.models import Membership, Program
from loyalty.services.join_requests import VALID
from members.errors import DomainError, FieldError
from rewards.codes import ALPHABET, plain

SIGNS = 8
# What the source of a membership says of a link; also by the `c` of a program's own page.
DETAIL = "ref-"


def link_of(membership: Membership, now: dt.datetime) -> ReferralLink | None:
    """A member's own, made when it is first asked for; None where nobody brings friends, and of
    somebody who is no active member."""
    if membership.status != Membership.Status.ACTIVE:
        return None
    known = ReferralLink.objects.filter(membership=membership).first()
    if known is not None:
        return known
    row = ReferralProgram.objects.filter(program=membership.program_id).first()
    if row is None or not row.terms.exists():
        return None
    found, _made = ReferralLink.objects.get_or_create(
        membership=membership,
        defaults={"referral_program": row, "code": _free_code(), "created_at": now},
    )
    return found


def link_of_affiliate(affiliate: Affiliate, now: dt.datetime) -> ReferralLink:
    found, _made = ReferralLink.objects.get_or_create(
        affiliate=affiliate,
        defaults={"referral_program": affiliate.referral_program, "code": _free_code(),
                  "created_at": now},
    )  # fmt: skip
    return found


def find_link(code: str, program: Program | None = None) -> ReferralLink | None:
    """By its code, however it was typed."""
    rows = ReferralLink.objects.select_related(
        "referral_program__program", "membership__customer", "membership__merged_into__customer",
        "affiliate",
    )  # fmt: skip
    if program is not None:
        rows = rows.filter(referral_program__program=program)
    return rows.filter(code=plain(code)[:16]).first()


def link_named(code: str, program: Program) -> ReferralLink:
    """Raises DomainError."""
    found = find_link(code, program)
    if found is None:
        message = _("There is no such code of a friend.")
        raise DomainError(
            message, code="no_such_code", errors=[FieldError("referral_code", message, "unknown")]
        )
    return found


def address_of(link: ReferralLink) -> str:
    return str(settings.SITE_URL) + reverse("referrals:invited", args=[link.code])


def note_visit(link: ReferralLink, place: Place, now: dt.datetime) -> None:
    """Counted once for each visitor and day."""
    day = now.astimezone(link.referral_program.program.zone).date()
    visitor = digest_of("visitor", f"{link.pk}|{plain_trace(place.device)}")
    ReferralVisit.objects.bulk_create(
        [ReferralVisit(link=link, day=day, visitor=visitor)], ignore_conflicts=True
    )


def note_ask(link: ReferralLink, email: str, place: Place, now: dt.datetime) -> None:
    """Where somebody was who asked to join: the mail is confirmed anywhere."""
    ReferralAsk.objects.create(
        link=link, email=digest_of("email", plain_email(email)),
        device=digest_of("device", plain_trace(place.device)),
        network=digest_of("network", plain_trace(place.network)), asked_at=now,
    )  # fmt: skip


@transaction.atomic
def forget_asks(now: dt.datetime) -> int:
    """Those whose mail cannot be confirmed any more."""
    gone, _by_model = ReferralAsk.objects.filter(asked_at__lt=now - VALID).delete()
    return gone


def _free_code() -> str:
    """Nobody guesses one: 31^8 are 8 · 10^11."""
    return "".join(secrets.choice(ALPHABET) for _sign in range(SIGNS))
