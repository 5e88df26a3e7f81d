"""Who may read a post: those of its condition, and before it opens for everybody those whose tier
or plan lets them come earlier. Conditions and hours are those of the library, of rewards and of
events."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence

from django.utils.translation import gettext as _

from campaigns.models import Post
from loyalty.models import Membership, Program, WalletType
from loyalty.rule_conditions import stored_condition
from loyalty.selectors.benefits import early_access
from loyalty.services.member_conditions import AskedOfMember, conditions_met, members_meeting
from loyalty.told_conditions import told_sentence
from members.conditions.predicate import Condition
from members.conditions.tree import ConditionError
from members.formatting import format_start
from rewards.services.access import Access


def access_to(found: Sequence[Post], membership: Membership, now: dt.datetime) -> dict[int, Access]:
    """By post; `code`: allowed, program_not_live, not_active, not_for_you, not_yet. A constant
    number of queries."""
    refused = _refused(membership)
    if refused is not None:
        return {post.pk: refused for post in found}
    conditions = {post.pk: _condition(post) for post in found}
    unit = WalletType.objects.filter(program=membership.program_id).order_by("pk").first()
    asked = [
        AskedOfMember(pk, condition, unit)
        for pk, condition in conditions.items()
        if isinstance(condition, Condition) and unit is not None
    ]
    met = conditions_met(asked, membership, now)
    earlier = dt.timedelta()
    if any(post.opens_at is not None and post.opens_at > now for post in found):
        earlier = early_access([membership], now).get(membership.pk, earlier)
    # Several ask for the same, and what a condition says is looked up.
    told: dict[str, str] = {}
    return {
        post.pk: _access(post, conditions[post.pk], post.pk in met, earlier, told, now)
        for post in found
    }


def access_of(post: Post, membership: Membership, now: dt.datetime) -> Access:
    return access_to([post], membership, now)[post.pk]


def members_allowed(post: Post, members: Sequence[Membership], now: dt.datetime) -> set[int]:
    """The keys of those members of the post's program who may read it now."""
    condition = _condition(post)
    if condition == "gone" or not members:
        return set()
    inside = {item.pk for item in members if _refused(item) is None}
    if isinstance(condition, Condition):
        inside &= members_meeting(condition, members, now)
    if post.opens_at is not None and post.opens_at > now:
        earlier = early_access(members, now)
        inside = {pk for pk in inside if now >= post.opens_at - earlier.get(pk, dt.timedelta())}
    return inside


def _condition(post: Post) -> Condition | str | None:
    """None: there is none. “gone”: what it names is not there any more, so nobody is meant."""
    try:
        return stored_condition(post.when)
    except ConditionError:
        return "gone"


def _access(
    post: Post, condition: Condition | str | None, met: bool, earlier: dt.timedelta,
    told: dict[str, str], now: dt.datetime,
) -> Access:  # fmt: skip
    if isinstance(condition, str):
        return Access(False, "not_for_you", _("It is not for you."))
    if condition is not None and not met:
        asked = json.dumps(post.when, sort_keys=True)
        if asked not in told:
            told[asked] = told_sentence(condition.root)
        return Access(False, "not_for_you", _("Only for this: %s.") % told[asked])
    opens = None if post.opens_at is None else post.opens_at - earlier
    if opens is not None and now < opens:
        when = format_start(opens, post.program.zone)
        return Access(False, "not_yet", _("It opens for you on %s.") % when, opens)
    return Access(True, "allowed", _("It is open."), opens)


def _refused(membership: Membership) -> Access | None:
    if membership.program.status != Program.Status.LIVE:
        return Access(False, "program_not_live", _("The program is not running."))
    if membership.status != Membership.Status.ACTIVE:
        return Access(False, "not_active", _("The membership is not active."))
    return None
