"""Who may do what: the one table of roles and actions that every screen asks."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Concatenate, ParamSpec
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from members.models import StaffMember, User
from members.program_scope import programs_of
from members.services.audit import Actor

Role = StaffMember.Role

# Everybody who works in the back-office may look; writing is what roles differ in.
_VIEW = {
    "home.view", "customers.view", "programs.view", "jobs.view", "own_sign_ins.view",
}  # fmt: skip
# What the program costs and owes, and would: for those who plan and those who keep the books.
_BOOKS = {"reports.view", "self_checks.view", "backtests.run"}
# What a list shows, as a file.
_LISTS = {"lists.hand_out"}
# An address of one's own, under which one's calendar reads what is planned.
_OWN = {"calendar.subscribe"}
# What concerns every program, or the person behind several memberships: not for those whose role
# is limited to some programs.
FOR_ALL_PROGRAMS = frozenset({
    "programs.create", "activity_types.edit", "segments.edit", "messages.edit", "customers.merge",
    "customers.export", "customers.erase", "imports.run", "imports.view", "jobs.run",
    "jobs.maintain", "self_checks.view", "balances.export", "balances.import",
    # They tell of what happens in every program.
    "webhooks.view", "connections.view",
})  # fmt: skip
# Work whose pages an auditor reads as well, by what it takes to do it. Whoever does it sees it.
_SEEN_WITH = {
    "points.adjust": "approvals.view",
    "risk.decide": "risk.view",
    "adjustments.bulk": "adjustments.view",
    "limits.manage": "limits.view",
    "imports.run": "imports.view",
    "staff.manage": "staff.view",
    "api_keys.manage": "api_keys.view",
    "sign_in.manage": "sign_in.view",
    "webhooks.manage": "webhooks.view",
    "connections.manage": "connections.view",
}
# What is done for a customer who asks.
_SERVICE = {
    "points.adjust", "risk.decide", "tiers.give", "orders.refund", "orders.hold", "lots.edit",
    "gifts.make", "pools.edit", "activities.decide", "plans.serve", "rewards.give",
    "gift_cards.serve", "fulfillment.work", "messages.serve", "community.moderate",
}  # fmt: skip
# What becomes of a person's details: changed, joined, handed out, erased.
_PERSON = {
    "customers.edit", "customers.annotate", "customers.merge", "customers.export",
    "customers.erase",
}  # fmt: skip

_DONE: dict[str, frozenset[str]] = {
    Role.ANALYST: frozenset(_VIEW | _BOOKS | _OWN | _LISTS),
    Role.SUPPORT_AGENT: frozenset(_VIEW | _SERVICE | _OWN | _PERSON | _LISTS),
    Role.MARKETING_MANAGER: frozenset(
        _VIEW
        | _BOOKS
        | _SERVICE
        | _OWN
        | _LISTS
        | {
            # Names and addresses of many.
            "lists.hand_out_personal",
            "customers.annotate",
            "points.approve",
            # From when on something is suspicious.
            "risk.settings",
            "adjustments.bulk",
            "debts.settle",
            "programs.create",
            "programs.edit",
            "activity_types.edit",
            # Money comes into being with it.
            "gift_cards.issue",
            "rules.draft",
            "rules.publish",
            "segments.edit",
            "messages.edit",
            "journeys.edit",
            "broadcasts.edit",
            "surveys.edit",
            "community.edit",
            "imports.run",
            "jobs.run",
        }
    ),
    Role.ADMINISTRATOR: frozenset(
        _VIEW
        | _BOOKS
        | _SERVICE
        | _OWN
        | _PERSON
        | _LISTS
        | {
            # Names and addresses of many.
            "lists.hand_out_personal",
            "points.approve",
            # From when on something is suspicious.
            "risk.settings",
            "adjustments.bulk",
            "debts.settle",
            "limits.manage",
            "programs.create",
            "programs.edit",
            "activity_types.edit",
            # Money comes into being with it.
            "gift_cards.issue",
            "rules.draft",
            "rules.publish",
            # Whether one person suffices for that.
            "rules.settings",
            "segments.edit",
            "messages.edit",
            "journeys.edit",
            "broadcasts.edit",
            "surveys.edit",
            "community.edit",
            "imports.run",
            "jobs.run",
            # Work that rebuilds derived figures, for whoever looks after the installation.
            "jobs.maintain",
            # Nothing is booked in closed books any more.
            "books.close",
            # What members hold, as a file: out of a program, and into one.
            "balances.export",
            "balances.import",
            "merchant.edit",
            "staff.manage",
            "api_keys.manage",
            "sign_in.manage",
            "webhooks.manage",
            "connections.manage",
            "audit.view",
        }
    ),
    # Sees how everything is and how it came to be, and changes none of it.
    Role.AUDITOR: frozenset(
        _VIEW | {"reports.view", "self_checks.view", "audit.view", *_SEEN_WITH.values()}
    ),
    # Somebody of another brand: what was told there, and what is settled with it.
    Role.PARTNER: frozenset({"own_partner.view", "own_sign_ins.view"}),
}

ALLOWED: dict[str, frozenset[str]] = {
    role: done | {_SEEN_WITH[action] for action in done & _SEEN_WITH.keys()}
    for role, done in _DONE.items()
}

# How many days ahead a role may let units last that would expire, or have; None: no limit.
EXTENSION_LIMIT: dict[str, int | None] = {
    Role.ANALYST: 0,
    Role.SUPPORT_AGENT: 92,
    Role.MARKETING_MANAGER: None,
    Role.ADMINISTRATOR: None,
    Role.AUDITOR: 0,
    Role.PARTNER: 0,
}

AnyUser = AbstractBaseUser | AnonymousUser
P = ParamSpec("P")
StaffView = Callable[Concatenate[HttpRequest, P], HttpResponse]


def role_of(user: AnyUser) -> str | None:
    """The back-office role, or None for customers and strangers. One query per request at most."""
    if not isinstance(user, User) or not user.is_active:
        return None
    staff_member = getattr(user, "staff_member", None)
    return staff_member.role if staff_member else None


def partner_of_staff(user: AnyUser) -> int | None:
    """The key of the partner that somebody works for; None: they work for the merchant."""
    staff_member = getattr(user, "staff_member", None) if role_of(user) == Role.PARTNER else None
    return staff_member.partner if staff_member is not None else None


def is_allowed(user: AnyUser, action: str) -> bool:
    """Whether the role allows it, and one that is limited to programs does not rule it out."""
    role = role_of(user)
    if role is None or action not in ALLOWED[role]:
        return False
    return action not in FOR_ALL_PROGRAMS or not programs_of(user)


def require(user: AnyUser, action: str) -> None:
    """Raise PermissionDenied unless the user's role allows the action."""
    if not is_allowed(user, action):
        raise PermissionDenied(f"{action} is not allowed for this role.")


def acting(request: HttpRequest) -> Actor:
    """On whose behalf a screen calls a service: the person who is signed in."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return Actor.of_user(request.user)


def roles_allowed(action: str) -> list[str]:
    """The roles that may do it, the most powerful first."""
    return [role for role in Role.values if action in ALLOWED[role]]


def extension_limit(user: AnyUser) -> int | None:
    """Days ahead that this user may let units last; None: no limit."""
    return EXTENSION_LIMIT[role_of(user) or Role.ANALYST]


def _place(request: HttpRequest) -> str:
    """Where to go on after signing in: the page itself, or the one whose form was sent."""
    came_from = urlsplit(request.META.get("HTTP_REFERER", ""))
    if request.method in {"GET", "HEAD"} or came_from.netloc != request.get_host():
        return request.get_full_path()
    return str(came_from._replace(scheme="", netloc="", fragment="").geturl())


def staff_view(action: str) -> Callable[[StaffView[P]], StaffView[P]]:
    """Decorate a back-office view: strangers go to sign in, everybody else needs the action."""

    def decorate(view: StaffView[P]) -> StaffView[P]:
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if not request.user.is_authenticated:
                return redirect_to_login(_place(request))
            require(request.user, action)
            # The catalogs have what customers read; half a page in a language helps nobody.
            with translation.override(settings.LANGUAGE_CODE):
                return view(request, *args, **kwargs)

        return update_wrapper(guarded, view)

    return decorate
