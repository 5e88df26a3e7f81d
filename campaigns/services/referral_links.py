"""The links by which members bring others: made once, counted when they are opened."""

from __future__ import annotations

import datetime as dt
import secrets

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.db.models import F
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
# Of one place on the network, in an hour.
MOST_VISITS = 30
# Longer than the months of the figures reach back.
VISITS_KEPT = dt.timedelta(days=400)


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
    """Counted once for each visitor and day; of one place on the network no more than so many in an
    hour, so that no program fills the table."""
    if _too_many(place, now):
        return
    day = now.astimezone(link.referral_program.program.zone).date()
    visitor = digest_of("visitor", f"{link.pk}|{plain_trace(place.device)}")
    ReferralVisit.objects.bulk_create(
        [ReferralVisit(link=link, day=day, visitor=visitor)], ignore_conflicts=True
    )


@transaction.atomic
def sum_up_visits(now: dt.datetime) -> int:
    """Visits of long ago are kept as a number alone, so that the figures of a link stay. Returns
    how many were."""
    before = (now - VISITS_KEPT).date()
    links = ReferralLink.objects.filter(visits__day__lt=before).order_by("pk").distinct()
    summed = 0
    for link in ReferralLink.objects.select_for_update().filter(pk__in=links.values("pk")):
        gone, _by_model = link.visits.filter(day__lt=before).delete()
        ReferralLink.objects.filter(pk=link.pk).update(visits_before=F("visits_before") + gone)
        summed += gone
    return summed


def _too_many(place: Place, now: dt.datetime) -> bool:
    hour = int(now.timestamp()) // 3600
    name = f"referral-visits:{digest_of('visits', plain_trace(place.network)).hex()}:{hour}"
    cache.add(name, 0, 3600)
    try:
        return cache.incr(name) > MOST_VISITS
    except ValueError:
        return False  # its hour was over just now


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
    """Nobody guesses one: 31^8 are 8 · 10^11. Of a million two would be alike all the same."""
    while True:
        code = "".join(secrets.choice(ALPHABET) for _sign in range(SIGNS))
        if not ReferralLink.objects.filter(code=code).exists():
            return code
