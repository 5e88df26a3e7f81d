"""What members are told about what they took, and what they were given."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db.models import F, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from campaigns.models import OccasionSetting
from campaigns.news import FRESH, News
from campaigns.occasions import Occasion, Variable
from campaigns.services.messages import home_of, watched, write_messages
from loyalty.models import Membership, OccasionGrant, Transfer, WalletType
from members.formatting import format_day, format_units
from members.models import Customer, OutboxEvent
from members.selectors.merges import current
from rewards.models import Redemption, Reward
from rewards.selectors.redemptions import redemptions
from rewards.texts import told
from rewards.words import gives

# A present may come some weeks before the day.
BIRTHDAY_LATELY = dt.timedelta(days=62)
_CODE = Variable("code", _l("Code of the voucher"), "code", "OAK-7F3K-9QTX", may_be_empty=True)
_UNTIL = Variable("until", _l("Last day"), "day", "Jan 26, 2027", may_be_empty=True)
_GIFT = (
    Variable("gift", _l("What it is"), "text", "A free coffee"),
    Variable("words", _l("What was written with it"), "text", "With thanks for your patience.",
             may_be_empty=True),
    _CODE,
    _UNTIL,
)  # fmt: skip
REWARD = Occasion(
    code="reward_issued",
    label=_l("Reward taken"),
    description=_l("Somebody has taken a reward, and here is its code."),
    icon="gift",
    topic="orders",
    priority=10,
    variables=(Variable("reward", _l("The reward's name"), "text", "$3 off"), _CODE, _UNTIL),
)
BIRTHDAY = Occasion(
    code="birthday",
    label=_l("Birthday"),
    description=_l("Somebody was given units or a reward for their birthday."),
    icon="cake",
    topic="points",
    priority=25,
    variables=_GIFT,
    news_for=dt.timedelta(days=3),
)
GIFT = Occasion(
    code="gift",
    label=_l("Gift received"),
    description=_l("Somebody was given units by a member, or a reward by you."),
    icon="heart",
    topic="points",
    priority=25,
    variables=(
        Variable("giver", _l("From whom"), "text", "Noah", may_be_empty=True),
        *_GIFT,
    ),
)


def follow_issued(events: Sequence[OutboxEvent]) -> None:
    """Tell of the rewards that these events name: those that were taken, and those given."""
    named = {pk for event in events for pk in event.payload["redemptions"]}
    now = timezone.now()
    for occasion, chosen in (
        (REWARD, {"gift": ""}),
        (BIRTHDAY, {"gift": Redemption.Gift.BIRTHDAY}),
    ):
        if setting := watched(occasion):
            found = _issued(named, setting, now).filter(**chosen)
            _tell(occasion, setting, list(found), now)
    if setting := watched(GIFT):
        others = _issued(named, setting, now).exclude(gift__in=["", Redemption.Gift.BIRTHDAY])
        _tell(GIFT, setting, list(others), now)


def follow_days(events: Sequence[OutboxEvent]) -> None:
    """Tell of the units that were given for birthdays and other days of the year."""
    named = {pk for event in events for pk in event.payload["grants"]}
    now = timezone.now()
    rows = OccasionGrant.objects.filter(pk__in=named, units__gt=0, recorded_at__gt=now - FRESH)
    rows = rows.select_related(
        "membership__customer__merged_into", "membership__program", "rule_version",
        "rule__wallet_type",
    ).order_by("pk")  # fmt: skip
    for occasion in (BIRTHDAY, GIFT):
        setting = watched(occasion)
        if setting is None or setting.since is None:
            continue
        news = [
            _day_news(grant)
            for grant in rows.filter(recorded_at__gte=setting.since)
            if (grant.rule_version.body.get("day") == "birthday") == (occasion is BIRTHDAY)
        ]
        write_messages(occasion=occasion, setting=setting, news=news, now=now)


def follow_gifts(events: Sequence[OutboxEvent]) -> None:
    """Tell members what others gave them."""
    setting = watched(GIFT)
    if setting is None or setting.since is None:
        return
    now = timezone.now()
    given = {event.payload["transfer"] for event in events}
    rows = Transfer.objects.filter(
        pair__in=given, to_account=F("wallet__account"), recorded_at__gte=setting.since,
        recorded_at__gt=now - FRESH, wallet__account__membership__isnull=False,
    ).select_related(
        "wallet_type", "wallet__account__membership__customer__merged_into",
        "wallet__account__membership__program",
        "pair__wallet__account__membership__customer",
    )  # fmt: skip
    news = [_gift_news(transfer) for transfer in rows.order_by("pk")]
    write_messages(occasion=GIFT, setting=setting, news=news, now=now)


def birthday_news(member: Membership, now: dt.datetime) -> News | None:
    """What a member was given for this birthday, as it is told when it is given; None: nothing."""
    lately = now - BIRTHDAY_LATELY
    given = redemptions().filter(
        membership=member, gift=Redemption.Gift.BIRTHDAY, issued_at__gt=lately, issued_at__lte=now
    )
    if (row := given.order_by("-pk").first()) is not None:
        return reward_news(row)
    grants = OccasionGrant.objects.filter(
        membership=member, units__gt=0, recorded_at__gt=lately, recorded_at__lte=now,
        rule_version__body__day="birthday",
    ).select_related(
        "membership__customer__merged_into", "membership__program", "rule__wallet_type"
    )  # fmt: skip
    grant = grants.order_by("-pk").first()
    return _day_news(grant) if grant else None


def _issued(named: set[int], setting: OccasionSetting, now: dt.datetime) -> QuerySet[Redemption]:
    """Those that can be used, or that gave money; what a checkout used at once is no news."""
    return redemptions().filter(
        Q(status=Redemption.Status.ISSUED)
        | Q(status=Redemption.Status.USED)
        & (Q(gift_card__isnull=False) | Q(credit__isnull=False)),
        pk__in=named, issued_at__gte=setting.since, issued_at__gt=now - FRESH,
        membership__status=Membership.Status.ACTIVE,
    ).order_by("pk")  # fmt: skip


def _tell(
    occasion: Occasion, setting: OccasionSetting, found: Sequence[Redemption], now: dt.datetime
) -> None:
    news = [reward_news(row) for row in found]
    write_messages(occasion=occasion, setting=setting, news=news, now=now)


def reward_news(row: Redemption) -> News:
    member, customer = row.membership, current(row.membership.customer)

    def values() -> dict[str, str]:
        voucher = row.voucher
        # What is sent, or read here, has no code that somebody would show.
        shown = voucher if voucher and not _without_code(row.got) else None
        last = shown.last_moment if shown else None
        name = told(row.got).name
        return {
            "reward": name,
            "gift": name if row.voucher else gives(row.got),
            "words": row.message,
            "code": shown.written if shown else "",
            "until": format_day(last, member.program.zone) if last else "",
            "giver": "",
        }

    link = reverse("rewards_account:vouchers_of", args=[member.public_id])
    if row.voucher and not _without_code(row.got):
        link = reverse("rewards_account:voucher", args=[row.voucher.public_id])
    return News(
        customer=customer, membership=member, occurrence=f"redemption:{row.pk}", values=values,
        link=link,
    )  # fmt: skip


def _without_code(reward: Reward) -> bool:
    return reward.sent or reward.kind == Reward.Kind.CONTENT


def _day_news(grant: OccasionGrant) -> News:
    member = grant.membership
    return News(
        customer=current(member.customer), membership=member, occurrence=f"grant:{grant.pk}",
        values=lambda: _units(grant.units, grant.rule.wallet_type),
        link=home_of(member),
    )  # fmt: skip


def _gift_news(transfer: Transfer) -> News:
    member: Membership = transfer.wallet.account.membership
    assert transfer.pair is not None
    giver: Customer = transfer.pair.wallet.account.membership.customer

    def values() -> dict[str, str]:
        words = transfer.pair.explanation.get("message", "") if transfer.pair else ""
        return {
            **_units(transfer.amount, transfer.wallet_type),
            "giver": giver.given_name or _("another member"),
            "words": words,
        }

    return News(
        customer=current(member.customer), membership=member, occurrence=f"gift:{transfer.pk}",
        values=values, link=home_of(member),
    )  # fmt: skip


def _units(units: int, unit: WalletType) -> dict[str, str]:
    return {
        "gift": format_units(units, unit), "giver": "", "words": "", "code": "", "until": "",
    }  # fmt: skip
