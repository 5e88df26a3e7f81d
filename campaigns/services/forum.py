"""The forum: set up by an administrator, tried, switched on and off."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.discourse import (
    RETURN_PATH,
    SHORTEST_SECRET,
    RequestRefusedError,
    read_request,
    signed,
)
from campaigns.discourse_calls import ForumCallError
from campaigns.models import Forum
from campaigns.selectors.forum import line_of
from campaigns.webhook_addresses import check_url
from loyalty.models import Program, Tier
from members.errors import DomainError, FieldError
from members.kept_secrets import hidden, revealed
from members.services.audit import Actor, record_audit

SHOWN = ("url", "is_on", "api_user", "groups")


@dataclass(frozen=True, slots=True)
class ForumTerms:
    """What is said of it. `secret`, `api_key`: empty: as they are. `groups`: by the tier's code."""

    program: Program
    url: str
    is_on: bool = False
    secret: str = ""
    api_key: str = ""
    api_user: str = "system"
    groups: Mapping[str, str] = field(default_factory=dict)


@transaction.atomic
def save_forum(*, terms: ForumTerms, actor: Actor) -> Forum:
    """Set it up, or bring it to what is said. Raises DomainError naming what is wrong. Secrets are
    in no log; that one is new is."""
    forum = Forum.objects.select_for_update().first() or Forum(program=terms.program)
    made = forum.pk is None
    before = {} if made else _shown(forum)
    url = _address(terms.url)
    if not made and url != forum.url:
        _refuse_old_secrets(forum, terms)
    forum.program, forum.url = terms.program, url
    forum.api_user, forum.groups = terms.api_user.strip() or "system", _groups(terms)
    if terms.secret:
        if len(terms.secret) < SHORTEST_SECRET:
            raise _wrong("secret", _("At least %s characters.") % SHORTEST_SECRET)
        forum.secret = hidden(terms.secret)
    if terms.api_key:
        forum.api_key = hidden(terms.api_key.strip())
    if terms.is_on and not forum.secret:
        raise _wrong("secret", _("The forum has it too: without it nobody can sign in."))
    forum.is_on = terms.is_on
    forum.save()
    new = {"secret": bool(terms.secret), "api_key": bool(terms.api_key)}
    after = _shown(forum) | {f"new_{name}": True for name, given in new.items() if given}
    if after != before:
        record_audit(
            actor=actor, action="forum.set_up" if made else "forum.changed", target=forum,
            before=before, after=after,
        )  # fmt: skip
    return forum


def test_forum(*, forum: Forum, actor: Actor, now: dt.datetime) -> Forum:
    """Try it: a request as the forum would make it, its key, and each group. What is wrong is kept
    in words; nothing is written at the forum."""
    problem = _problem(forum)
    with transaction.atomic():
        found = Forum.objects.select_for_update().get(pk=forum.pk)
        found.tested_at, found.test_problem = now, problem[:300]
        found.save(update_fields=["tested_at", "test_problem"])
        record_audit(
            actor=actor, action="forum.tested", target=found, after={"problem": problem[:300]}
        )
    return found


def _problem(forum: Forum) -> str:
    """Empty: all is well."""
    secret = revealed(forum.secret)
    if not secret:
        return _("The secret is missing, or cannot be read any more: give it again.")
    back = forum.url.rstrip("/") + RETURN_PATH
    asked = signed(secret, {"nonce": "test", "return_sso_url": back})
    try:
        read_request(forum.url, secret, asked["sso"], asked["sig"])
    except RequestRefusedError:
        return _("A request of this address would be refused.")
    line = line_of(forum)
    if line is None:
        return _("Members can sign in, but without a key of its API the forum learns of new tiers"
                 " only when they do.")  # fmt: skip
    try:
        line.check_key()
    except ForumCallError as error:
        return _("The forum does not take the key: %s") % error
    for group in sorted(set(forum.groups.values())):
        try:
            line.check_group(group)
        except ForumCallError as error:
            return _("The forum has no group “%(group)s”: %(why)s") % {
                "group": group, "why": error,
            }  # fmt: skip
    return ""


def _refuse_old_secrets(forum: Forum, terms: ForumTerms) -> None:
    """What one forum knows is shown to no other, wherever somebody has it lead."""
    for name, kept in (("secret", forum.secret), ("api_key", forum.api_key)):
        if kept and not getattr(terms, name):
            raise _wrong(name, _("Another forum has one of its own: write it."))


def _address(typed: str) -> str:
    url = check_url(typed).rstrip("/")
    if "?" in url:
        raise _wrong("url", _("Only the address, without “?” and what follows."))
    return url


def _groups(terms: ForumTerms) -> dict[str, str]:
    known = set(Tier.objects.filter(tier_set__program=terms.program).values_list("code", flat=True))
    found = {}
    for tier, group in terms.groups.items():
        if tier not in known:
            raise _wrong("groups", _("The program has no tier “%s”.") % tier)
        if "," in group or len(group) > 60:
            raise _wrong("groups", _("One group, by its name: at most 60 characters, no comma."))
        if group.strip():
            found[tier] = group.strip()
    return found


def _shown(forum: Forum) -> dict[str, object]:
    said = {name: getattr(forum, name) for name in SHOWN}
    return said | {"program": forum.program.code}


def _wrong(name: str, message: str) -> DomainError:
    return DomainError(message, errors=[FieldError(name, message)])
