"""What referrals say of whoever takes advantage of a program."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from campaigns.models import Referral
from loyalty.models import Membership
from loyalty.risk_signals import Fact, Limit, Signal, register_risk_signal
from members.audit import register_audit_fields

REFERRALS = Signal(
    "referrals", _("Refused referrals"),
    _("Friends whom they brought were refused, as they were no friends."), 35,
    (Limit("least", _("From how many refused friends on"), 2, high=100),),
    ngettext_lazy(
        "%(n)s friend whom they brought was refused in review.",
        "%(n)s friends whom they brought were refused in review.", "n",
    ),
)  # fmt: skip
# Only what somebody decided: a friend who bought too late is no sign of misuse.
BY_STAFF = "staff"


def register() -> None:
    """Called once, when the application is ready."""
    register_risk_signal(REFERRALS, refused_referrals)
    register_audit_fields({REFERRALS.key: REFERRALS.label})


def refused_referrals(
    members: Sequence[Membership], since: dt.datetime, now: dt.datetime
) -> Mapping[int, Sequence[Fact]]:
    found: dict[int, list[Fact]] = defaultdict(list)
    rows = Referral.objects.filter(
        link__membership__in=[member.pk for member in members], status=Referral.Status.REFUSED,
        refusal=BY_STAFF, came_at__gte=since, came_at__lte=now,
    )  # fmt: skip
    for pk, member, at in rows.values_list("pk", "link__membership", "came_at"):
        found[member].append(Fact("referral", pk, at))
    return found
