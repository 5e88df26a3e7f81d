"""The second factor of those who work here: set up, used, seen by the team's administrators."""

from __future__ import annotations

import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from members.errors import ConflictError
from members.models import AuditEntry, StaffMember
from members.services.audit import Actor
from members.services.two_factor import take_away_two_factor
from tests.factories import PASSWORD, StaffMemberFactory

pytestmark = pytest.mark.django_db
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def code(secret: str) -> str:
    """What the app shows now."""
    return format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))


def signed_in(person: StaffMember) -> Client:
    client = Client()
    sent = {"login": person.user.email, "password": PASSWORD}
    client.post(reverse("account_login"), sent)
    return client


def text(response: object) -> str:
    return re.sub(r"\s+", " ", response.content.decode())  # type: ignore[attr-defined]


def test_it_is_switched_on_with_recovery_codes_that_sign_in_once_and_off_again(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    person = StaffMemberFactory()
    client = signed_in(person)
    assert "It is off." in text(client.get(reverse("mfa_index")))
    asked = client.get(reverse("mfa_activate_totp"))
    client.post(asked["Location"], {"password": PASSWORD})
    shown = text(client.get(reverse("mfa_activate_totp")))
    assert "Scan this with the authenticator app" in shown
    secret = re.search(r'value="([A-Z2-7]{32})"', shown)
    assert secret
    wrong = client.post(reverse("mfa_activate_totp"), {"code": "12"})
    assert "Authenticator" in text(wrong)
    assert not Authenticator.objects.exists()
    with django_capture_on_commit_callbacks(execute=True):
        done = client.post(reverse("mfa_activate_totp"), {"code": code(secret[1])})
    assert done.status_code == 302
    codes = text(client.get(reverse("mfa_view_recovery_codes")))
    assert "10 of 10 are left." in codes
    first = re.search(r"<textarea[^>]*>\s*(\d{8})", codes)
    assert first
    elsewhere = signed_in(person)
    asked = text(elsewhere.get(reverse("mfa_authenticate")))
    assert "or one of your recovery codes" in asked
    assert elsewhere.get(reverse("backoffice:home")).status_code == 302
    elsewhere.post(reverse("mfa_authenticate"), {"code": first[1]})
    assert elsewhere.get(reverse("backoffice:home")).status_code == 200
    assert "9 of 10 are left." in text(client.get(reverse("mfa_index")))
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("mfa_deactivate_totp"))
    assert not Authenticator.objects.exists()
    told = AuditEntry.objects.filter(action__startswith="staff.two_factor").order_by("pk")
    assert list(told.values_list("action", flat=True)) == [
        "staff.two_factor_on", "staff.two_factor_off",
    ]  # fmt: skip


def test_an_administrator_sees_who_has_it_and_takes_it_away_from_whose_phone_is_gone(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    administrator = StaffMemberFactory(administrator=True)
    person = StaffMemberFactory(user__name="Noor Haddad")
    TOTP.activate(person.user, SECRET)
    client = Client()
    client.force_login(administrator.user)
    team = text(client.get(reverse("backoffice:team")))
    assert "Take two-factor sign-in away" in team
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("backoffice:team_two_factor", args=[person.pk]))
    assert not Authenticator.objects.exists()
    assert "Take two-factor sign-in away" not in text(client.get(reverse("backoffice:team")))
    [entry] = AuditEntry.objects.filter(action="staff.two_factor_taken_away")
    assert entry.actor == administrator.user
    [message] = mail.outbox
    assert message.to == [person.user.email]
    assert "set it up again" in message.body.lower()
    with pytest.raises(ConflictError, match="without an app already"):
        take_away_two_factor(
            actor=Actor.of_user(administrator.user), staff_member=person, now=timezone.now()
        )


def test_nobody_takes_their_own_away_like_that() -> None:
    person = StaffMemberFactory(administrator=True)
    TOTP.activate(person.user, SECRET)
    with pytest.raises(ConflictError, match="Switch your own off"):
        take_away_two_factor(
            actor=Actor.of_user(person.user), staff_member=person, now=timezone.now()
        )
    assert Authenticator.objects.count() == 1


def test_whose_app_is_taken_away_is_signed_out_everywhere() -> None:
    administrator = StaffMemberFactory(administrator=True)
    person = StaffMemberFactory()
    theirs = signed_in(person)
    assert theirs.get(reverse("backoffice:home")).status_code == 200
    TOTP.activate(person.user, SECRET)
    actor = Actor.of_user(administrator.user)
    take_away_two_factor(actor=actor, staff_member=person, now=timezone.now())
    assert theirs.get(reverse("backoffice:home")).status_code == 302
    assert AuditEntry.objects.filter(action="staff.signed_out").count() == 1
    # The password lets them in again: until they have set it up anew, or somebody requires it.
    assert signed_in(person).get(reverse("backoffice:home")).status_code == 200
