"""Keeping the table of exchange rates. A rate that changes moves nothing: orders keep the one that
they were converted by."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Literal

from babel.core import get_global
from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from loyalty.models import ExchangeRate
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
    known = {
        (row.given, row.wanted, row.valid_from): row
        for row in ExchangeRate.objects.select_for_update()
        .filter(
            given__in={rate.given for rate in rates},
            valid_from__in={rate.valid_from for rate in rates},
        )
        .order_by("pk")
    }
    return [_put_one(rate, known.get(rate.address), actor, now, trying) for rate in rates]


def _put_one(
    said: RateInput, row: ExchangeRate | None, actor: Actor, now: dt.datetime, trying: bool
) -> Outcome:
    if row is not None and (row.rate, row.source) == (said.rate, said.source):
        return "unchanged"
    outcome: Outcome = "created" if row is None else "changed"
    if trying:
        return outcome
    before = None if row is None else snapshot(row, _SAID)
    row = row or ExchangeRate(
        given=said.given, wanted=said.wanted, valid_from=said.valid_from, created_at=now
    )
    row.rate, row.source, row.updated_at = said.rate, said.source, now
    row.changed_by = actor.label[:200]
    row.save()
    record_audit(
        actor=actor, action=f"exchange_rate.{outcome}", target=row, before=before,
        after=snapshot(row, _SAID),
    )  # fmt: skip
    return outcome


def _delete(rate: ExchangeRate, actor: Actor) -> None:
    row = ExchangeRate.objects.select_for_update().filter(pk=rate.pk).first()
    if row is None:
        return
    said, label = snapshot(row, _SAID), ExchangeRate(pk=row.pk, given=row.given, wanted=row.wanted,
                                                    rate=row.rate)  # fmt: skip
    try:
        row.delete()
    except ProtectedError as error:
        raise ConflictError(
            _("Orders were converted by this rate. It stays, as what they rest on."),
            code="rate_used",
        ) from error
    record_audit(actor=actor, action="exchange_rate.deleted", target=label, before=said)
