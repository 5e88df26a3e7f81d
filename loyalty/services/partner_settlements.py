"""Months of partners are closed once, by a job or a person, and marked as paid."""

from __future__ import annotations

import datetime as dt

from django.db import connection, transaction
from django.db.models import Max
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.models import Partner, PartnerSettlement
from loyalty.selectors.goals import today_of
from loyalty.selectors.partner_statements import (
    month_of,
    next_month,
    statement_of,
    unsettled_statement,
)
from loyalty.selectors.partners import partners
from members.errors import ConflictError, DomainError, FieldError
from members.formatting import format_money, format_number
from members.jobs import Work
from members.models import Job
from members.services.audit import SYSTEM, Actor, record_audit
from members.services.job_runs import Step, checkpoint_in_list, place_in_list, run_in_chunks

KIND = "partner_settlements"
Status = PartnerSettlement.Status
# Tills that were offline tell what they sold up to 72 hours later.
PATIENCE = dt.timedelta(days=3)
# All that is not settled of the month and of before. The sums that are kept say of which days there
# is any, so that those that are settled are not read again.
_HOLD = """
    INSERT INTO loyalty_settledtransfer (transfer_id, settlement_id)
    SELECT t.id, %(settlement)s
      FROM (SELECT DISTINCT wallet_type_id, booked_on FROM loyalty_partnertally
             WHERE partner_id = %(partner)s AND booked_on BETWEEN %(first)s AND %(until)s) d
      JOIN loyalty_transfer t USING (wallet_type_id, booked_on)
     WHERE %(partner)s IN (t.from_account_id, t.to_account_id)
       AND NOT EXISTS (SELECT FROM loyalty_settledtransfer s WHERE s.transfer_id = t.id)
"""


def find_settlements(now: dt.datetime) -> Work | None:
    """Partners that have a month which is over, and was for some days."""
    due = [partner.pk for partner in partners() if is_due(partner, _today(partner, now) - PATIENCE)]
    if not due:
        return None
    params = {"partners": due, "now": now.isoformat()}
    return Work(_("Settlements with partners"), params=params, total=len(due))


def is_due(partner: Partner, today: dt.date) -> bool:
    """Whether its next month is over by then; of one that has ended, the last that it took part
    in, and those up to one with something that came back of it."""
    since, until = next_month(partner)
    if until >= today:
        return False
    ended = partner.ended_at
    if ended is None or since <= ended.astimezone(partner.account.program.zone).date():
        return True
    last = month_of(today)[0] - dt.timedelta(days=1)
    return bool(unsettled_statement(partner, since, last).lines)


def run_settlements(job_id: int) -> Job | None:
    """Close month after month; None when another run has it."""
    return run_in_chunks(job_id, _close_of_next)


def settlement_words(job: Job) -> str:
    closed = job.result.get("closed", 0)
    words = ngettext("%s month was closed.", "%s months were closed.", closed)
    return words % format_number(closed)


def _close_of_next(job: Job) -> Step | None:
    """All months of one partner that are over."""
    place, due = place_in_list(job), job.params["partners"]
    if place >= len(due):
        return None
    now = dt.datetime.fromisoformat(job.params["now"])
    partner = partners().filter(pk=due[place]).first()
    closed = 0
    while partner is not None and is_due(partner, _today(partner, now) - PATIENCE):
        close_month(partner=partner, actor=SYSTEM, now=now)
        closed += 1
    result = {"closed": job.result.get("closed", 0) + closed}
    return Step(checkpoint_in_list(job, place + 1), place + 1, len(due), result)


@transaction.atomic
def close_month(*, partner: Partner, actor: Actor, now: dt.datetime) -> PartnerSettlement:
    """Close the next month of a partner, for good. Raises ConflictError where it is not over."""
    held = partners().select_for_update(of=("self",), no_key=True).get(pk=partner.pk)
    since, until = next_month(held)
    program = held.account.program
    if until >= today_of(program, now):
        raise ConflictError(_("This month is not over yet."))
    with connection.cursor() as cursor:
        # Its movements before itself, for it says what they come to.
        cursor.execute("SELECT nextval(pg_get_serial_sequence('loyalty_partnersettlement', 'id'))")
        [key] = cursor.fetchone()
        cursor.execute(
            _HOLD, {"settlement": key, "partner": held.pk, "first": held.since, "until": until}
        )
    statement = statement_of(key, held, since, until)
    last = PartnerSettlement.objects.filter(partner=held).aggregate(last=Max("number", default=0))
    settlement = PartnerSettlement.objects.create(
        pk=key, partner=held, number=last["last"] + 1, since=since, until=until,
        currency=program.currency, issued=statement.issued, taken_in=statement.taken_in,
        net=statement.net, lines=[line.as_json() for line in statement.lines],
        movements=statement.movements, closed_at=now,
    )  # fmt: skip
    _audit(settlement, "partner_settlement.closed", actor)
    return settlement


@transaction.atomic
def pay_settlement(
    *, settlement: PartnerSettlement, reference: str, paid_on: dt.date, actor: Actor,
    now: dt.datetime,
) -> PartnerSettlement:  # fmt: skip
    """It was paid, by whoever owed it. The same again changes nothing; anything else is refused
    (ConflictError)."""
    rows = PartnerSettlement.objects.select_related("partner__account__program")
    row = rows.select_for_update(of=("self",)).get(pk=settlement.pk)
    reference = " ".join(reference.replace("\x00", "").split())[:120]
    if not reference:
        raise _refused("reference", _("Say under which reference it was paid."))
    if paid_on > today_of(row.partner.account.program, now):
        raise _refused("paid_on", _("Choose a day that is not in the future."))
    if row.status == Status.PAID and (row.reference, row.paid_on) == (reference, paid_on):
        return row
    if row.status != Status.OPEN:
        raise ConflictError(_("This settlement was paid already."))
    row.status, row.reference, row.paid_on = Status.PAID, reference, paid_on
    row.save()
    _audit(row, "partner_settlement.paid", actor, reference=reference, paid_on=str(paid_on))
    return row


def _today(partner: Partner, now: dt.datetime) -> dt.date:
    return today_of(partner.account.program, now)


def _audit(settlement: PartnerSettlement, action: str, actor: Actor, **more: str) -> None:
    account = settlement.partner.account
    record_audit(
        actor=actor, action=action, target=account.program,
        after={
            "partner": account.name, "number": settlement.number,
            "money": format_money(settlement.net, settlement.currency), **more,
        },
    )  # fmt: skip


def _refused(field: str, message: str) -> DomainError:
    return DomainError(message, errors=[FieldError(field, message)])
