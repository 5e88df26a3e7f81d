"""Keeping the table of exchange rates. A rate that changes moves nothing: orders keep the one that
they were converted by."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any, Literal

from babel.core import get_global
from django.utils.translation import gettext as _

from loyalty.models import ExchangeRate, OrderConversion
from loyalty.services.order_checks import is_rate
from members.errors import ConflictError, DomainError, FieldError
from members.services.audit import Actor, record_audit, snapshot
from members.services.transactions import run_atomically

# As a table of rates lists it: it may be given some days before it counts, and not years.
AHEAD = dt.timedelta(days=366)
LONGEST_SOURCE = 80
_SAID = ["given", "wanted", "valid_from", "rate", "source"]

Outcome = Literal["created", "changed", "unchanged"]


@dataclass(frozen=True, slots=True)
class RateInput:
    """From `valid_from` on, one of `given` is `rate` of `wanted`; `source` says who tells."""

    given: str
    wanted: str
    valid_from: dt.date
    rate: Decimal
    source: str = ""

    @property
    def address(self) -> tuple[str, str, dt.date]:
        return self.given, self.wanted, self.valid_from


def put_rates(
    rates: Sequence[RateInput], *, actor: Actor, now: dt.datetime, trying: bool = False
) -> list[Outcome]:
    """Take rates into the table, all of them or none; one that is there for its day is changed, and
    doing so again changes nothing. `trying`: only say what would become of each."""
    check_rates(rates, now)
    return run_atomically(partial(_put, rates, actor, now, trying))


def delete_rate(*, rate: ExchangeRate, actor: Actor) -> None:
    """Only one by which no order was converted: the others say what orders rest on."""
    run_atomically(partial(_delete, rate, actor))


def check_rates(rates: Sequence[RateInput], now: dt.datetime) -> None:
    """Raise DomainError naming each value that cannot be, by its place."""
    errors: list[FieldError] = []
    seen: set[tuple[str, str, dt.date]] = set()
    for place, rate in enumerate(rates):
        errors += (
            FieldError(f"rates[{place}].{name}", message, code)
            for name, message, code in wrong_values(rate, now)
        )
        if rate.address in seen:
            message = _("A rate of this pair and day is there twice.")
            errors.append(FieldError(f"rates[{place}].valid_from", message, "duplicate"))
        seen.add(rate.address)
    if errors:
        raise DomainError(_("These rates cannot be."), errors=errors)


def wrong_values(rate: RateInput, now: dt.datetime) -> list[tuple[str, str, str]]:
    """Name, what is wrong with it, and a code."""
    known = get_global("all_currencies")
    found = [
        (name, _("Write the three letters of a currency."), "invalid")
        for name, value in (("from_currency", rate.given), ("to_currency", rate.wanted))
        if value not in known
    ]
    if rate.given == rate.wanted:
        found.append(("to_currency", _("Give two different currencies."), "invalid"))
    if not is_rate(rate.rate):
        found.append(("rate", _("Give a rate above zero with at most 10 decimals."), "invalid"))
    if not rate.valid_from.year >= 1990 or rate.valid_from > now.date() + AHEAD:
        message = _("Give a day from 1990 on, not more than a year ahead.")
        found.append(("valid_from", message, "invalid"))
    if len(rate.source) > LONGEST_SOURCE:
        found.append(("source", _("Give at most %s characters.") % LONGEST_SOURCE, "too_long"))
    return found


def _put(rates: Sequence[RateInput], actor: Actor, now: dt.datetime, trying: bool) -> list[Outcome]:
    rows = ExchangeRate.objects.filter(
        given__in={rate.given for rate in rates},
        valid_from__in={rate.valid_from for rate in rates},
    ).order_by("pk")
    if not trying:
        # Not its key, which orders hold that are being converted: none waits for the other.
        rows = rows.select_for_update(no_key=True)
    known = {(row.given, row.wanted, row.valid_from): row for row in rows}
    outcomes = [_outcome(rate, known.get(rate.address)) for rate in rates]
    if not trying:
        _write(rates, outcomes, known, actor, now)
    return outcomes


def _outcome(said: RateInput, row: ExchangeRate | None) -> Outcome:
    if row is None:
        return "created"
    return "unchanged" if (row.rate, row.source) == (said.rate, said.source) else "changed"


def _write(
    rates: Sequence[RateInput], outcomes: Sequence[Outcome],
    known: Mapping[tuple[str, str, dt.date], ExchangeRate], actor: Actor, now: dt.datetime,
) -> None:  # fmt: skip
    """Those that are new all at once; the audit log has them in the order in which they came."""
    new: list[ExchangeRate] = []
    written: list[tuple[ExchangeRate, Outcome, dict[str, Any] | None]] = []
    for said, outcome in zip(rates, outcomes, strict=True):
        if outcome == "unchanged":
            continue
        row = known.get(said.address)
        before = None if row is None else snapshot(row, _SAID)
        if row is None:
            row = ExchangeRate(
                given=said.given, wanted=said.wanted, valid_from=said.valid_from, created_at=now
            )
            new.append(row)
        row.rate, row.source, row.updated_at = said.rate, said.source, now
        row.changed_by = actor.label[:200]
        if before is not None:
            row.save(update_fields=["rate", "source", "updated_at", "changed_by"])
        written.append((row, outcome, before))
    ExchangeRate.objects.bulk_create(new)
    for row, outcome, before in written:
        record_audit(
            actor=actor, action=f"exchange_rate.{outcome}", target=row, before=before,
            after=snapshot(row, _SAID),
        )  # fmt: skip


def _delete(rate: ExchangeRate, actor: Actor) -> None:
    row = ExchangeRate.objects.select_for_update().filter(pk=rate.pk).first()
    if row is None:
        return
    said, label = snapshot(row, _SAID), ExchangeRate(pk=row.pk, given=row.given, wanted=row.wanted,
                                                    rate=row.rate)  # fmt: skip
    # Under the lock none can come to rest on it.
    if OrderConversion.objects.filter(exchange_rate=row).exists():
        raise ConflictError(
            _("Orders were converted by this rate. It stays, as what they rest on."),
            code="rate_used",
        )
    row.delete()
    record_audit(actor=actor, action="exchange_rate.deleted", target=label, before=said)
