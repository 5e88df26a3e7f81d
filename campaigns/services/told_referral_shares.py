"""What members are told when they get a share of a further purchase: of a friend whom they brought,
or of their own because they came by a friend."""

from __future__ import annotations

from collections.abc import Sequence

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from campaigns.models import ReferralPayment
from campaigns.news import FRESH, News
from campaigns.occasions import Occasion, Variable
from campaigns.referral_words import payment_words
from campaigns.selectors.referrals import advocate_of
from campaigns.services.messages import watched, write_messages
from loyalty.models import Membership
from members.models import OutboxEvent
from members.selectors.merges import current

SHARE = Occasion(
    code="referral_share", label=_l("Share of a further purchase"),
    description=_l("A member got a share of what a friend, or who came by a friend, bought later."),
    icon="coins", topic="points", priority=40,
    variables=(
        Variable("gift", _l("What they got"), "text", "12 points"),
        Variable("friend", _l("Who bought, where it was not themselves"), "text", "Ben"),
    ),
)  # fmt: skip


def follow_shares(events: Sequence[OutboxEvent]) -> None:
    """Tell of each share once. What was taken back meanwhile is not told any more."""
    setting, now = watched(SHARE), timezone.now()
    if setting is None:
        return
    since = max(now - FRESH, setting.since or now)
    rows = ReferralPayment.objects.select_related(
        "wallet_type", "referral__program", "referral__friend", "referral__link__membership"
    ).filter(
        pk__in={pk for event in events for pk in event.payload["payments"]},
        missed="", units_back=0, paid_at__gt=since,
    )  # fmt: skip
    news = [item for row in rows.order_by("pk") if (item := _news(row)) is not None]
    write_messages(occasion=SHARE, setting=setting, news=news, now=now)


def _news(row: ReferralPayment) -> News | None:
    referral, friend = row.referral, current(row.referral.friend)
    brought = row.side == ReferralPayment.Side.ADVOCATE
    if brought:
        member = advocate_of(referral.link)
        page = "referrals_account:invite_of"
    else:
        found = Membership.objects.filter(customer=friend, program=referral.program_id)
        member, page = found.first(), "mypage:history_of"
    if member is None or member.status != Membership.Status.ACTIVE:
        return None

    def values() -> dict[str, str]:
        """In the language of who is told."""
        gift = payment_words(row, referral.program.currency)
        return {"gift": gift, "friend": (friend.given_name or _("A friend")) if brought else ""}

    return News(
        customer=current(member.customer), membership=member, values=values,
        occurrence=f"referral:{referral.pk}:share:{row.side}:{row.order_id}",
        link=reverse(page, args=[member.public_id]),
    )  # fmt: skip
