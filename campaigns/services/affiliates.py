"""Affiliates: people who are no customers and bring some for money; what they are due by month, and
what was paid."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Case, DecimalField, F, IntegerField, Sum, Value, When
from django.db.models.functions import TruncMonth
from django.urls import reverse
from django.utils.translation import gettext as _

from campaigns.models import Affiliate, AffiliatePayout, ReferralPayment, ReferralProgram
from campaigns.services.referral_links import link_of_affiliate
from loyalty.models import Program
from loyalty.services.join_links import hash_of, new_token
from members.errors import ConflictError, DomainError, FieldError
from members.services.audit import Actor, record_audit

_MONEY = DecimalField(max_digits=18, decimal_places=4)
CENT = Decimal("0.01")


@transaction.atomic
def add_affiliate(
    *, referral_program: ReferralProgram, name: str, email: str, per_friend: Decimal,
    percent: Decimal, actor: Actor, now: dt.datetime,
) -> tuple[Affiliate, str]:  # fmt: skip
    """Returns them, and the address of their page, which is told this once."""
    if not referral_program.terms.exists():
        raise ConflictError(_("Publish first what bringing friends brings."), code="no_terms")
    token = new_token()
    made = Affiliate.objects.create(
        referral_program=referral_program, name=_name(name), email=_email(email),
        token_hash=hash_of(token), created_at=now, **_rates(per_friend, percent),
    )  # fmt: skip
    link_of_affiliate(made, now)
    _audit("affiliate.added", made, actor)
    return made, page_of(token)


@transaction.atomic
def change_affiliate(
    *, affiliate: Affiliate, name: str, email: str, per_friend: Decimal, percent: Decimal,
    actor: Actor,
) -> Affiliate:  # fmt: skip
    """What they get from now on; what they were given stays."""
    row = Affiliate.objects.select_for_update().get(pk=affiliate.pk)
    row.name, row.email = _name(name), _email(email)
    for field, value in _rates(per_friend, percent).items():
        setattr(row, field, value)
    row.save()
    _audit("affiliate.changed", row, actor)
    return row


@transaction.atomic
def renew_page(*, affiliate: Affiliate, actor: Actor) -> str:
    """Another address for their page; the former one works no more."""
    token = new_token()
    Affiliate.objects.filter(pk=affiliate.pk).update(token_hash=hash_of(token))
    _audit("affiliate.page_renewed", affiliate, actor)
    return page_of(token)


@transaction.atomic
def stop_affiliate(*, affiliate: Affiliate, actor: Actor, now: dt.datetime) -> Affiliate:
    """Nobody comes by them any more; who came is paid for. Again changes nothing."""
    row = Affiliate.objects.select_for_update().get(pk=affiliate.pk)
    if row.stopped_at is None:
        row.stopped_at = now
        row.save(update_fields=["stopped_at"])
        _audit("affiliate.stopped", row, actor)
    return row


@transaction.atomic
def pay_month(
    *, affiliate: Affiliate, month: dt.date, note: str, actor: Actor, now: dt.datetime
) -> AffiliatePayout:
    """Write down that they were paid for a month that is over, once. Again changes nothing."""
    row = Affiliate.objects.select_for_update().select_related("referral_program__program").get(
        pk=affiliate.pk
    )  # fmt: skip
    known = AffiliatePayout.objects.filter(affiliate=row, month=month).first()
    if known is not None:
        return known
    due = next((item for item in report_of(row) if item.month == month), None)
    if due is None or not due.owed:
        message = _("There is nothing to pay for this month.")
        raise DomainError(message, errors=[FieldError("month", message)])
    today = now.astimezone(row.referral_program.program.zone).date()
    if month >= today.replace(day=1):
        message = _("This month is not over yet.")
        raise ConflictError(message, errors=[FieldError("month", message)])
    made = AffiliatePayout.objects.create(
        affiliate=row, month=month, money=due.owed, note=" ".join(note.split())[:200], paid_at=now,
        paid_by=actor.user,
    )  # fmt: skip
    _audit("affiliate.paid", row, actor)
    return made


@dataclass(frozen=True, slots=True)
class MonthDue:
    """A month of an affiliate: friends who were paid for, what they bring, what was paid for it."""

    month: dt.date
    friends: int
    money: Decimal
    payout: AffiliatePayout | None

    @property
    def owed(self) -> Decimal:
        return Decimal(0) if self.payout is not None else max(self.money, Decimal(0))


def report_of(affiliate: Affiliate) -> list[MonthDue]:
    """Newest first, by the month in which it was earned. What goes back is taken off the month in
    which it was earned; where that was paid already, see `overpaid`."""
    return reports_of([affiliate], affiliate.referral_program.program)[affiliate.pk]


def reports_of(affiliates: Iterable[Affiliate], program: Program) -> dict[int, list[MonthDue]]:
    """The same of many of a program, by their keys; two queries."""
    found: dict[int, list[MonthDue]] = {affiliate.pk: [] for affiliate in affiliates}
    rows = ReferralPayment.objects.filter(
        referral__link__affiliate__in=list(found), side=ReferralPayment.Side.AFFILIATE
    )
    by_month = rows.annotate(
        whose=F("referral__link__affiliate"), first=TruncMonth("paid_at", tzinfo=program.zone)
    ).order_by("-first")
    paid = AffiliatePayout.objects.filter(affiliate__in=list(found)).select_related("paid_by")
    payouts = {(payout.affiliate_id, payout.month): payout for payout in paid}
    for row in by_month.values("whose", "first").annotate(
        friends=_friends(), earned=Sum(F("money") - F("money_back"), output_field=_MONEY)
    ):
        month, money = row["first"].date(), row["earned"].quantize(CENT)
        payout = payouts.get((row["whose"], month))
        found[row["whose"]].append(MonthDue(month, row["friends"], money, payout))
    return found


def overpaid(affiliate: Affiliate) -> Decimal:
    """What was paid for purchases that went back afterwards; people settle it."""
    paid = [item for item in report_of(affiliate) if item.payout is not None]
    return sum(
        (Decimal(item.payout.money) - item.money for item in paid if item.payout), Decimal(0)
    ).quantize(CENT)


def find_affiliate(token: str) -> Affiliate | None:
    """Whose page it is; None: the address does not work."""
    rows = Affiliate.objects.select_related("referral_program__program")
    return rows.filter(token_hash=hash_of(token)).first()


def page_of(token: str) -> str:
    return str(settings.SITE_URL) + reverse("referrals:affiliate", args=[token])


def _friends() -> Sum:
    return Sum(
        Case(When(money__gt=F("money_back"), then=Value(1)), default=Value(0)),
        output_field=IntegerField(),
    )


def _name(name: str) -> str:
    text = " ".join(name.replace("\x00", "").split())[:120]
    if not text:
        message = _("Give a name.")
        raise DomainError(message, errors=[FieldError("name", message, "required")])
    return text


def _email(email: str) -> str:
    text = email.replace("\x00", "").strip().lower()
    if text:
        try:
            validate_email(text)
        except ValidationError as error:
            message = _("Write an e-mail address like ann@example.com.")
            raise DomainError(message, errors=[FieldError("email", message)]) from error
    return text


def _rates(per_friend: Decimal, percent: Decimal) -> dict[str, Decimal]:
    if per_friend < 0 or not 0 <= percent <= 100 or not (per_friend or percent):
        message = _("Give an amount for each friend, or a percentage of what they buy.")
        raise DomainError(message, errors=[FieldError("per_friend", message)])
    return {"per_friend": per_friend, "percent": percent}


def _audit(action: str, row: Affiliate, actor: Actor) -> None:
    record_audit(
        actor=actor, action=action, target=row.referral_program.program, after={"name": row.name}
    )
