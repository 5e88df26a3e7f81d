"""Being signed in, for tests that are about something else."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils.crypto import get_random_string

from members.models import User
from members.sessions import SessionStore

KEY_LENGTH = 32


def signed_in(user: User) -> Client:
    """A browser with the session that Django's `login` leaves behind, which it makes with ten
    statements: here it is one row."""
    said = {
        SESSION_KEY: str(user.pk),
        BACKEND_SESSION_KEY: "django.contrib.auth.backends.ModelBackend",
        HASH_SESSION_KEY: user.get_session_auth_hash(),
    }
    store = SessionStore()
    session = Session.objects.create(
        session_key=get_random_string(KEY_LENGTH),
        session_data=store.encode(said),
        expire_date=store.get_expiry_date(),
    )
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    return client
