"""What Setia asks a forum to do, over the forum's API. Nothing here touches the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from campaigns.discourse import Person, person_fields, signed
from campaigns.webhook_requests import Outcome, send

LONGEST_ANSWER = 200_000


class ForumCallError(Exception):
    """The forum did not do it; `str`: why, in words that name no secret. `known`: it answered that
    there is nothing of this name."""

    def __init__(self, words: str, *, missing: bool = False) -> None:
        super().__init__(words)
        self.missing = missing


@dataclass(frozen=True, slots=True)
class ForumLine:
    """How a forum is reached."""

    url: str
    secret: str
    api_key: str
    api_user: str

    def sync(self, person: Person) -> None:
        """Have the forum know them as they are now."""
        self._call("POST", "/admin/users/sync_sso", signed(self.secret, person_fields(person)))

    def log_out(self, external_id: str) -> None:
        if (number := self._user(external_id)) is not None:
            self._call("POST", f"/admin/users/{number}/log_out", {})

    def anonymize(self, external_id: str) -> None:
        """What they wrote stays, without name and address."""
        if (number := self._user(external_id)) is not None:
            self._call("PUT", f"/admin/users/{number}/anonymize.json", {})

    def check_key(self) -> None:
        """Raises ForumCallError where the key does not open what has to be done."""
        self._call("GET", "/admin/users/list/new.json", {})

    def check_group(self, name: str) -> None:
        self._call("GET", f"/groups/{quote(name, safe='')}.json", {})

    def _user(self, external_id: str) -> int | None:
        """The forum's own number of somebody; None: it knows nobody like that."""
        try:
            found = self._call("GET", f"/u/by-external/{external_id}.json", {})
        except ForumCallError as error:
            if error.missing:
                return None
            raise
        user = found.get("user") if isinstance(found, dict) else None
        number = user.get("id") if isinstance(user, dict) else None
        if not isinstance(number, int):
            raise ForumCallError("The forum's answer names no user.")
        return number

    def _call(self, method: str, path: str, fields: Mapping[str, str]) -> Any:
        headers = {
            "Api-Key": self.api_key, "Api-Username": self.api_user, "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded", "User-Agent": "Setia-Forum/1",
        }  # fmt: skip
        body = urlencode(fields).encode()
        outcome = send(method, self.url.rstrip("/") + path, body, headers, longest=LONGEST_ANSWER)
        if not outcome.succeeded:
            raise ForumCallError(_words(outcome, path), missing=outcome.status == 404)
        try:
            return orjson.loads(outcome.body) if outcome.body else {}
        except orjson.JSONDecodeError:
            return {}


def _words(outcome: Outcome, path: str) -> str:
    if outcome.status is None:
        return f"No answer: {outcome.error}"[:300]
    return f"{outcome.status} for {path}"[:300]
