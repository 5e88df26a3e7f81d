"""What members are told about friends: that one joined, bought, and that it was paid to both."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from campaigns.models import Referral, ReferralPayment
from campaigns.news import FRESH, News
from campaigns.occasions import Occasion, Variable
from campaigns.referral_words import payment_words
from campaigns.selectors.referrals import advocate_of, referrals
from campaigns.services.messages import watched, write_messages
from loyalty.models import Membership
from members.formatting import format_day
from members.models import OutboxEvent
from members.selectors.merges import current

Status = Referral.Status
_FRIEND = Variable("friend", _l("The friend's first name, or “A friend”"), "text", "Ben")
_GIFT = Variable("gift", _l("What they got"), "text", "300 points")
JOINED = Occasion(
    code="friend_joined", label=_l("A friend joined"),
    description=_l("Somebody has joined by a member's link."), icon="user-heart", topic="points",
    priority=40, variables=(_FRIEND,),
)  # fmt: skip
BOUGHT = Occasion(
    code="friend_bought", label=_l("A friend bought"),
    description=_l("Who came by a member's link has bought; it is paid once they keep it."),
    icon="receipt", topic="points", priority=40,
    variables=(
        _FRIEND,
        Variable("due", _l("When it is paid"), "day", "Dec 11, 2026"),
    ),
)  # fmt: skip
PAID = Occasion(
    code="friend_paid", label=_l("Paid for a friend"),
    description=_l("A member got what was promised for a friend."), icon="gift", topic="points",
    priority=25, variables=(_FRIEND, _GIFT),
)  # fmt: skip
WELCOMED = Occasion(
    code="referral_gift", label=_l("Gift for coming by a friend"),
    description=_l("A friend got what was promised for coming by somebody's link."), icon="gift",
    topic="points", priority=25, variables=(_GIFT,),
)  # fmt: skip
OCCASIONS = (JOINED, BOUGHT, PAID, WELCOMED)
Side = ReferralPayment.Side
_BY_STATUS = {Status.JOINED: JOINED, Status.PENDING: BOUGHT, Status.PAID: PAID}


def follow_referrals(events: Sequence[OutboxEvent]) -> None:
    """Tell how far referrals are now, each step once."""
    now = timezone.now()
    named = {pk for event in events for pk in event.payload["referrals"]}
    rows = list(referrals().filter(pk__in=named, came_at__gt=now - dt.timedelta(days=800)))
    for occasion in OCCASIONS:
        setting = watched(occasion)
        if setting is None:
            continue
        news = [
            item for row in rows if _moved_at(row) > max(now - FRESH, setting.since or now)
            and (item := _news(occasion, row)) is not None
        ]  # fmt: skip
        write_messages(occasion=occasion, setting=setting, news=news, now=now)


def _moved_at(row: Referral) -> dt.datetime:
    """When it came to where it is."""
    if row.status == Status.PAID and row.closed_at is not None:
        return row.closed_at
    return row.bought_at if row.status == Status.PENDING and row.bought_at else row.came_at


def _news(occasion: Occasion, row: Referral) -> News | None:
    """None: there is nothing of this to tell of it."""
    if occasion is WELCOMED:
        return _welcome(row)
    advocate = advocate_of(row.link)
    told = advocate is not None and advocate.status == Membership.Status.ACTIVE
    if not told or _BY_STATUS.get(Status(row.status)) is not occasion:
        return None
    assert advocate is not None
    gift = _gift(row, Side.ADVOCATE)
    if occasion is PAID and not gift:
        return None

    def values() -> dict[str, str]:
        said = {"friend": current(row.friend).given_name or _("A friend")}
        if occasion is BOUGHT and row.due_at is not None:
            said["due"] = format_day(row.due_at, row.program.zone)
        return said | ({"gift": gift} if occasion is PAID else {})

    return News(
        customer=current(advocate.customer), membership=advocate, values=values,
        occurrence=f"referral:{row.pk}:{occasion.code}",
        link=reverse("referrals_account:invite_of", args=[advocate.public_id]),
    )  # fmt: skip


def _welcome(row: Referral) -> News | None:
    gift = _gift(row, Side.FRIEND)
    friend = current(row.friend)
    member = Membership.objects.filter(customer=friend, program=row.program_id).first()
    if row.status != Status.PAID or not gift or member is None:
        return None
    return News(
        customer=friend, membership=member, occurrence=f"referral:{row.pk}:friend",
        values=lambda: {"gift": gift},
        link=reverse("rewards_account:shelf_of", args=[member.public_id]),
    )  # fmt: skip


def _gift(row: Referral, side: str) -> str:
    """Units; of rewards is told as of whatever is given."""
    found = [
        payment for payment in row.payments.all()
        if payment.side == side and payment.order_id is None and payment.redemption is None
    ]  # fmt: skip
    return payment_words(found[0], row.program.currency) if found else ""
