"""Inviting customers to a program: a mail with a link of their own, which they accept or decline.

Until they accept they are no members: there is no wallet, and nothing that they buy earns.
"""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from loyalty.models import Candidate, Membership, Program
from loyalty.services.join_links import hash_of, new_token
from loyalty.services.joining import refuse_closed
from loyalty.services.memberships import enroll_customer
from members.errors import ConflictError
from members.languages import language_of
from members.models import Customer
from members.selectors.erased import refuse_erased
from members.selectors.merchants import get_merchant
from members.selectors.merges import current, refuse_merged
from members.services.audit import Actor, record_audit
from members.services.mail import queue_mail

VALID = dt.timedelta(days=30)


@transaction.atomic
def invite_customer(
    *, customer: Customer, program: Program, detail: str = "", actor: Actor, now: dt.datetime
) -> Candidate:
    """Send an invitation with a new link; the former one, if there was, no longer works. Raises
    ConflictError for members and for customers without an address."""
    refuse_closed(program)
    refuse_merged(customer)
    refuse_erased(Customer.objects.select_for_update().get(pk=customer.pk))
    member = Membership.objects.filter(customer=customer, program=program).first()
    if member is not None and member.status != Membership.Status.LEFT:
        raise ConflictError(_("%s is a member already.") % customer, code="member_already")
    if not customer.email:
        raise ConflictError(
            _("%s has no e-mail address to send an invitation to.") % customer, code="no_address"
        )
    token = new_token()
    invited = {
        "state": Candidate.State.INVITED,
        "source": Membership.Source.INVITATION,
        "source_detail": detail[:64],
        "invited_at": now,
        "expires_at": now + VALID,
        "token_hash": hash_of(token),
        "answered_at": None,
    }
    candidate, _created = Candidate.objects.update_or_create(
        program=program, customer=customer, defaults=invited,
        create_defaults=invited | {"created_at": now},
    )  # fmt: skip
    _send(candidate, token)
    record_audit(
        actor=actor, action="candidate.invited", target=customer, about=program,
        after={"program": program.code},
    )  # fmt: skip
    return candidate


def find_invitation(program: Program, token: str, now: dt.datetime) -> Candidate | None:
    """Whose invitation a link is; None when it is wrong, answered, or its time has passed."""
    return (
        Candidate.objects.select_related("customer__merged_into", "program")
        .filter(program=program, token_hash=hash_of(token), expires_at__gt=now)
        .first()
    )


@transaction.atomic
def accept_invitation(*, candidate: Candidate, actor: Actor, now: dt.datetime) -> Membership:
    """The invited becomes a member. What they bought before earns nothing."""
    refuse_closed(candidate.program)
    customer = current(candidate.customer)
    refuse_erased(customer)
    member, _new = enroll_customer(
        customer=customer, program=candidate.program,
        source=candidate.source, at=now, actor=actor, detail=candidate.source_detail, chosen=True,
    )  # fmt: skip
    return member


@transaction.atomic
def decline_invitation(*, candidate: Candidate, actor: Actor, now: dt.datetime) -> bool:
    """The invited does not want to; no order makes them a member then. They can still join by
    themselves. Whether the invitation was open."""
    declined = Candidate.objects.filter(pk=candidate.pk, state=Candidate.State.INVITED).update(
        state=Candidate.State.DECLINED, answered_at=now, token_hash=None
    )
    if declined:
        record_audit(
            actor=actor, action="candidate.declined", target=candidate.customer,
            about=candidate.program, after={"program": candidate.program.code},
        )  # fmt: skip
    return bool(declined)


def _send(candidate: Candidate, token: str) -> None:
    program, customer, merchant = candidate.program, candidate.customer, get_merchant()
    context = {
        "merchant": merchant,
        "program": program,
        "customer": customer,
        "until": candidate.expires_at,
        "url": settings.SITE_URL + reverse("programs:invitation", args=[program.code, token]),
    }
    with translation.override(language_of(customer) or merchant.locale):
        queue_mail(
            to=customer.email,
            subject=_("%(merchant)s invites you to %(program)s")
            % {"merchant": merchant.name, "program": program.name},
            text=render_to_string("programs/mail/invitation.txt", context),
        )
