"""Closing books, so that what accountants have taken over stays, and opening them again."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from loyalty.models import ClosedPeriod, Lot, Program
from loyalty.rules.calendar import last_instant
from loyalty.selectors.closed_periods import first_open_day
from loyalty.services.expiry import write_down_expired
from members.errors import ConflictError, DomainError, FieldError
from members.formatting import format_day
from members.services.audit import Actor, record_audit
from members.services.transactions import run_atomically

BOOKED = """
    SELECT t.wallet_type_id,
           sum(CASE WHEN t.to_account_id = w.account_id THEN t.amount ELSE -t.amount END)::bigint,
           count(*)
      FROM loyalty_transfer t JOIN loyalty_wallet w ON w.id = t.wallet_id
     WHERE t.wallet_type_id = ANY(%(types)s) AND t.booked_on <= %(until)s::date
       AND t.booked_on >= coalesce(%(since)s::date, '-infinity')
     GROUP BY t.wallet_type_id
"""
DISCOUNTS = """
    SELECT coalesce(sum(amount), 0), count(*) FROM loyalty_discountentry
     WHERE program_id = %(program)s AND booked_on <= %(until)s::date
       AND booked_on >= coalesce(%(since)s::date, '-infinity')
"""


def close_books(
    *, program: Program, until: dt.date, actor: Actor, now: dt.datetime
) -> ClosedPeriod:
    """Close a program's books to the end of a day that is over; nothing is booked there any more.

    What has expired by then is written down before. Raises ConflictError when the day is closed
    already, DomainError when it is not over.
    """
    _check_day(program, until, now)
    write_down_expired(now)
    period = run_atomically(lambda: _close(program, until, actor, now))
    # Once it is closed it stays what it is, so nobody has to wait for the sums.
    return note_booked(period)


def reopen_books(
    *, period: ClosedPeriod, actor: Actor, reason: str, now: dt.datetime
) -> ClosedPeriod:
    """Open the last closed period of a program again, with a reason that is kept.

    What was booked on a later day meanwhile stays there.
    """
    if not reason.strip():
        raise DomainError(
            _("Say why the books are opened again."),
            errors=[FieldError("reason", _("This is required."), "required")],
        )
    return run_atomically(lambda: _reopen(period.pk, actor, reason.strip(), now))


@transaction.atomic
def note_booked(period: ClosedPeriod) -> ClosedPeriod:
    """Keep what was booked in a closed period, for the self-check to compare with."""
    types = list(period.program.wallet_types.values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(BOOKED, {"types": types, "until": period.until, "since": period.since})
        found: dict[str, Any] = {
            str(pk): {"units": units, "movements": count} for pk, units, count in cursor.fetchall()
        }
        cursor.execute(
            DISCOUNTS, {"program": period.program_id, "until": period.until, "since": period.since}
        )
        money, lines = cursor.fetchone()
        found["discounts"] = {"money": str(money), "lines": lines}
    period.booked = found
    period.save(update_fields=["booked"])
    return period


def _check_day(program: Program, until: dt.date, now: dt.datetime) -> None:
    if until >= now.astimezone(program.zone).date():
        raise DomainError(
            _("This day is not over yet."),
            code="period_not_over",
            errors=[FieldError("until", _("Give a day that is over."))],
        )
    opened = first_open_day(program)
    if opened is not None and until < opened:
        raise ConflictError(_("The books are closed to that day already."), code="period_closed")


def _hold_alone() -> None:
    """Wait for what is being booked, and let nothing else be booked until this is committed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('loyalty.books'), 0)")


def _close(program: Program, until: dt.date, actor: Actor, now: dt.datetime) -> ClosedPeriod:
    _hold_alone()
    _check_day(program, until, now)
    ends = last_instant(until, program.zone)
    if Lot.objects.filter(due_at__lte=ends, wallet__wallet_type__program=program).exists():
        raise ConflictError(
            _("Something that has expired is just being booked. Try again in a moment."),
            code="books_busy",
        )
    period = ClosedPeriod.objects.create(
        program=program,
        since=first_open_day(program),
        until=until,
        closed_at=now,
        closed_by=actor.user,
        unit_values={str(item.pk): str(item.unit_value) for item in program.wallet_types.all()},
    )
    record_audit(actor=actor, action="books.closed", target=program, after=_plain(period))
    return period


def _reopen(pk: int, actor: Actor, reason: str, now: dt.datetime) -> ClosedPeriod:
    _hold_alone()
    period = ClosedPeriod.objects.select_related("program").get(pk=pk)
    opened = first_open_day(period.program)
    if period.reopened_at is not None or opened != period.until + dt.timedelta(days=1):
        raise ConflictError(
            _("Only the last closed period can be opened again. The books are open from %s on.")
            % (format_day(opened) if opened else _("the beginning")),
            code="not_last_period",
        )
    period.reopened_at, period.reopened_by, period.reopen_reason = now, actor.user, reason
    period.save(update_fields=["reopened_at", "reopened_by", "reopen_reason"])
    record_audit(
        actor=actor,
        action="books.reopened",
        target=period.program,
        before=_plain(period),
        reason=reason,
    )
    return period


def _plain(period: ClosedPeriod) -> dict[str, Any]:
    since = period.since.isoformat() if period.since else None
    return {"since": since, "until": period.until.isoformat()}
