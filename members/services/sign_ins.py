"""Where staff sign in: noted, told when it is somewhere new, and ended."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from members.models import SignIn, StaffMember, User
from members.origins import place_of
from members.selectors.merchants import get_merchant
from members.services.audit import Actor, record_audit
from members.services.mail import queue_mail

# After so long without a sign-in a device or a place is new again.
REMEMBERED_FOR = timedelta(days=180)
_BROWSERS = (
    ("Edg", "Edge"), ("OPR", "Opera"), ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"), ("FxiOS", "Firefox"), ("CriOS", "Chrome"), ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)  # fmt: skip
_SYSTEMS = (
    ("Windows", "Windows"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"),
    ("CrOS", "ChromeOS"), ("Mac OS X", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


def device_of(user_agent: str) -> str:
    """A browser as people call it: "Firefox on Windows". Versions change too often to tell one
    device from another."""
    browser = next((name for mark, name in _BROWSERS if f"{mark}/" in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    if browser and system:
        return f"{browser} on {system}"
    first = re.split(r"[\s/;(]", user_agent.strip(), maxsplit=1)[0]
    return (browser or system or first or "Unknown")[:100]


@transaction.atomic
def note_sign_in(
    *, user: User, session_key: str, user_agent: str, address: str | None, now: datetime
) -> SignIn:
    """Somebody of the staff has signed in. They are told by mail when the device or the place is
    one that they have not used before; the first time of all tells nothing."""
    device, place = device_of(user_agent), place_of(address)
    before = SignIn.objects.filter(user=user, last_seen_at__gt=now - REMEMBERED_FOR)
    is_new = before.exists() and not (
        before.filter(device=device).exists() and before.filter(place=place).exists()
    )
    row, _created = SignIn.objects.update_or_create(
        session_key=session_key,
        defaults={
            "user": user, "device": device, "place": place, "signed_in_at": now,
            "last_seen_at": now, "ended_at": None,
        },
    )  # fmt: skip
    if is_new:
        _tell(user, row)
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
        target = StaffMember.objects.filter(user=row.user).first() or row.user
        record_audit(
            actor=actor, action="staff.signed_out", target=target,
            after={"device": row.device, "place": row.place},
        )  # fmt: skip
    SignIn.objects.filter(pk__in=[row.pk for row in rows]).update(ended_at=now)
    return len(rows)


def open_sign_ins(user: User) -> list[SignIn]:
    """Where somebody is signed in now, the latest first."""
    store = _store()
    rows = SignIn.objects.filter(user=user, ended_at=None)
    return [row for row in rows if store.exists(row.session_key)]


def prune_sign_ins(*, now: datetime) -> int:
    """Forget where somebody was long ago."""
    return SignIn.objects.filter(last_seen_at__lt=now - REMEMBERED_FOR).delete()[0]


def _store() -> Any:
    return import_module(settings.SESSION_ENGINE).SessionStore()


def _tell(user: User, row: SignIn) -> None:
    merchant = get_merchant()
    context = {
        "merchant": merchant, "user": user, "sign_in": row,
        "url": settings.SITE_URL + reverse("backoffice:own_sign_ins"),
    }  # fmt: skip
    with translation.override(settings.LANGUAGE_CODE):
        subject = _("%(merchant)s: a sign-in from somewhere new") % {"merchant": merchant.name}
        text = render_to_string("backoffice/mail/new_sign_in.txt", context)
    queue_mail(to=user.email, subject=subject, text=text)
