"""Where staff and customers sign in: noted, told when it is somewhere new, and ended."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Model
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from members.devices import device_of
from members.languages import language_of
from members.models import Customer, SignIn, StaffMember, User
from members.origins import place_of
from members.selectors.merchants import get_merchant
from members.selectors.merges import current
from members.services.audit import Actor, record_audit
from members.services.mail import queue_mail

# After so long without a sign-in a device or a place is new again.
REMEMBERED_FOR = timedelta(days=180)
MOST_SHOWN = 100


@transaction.atomic
def note_sign_in(
    *, user: User, session_key: str, user_agent: str, address: str | None, now: datetime
) -> SignIn:
    """Somebody has signed in. They are told by mail when the device is one that they have not used
    before, staff also when the place is; the first time of all tells nothing. Customers' phones
    have another address every day."""
    device, place = device_of(user_agent), place_of(address)
    staff = StaffMember.objects.filter(user=user).exists()
    before = SignIn.objects.filter(user=user, last_seen_at__gt=now - REMEMBERED_FOR)
    is_new = before.exists() and not (
        before.filter(device=device).exists() and (not staff or before.filter(place=place).exists())
    )
    row, _created = SignIn.objects.update_or_create(
        session_key=session_key,
        defaults={
            "user": user, "device": device, "place": place, "signed_in_at": now,
            "last_seen_at": now, "ended_at": None,
        },
    )  # fmt: skip
    if is_new and staff:
        _tell_staff(user, row)
    elif is_new:
        _tell_customer(user, row)
    return row


def note_seen(*, pk: int, session_key: str, now: datetime) -> None:
    """They are still there; a new password has given the session another key."""
    SignIn.objects.filter(pk=pk, ended_at=None).update(last_seen_at=now, session_key=session_key)


def note_sign_out(*, pk: int, now: datetime) -> None:
    SignIn.objects.filter(pk=pk, ended_at=None).update(ended_at=now)


@transaction.atomic
def end_sign_ins(*, actor: Actor, sign_ins: Iterable[SignIn], now: datetime) -> int:
    """Sign out there, at once; returns how many. One that has ended already stays as it is."""
    wanted = [row.pk for row in sign_ins]
    rows = list(
        SignIn.objects.select_for_update(of=("self",))
        .filter(pk__in=wanted, ended_at=None)
        .select_related("user")
        .order_by("pk")
    )
    store = _store()
    for row in rows:
        store.delete(row.session_key)
        action, target = _whose(row.user)
        record_audit(
            actor=actor, action=action, target=target,
            after={"device": row.device, "place": row.place},
        )  # fmt: skip
    SignIn.objects.filter(pk__in=[row.pk for row in rows]).update(ended_at=now)
    return len(rows)


def open_sign_ins(user: User) -> list[SignIn]:
    """Where somebody is signed in now, the latest first, in two queries."""
    rows = list(SignIn.objects.filter(user=user, ended_at=None)[:MOST_SHOWN])
    keys = [row.session_key for row in rows]
    sessions = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
    alive = set(sessions.values_list("session_key", flat=True))
    return [row for row in rows if row.session_key in alive]


def prune_sign_ins(*, now: datetime) -> int:
    """Forget where somebody was long ago."""
    return SignIn.objects.filter(last_seen_at__lt=now - REMEMBERED_FOR).delete()[0]


def _store() -> Any:
    return import_module(settings.SESSION_ENGINE).SessionStore()


def _whose(user: User) -> tuple[str, Model]:
    """What ending one is called in the audit log, and of whom."""
    staff = StaffMember.objects.filter(user=user).first()
    if staff is not None:
        return "staff.signed_out", staff
    customer = Customer.objects.select_related("merged_into").filter(user=user).first()
    return "customer.signed_out", current(customer) if customer is not None else user


def _tell_staff(user: User, row: SignIn) -> None:
    url = settings.SITE_URL + reverse("backoffice:own_sign_ins")
    with translation.override(settings.LANGUAGE_CODE):
        _send(user, row, "backoffice/mail/new_sign_in.txt", url)


def _tell_customer(user: User, row: SignIn) -> None:
    """In the language that they have chosen, else in the one they sign in with."""
    customer = Customer.objects.filter(user=user).first()
    language = language_of(customer) if customer is not None else ""
    url = settings.SITE_URL + reverse("mypage:sign_ins")
    with translation.override(language or translation.get_language()):
        _send(user, row, "account/email/new_sign_in.txt", url)


def _send(user: User, row: SignIn, template: str, url: str) -> None:
    merchant = get_merchant()
    context = {"merchant": merchant, "user": user, "sign_in": row, "url": url}
    subject = _("%(merchant)s: a sign-in from somewhere new") % {"merchant": merchant.name}
    queue_mail(to=user.email, subject=subject, text=render_to_string(template, context))
