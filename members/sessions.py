"""Sessions as Django keeps them in the database. Every page reads one: its query is put into words
once for a process."""

from __future__ import annotations

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from members.prepared import KeptQuery

_VALID = KeptQuery(
    lambda now, key: Session.objects.filter(expire_date__gt=now, session_key=key)
)  # fmt: skip


class SessionStore(db.SessionStore):
    def _get_session_from_db(self) -> Session | None:
        found = _VALID.first(timezone.now(), self.session_key)
        if found is None:
            self._session_key = None
        return found
