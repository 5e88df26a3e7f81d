"""What charities are paid: each line of what they were given is in one payout, until that is taken
back. The charity's row is the lock of its payouts."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.db.models import Count, Max, QuerySet, Sum
from django.utils.translation import gettext as _

from loyalty.models import Charity, CharityEntry, CharityPayout
from members.errors import ConflictError, DomainError, FieldError
from members.formatting import format_money
from members.services.audit import Actor, record_audit

Status = CharityPayout.Status


@dataclass(frozen=True, slots=True)
class ToPay:
    """What a payout would hold."""

    money: Decimal
    things: Decimal
    entries: int


def unpaid(
    charity: Charity, until: dt.date, since: dt.date | None = None
) -> QuerySet[CharityEntry]:
    """What was given in these days and is in no payout."""
    found = CharityEntry.objects.filter(charity=charity, payout=None, booked_on__lte=until)
    return found.filter(booked_on__gte=since) if since else found


def preview_payout(charity: Charity, until: dt.date, since: dt.date | None = None) -> ToPay:
    return _sums(unpaid(charity, until, since))


@transaction.atomic
def make_payout(
    *, charity: Charity, until: dt.date, actor: Actor, now: dt.datetime,
    since: dt.date | None = None,
) -> CharityPayout:  # fmt: skip
    """Put all that is not in a payout yet into one. Raises DomainError where the days are not over
    or the other way round, ConflictError where there is nothing to pay."""
    Charity.objects.select_for_update(no_key=True).get(pk=charity.pk)
    program = charity.account.program
    if until >= now.astimezone(program.zone).date():
        raise _refused("until", _("Choose a day that is over."))
    if since is not None and since > until:
        raise _refused("since", _("It begins before it ends."))
    # Held, so that what is summed is what is marked.
    keys = list(
        unpaid(charity, until, since).select_for_update(of=("self",)).order_by("pk")
        .values_list("pk", flat=True)
    )  # fmt: skip
    entries = CharityEntry.objects.filter(pk__in=keys)
    sums = _sums(entries)
    if not sums.entries or sums.money < 0:
        message = _("There is nothing to pay out for these days.")
        raise ConflictError(message, errors=[FieldError("until", message)])
    last = charity.payouts.aggregate(last=Max("number", default=0))["last"]
    payout = CharityPayout.objects.create(
        charity=charity, number=last + 1, since=since, until=until, money=sums.money,
        things=sums.things, entries_count=sums.entries, made_at=now,
    )  # fmt: skip
    entries.update(payout=payout)
    _audit(payout, "charity_payout.made", actor)
    return payout


@transaction.atomic
def pay_payout(
    *, payout: CharityPayout, reference: str, paid_on: dt.date, actor: Actor, now: dt.datetime
) -> CharityPayout:
    """It was paid. The same again changes nothing; anything else is refused (ConflictError)."""
    row = _lock(payout)
    reference = " ".join(reference.replace("\x00", "").split())[:120]
    if not reference:
        raise _refused("reference", _("Say under which reference it was paid."))
    if paid_on > now.astimezone(row.charity.account.program.zone).date():
        raise _refused("paid_on", _("Choose a day that is not in the future."))
    if row.status == Status.PAID and (row.reference, row.paid_on) == (reference, paid_on):
        return row
    if row.status != Status.OPEN:
        raise ConflictError(_("This payout is not waiting to be paid."))
    row.status, row.reference, row.paid_on = Status.PAID, reference, paid_on
    row.save()
    _audit(row, "charity_payout.paid", actor, reference=reference, paid_on=str(paid_on))
    return row


@transaction.atomic
def take_back_payout(*, payout: CharityPayout, reason: str, actor: Actor) -> CharityPayout:
    """It was a mistake: what was in it waits for another payout. Its sums stay to be read."""
    row = _lock(payout)
    reason = " ".join(reason.replace("\x00", "").split())[:300]
    if not reason:
        raise _refused("note", _("Say why."))
    if row.status == Status.TAKEN_BACK:
        raise ConflictError(_("This payout was taken back already."))
    row.status, row.note = Status.TAKEN_BACK, reason
    row.save()
    row.entries.update(payout=None)
    _audit(row, "charity_payout.taken_back", actor, reason=reason)
    return row


def _sums(entries: QuerySet[CharityEntry]) -> ToPay:
    sums = entries.aggregate(
        money=Sum("money", default=Decimal(0)), things=Sum("things", default=Decimal(0)),
        entries=Count("pk"),
    )  # fmt: skip
    return ToPay(sums["money"], sums["things"], sums["entries"])


def _lock(payout: CharityPayout) -> CharityPayout:
    rows = CharityPayout.objects.select_related("charity__account__program")
    return rows.select_for_update(of=("self",)).get(pk=payout.pk)


def _audit(payout: CharityPayout, action: str, actor: Actor, reason: str = "", **more: str) -> None:
    program = payout.charity.account.program
    record_audit(
        actor=actor, action=action, target=program, reason=reason,
        after={
            "charity": payout.charity.account.name, "number": payout.number,
            "money": format_money(payout.money, program.currency), **more,
        },
    )  # fmt: skip


def _refused(field: str, message: str) -> DomainError:
    return DomainError(message, errors=[FieldError(field, message)])
