"""Checking the rows of a bulk adjustment before anybody decides on it: chunk by chunk, an error for
each cell that is wrong."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import Count, Q, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from loyalty.ledger.balances import holdings
from loyalty.models import BulkAdjustment, BulkRow, Membership, Wallet
from loyalty.selectors.adjustment_limits import BOUNDLESS, Limits, limits_of, whole_units
from loyalty.selectors.adjustment_reasons import find_reason
from loyalty.selectors.erased_holders import accounts_of_erased
from loyalty.selectors.liability import liability_now
from loyalty.services.adjustments import MOST_UNITS
from loyalty.services.bulk_members import Directory
from loyalty.services.bulk_rows import require_state, write_rows
from loyalty.services.bulk_sources import NAMES, WIDTH
from members.formatting import format_number, format_units
from members.models import Job
from members.phones import region_of_time_zone
from members.policy import role_of
from members.selectors.erased import was_erased
from members.selectors.merchants import get_merchant
from members.services.job_runs import Step, run_in_chunks

CHECK = "bulk_check"
CHUNK = 1_000
LONGEST_NOTE = 500
_NUMBER = re.compile(r"[+-]?\d{1,12}(\.\d{1,6})?").fullmatch


@dataclass(slots=True)
class Checked:
    """What a row turned out to mean."""

    row: BulkRow
    wallet: Wallet | None = None
    units: int | None = None
    note: str = ""
    problems: list[list[str]] = field(default_factory=list)

    def wrong(self, column: str, reason: str) -> None:
        self.problems.append([column, self.row.cells.get(column, "")[:200], reason[:300]])


def run_check(job_id: int) -> Job | None:
    """Check all rows that are new, then add them up; None when another run has it."""
    return run_in_chunks(job_id, _check_chunk)


def _check_chunk(job: Job) -> Step | None:
    if job.checkpoint.get("finished"):
        return None
    batch = BulkAdjustment.objects.select_related(
        "wallet_type__program", "created_by__staff_member", "api_key"
    ).get(pk=job.params["bulk"])
    require_state(batch, BulkAdjustment.State.CHECKING)
    # Beyond the last one seen: the database need not walk over those that were new.
    last = job.checkpoint.get("last", 0)
    new = batch.rows.filter(state=BulkRow.State.NEW, number__gt=last)
    rows = list(new.order_by("number")[:CHUNK])
    _write(Checker(batch).check(rows, timezone.now()))
    if len(rows) == CHUNK:
        return Step({"last": rows[-1].number}, job.done + len(rows))
    return Step({"finished": True}, job.done + len(rows), result=_add_up(batch))


def _write(checked: Sequence[Checked]) -> None:
    for item in checked:
        row, good = item.row, not item.problems
        row.state = BulkRow.State.GOOD if good else BulkRow.State.WRONG
        row.wallet, row.units = (item.wallet, item.units) if good else (None, None)
        row.problems, row.note = item.problems, item.note[:LONGEST_NOTE]
    write_rows([item.row for item in checked])


def _add_up(batch: BulkAdjustment) -> dict[str, int]:
    sums = batch.rows.filter(state=BulkRow.State.GOOD).aggregate(
        members=Count("pk"),
        given=Sum("units", filter=Q(units__gt=0), default=0),
        taken=Sum("units", filter=Q(units__lt=0), default=0),
    )
    BulkAdjustment.objects.filter(pk=batch.pk).update(
        state=BulkAdjustment.State.CHECKED,
        member_count=sums["members"],
        given=sums["given"],
        taken=-sums["taken"],
        outstanding=liability_now(batch.wallet_type, timezone.now()).units,
    )
    return {"good": sums["members"], "wrong": batch.row_count - sums["members"]}


class Checker:
    """Knows what rows of this batch may say."""

    def __init__(self, batch: BulkAdjustment) -> None:
        self.batch = batch
        self.wallet_type = batch.wallet_type
        self.region = region_of_time_zone(get_merchant().time_zone)
        self.limits: Limits = (
            BOUNDLESS
            if batch.created_by is None
            else limits_of(role_of(batch.created_by), self.wallet_type.program)
        )
        reason = find_reason(batch.reason)
        self.note_required = reason is not None and reason.note_required

    def check(self, rows: Sequence[BulkRow], now: dt.datetime) -> list[Checked]:
        directory = Directory(self.wallet_type, [row.cells for row in rows], region=self.region)
        checked = [Checked(row) for row in rows]
        for item in checked:
            self._check_width(item)
            self._check_units(item)
            self._check_note(item)
            self._check_member(item, directory)
        self._check_erased(checked)
        self._check_once(checked)
        self._check_balances(checked, now)
        return checked

    def _check_width(self, item: Checked) -> None:
        if WIDTH in item.row.cells:
            found, _slash, wanted = item.row.cells[WIDTH].partition("/")
            item.problems.append(
                ["", "", _("The row has %(found)s cells, the header %(wanted)s.")
                 % {"found": found, "wanted": wanted}]
            )  # fmt: skip

    def _check_units(self, item: Checked) -> None:
        if self.batch.units_each is not None:
            item.units = self.batch.units_each
            return
        text = item.row.cells.get("units", "")
        if not _NUMBER(text):
            item.wrong("units", _("Write a number such as 250 or -50."))
            return
        scaled = Decimal(text).scaleb(self.wallet_type.scale)
        if scaled != scaled.to_integral_value():
            item.wrong(
                "units",
                _("At most %s decimals.") % self.wallet_type.scale
                if self.wallet_type.scale
                else _("Write a whole number."),
            )
            return
        units = int(scaled)
        if units == 0:
            item.wrong("units", _("Give a number other than zero."))
        elif abs(units) > MOST_UNITS:
            item.wrong("units", _("Give a smaller number."))
        elif not self.limits.allows(whole_units(units, self.wallet_type.scale)):
            most = format_number(self.limits.most_at_once or 0)
            item.wrong("units", _("Your role may move at most %s at once.") % most)
        else:
            item.units = units

    def _check_note(self, item: Checked) -> None:
        item.note = item.row.cells.get("note", "") or self.batch.note
        if len(item.note) > LONGEST_NOTE:
            item.wrong("note", _("At most 500 characters."))
        elif self.note_required and not item.note:
            item.wrong("note", _("With this reason, say in a note what happened."))

    def _check_member(self, item: Checked, directory: Directory) -> None:
        named = [(name, item.row.cells[name]) for name in NAMES if item.row.cells.get(name)]
        if not named:
            first = next((name for name in NAMES if name in item.row.cells), NAMES[0])
            item.wrong(first, _("Say whose row this is."))
            return
        found = [(name, directory.find(name, text)) for name, text in named]
        for name, answer in found:
            if answer.problem:
                item.wrong(name, answer.problem)
        customers = {answer.customer_id for _name, answer in found if answer.customer_id}
        if len(customers) > 1:
            item.wrong(named[-1][0], _("This is somebody else than %s says.") % named[0][0])
        if len(customers) == 1 and not any(answer.problem for _name, answer in found):
            self._take_wallet(item, named[0][0], directory, customers.pop())

    def _take_wallet(
        self, item: Checked, column: str, directory: Directory, customer_id: int
    ) -> None:
        member = directory.member(customer_id)
        if member is None:
            program = self.wallet_type.program.name
            item.wrong(column, _("This customer is not a member of %s.") % program)
            return
        item.wallet, status = member
        gift = self.batch.kind == BulkAdjustment.Kind.GRANT
        if gift and status != Membership.Status.ACTIVE:
            item.wrong(column, _("This membership is not active, so it gets no gift."))

    def _check_erased(self, checked: Sequence[Checked]) -> None:
        named = {item.wallet.account_id: item for item in checked if item.wallet}
        gone = accounts_of_erased(named)
        for item in checked:
            if item.wallet and item.wallet.account_id in gone:
                column = next(name for name in NAMES if item.row.cells.get(name))
                item.wrong(column, str(was_erased().message))

    def _check_once(self, checked: Sequence[Checked]) -> None:
        """A member is in a batch once: the first good row counts."""
        wallets = [item.wallet.pk for item in checked if item.wallet]
        seen = dict(self.batch.rows.filter(wallet__in=wallets).values_list("wallet_id", "number"))
        for item in checked:
            if item.wallet is None or item.problems:
                continue
            first = seen.setdefault(item.wallet.pk, item.row.number)
            if first != item.row.number:
                column = next(name for name in NAMES if item.row.cells.get(name))
                item.wrong(column, _("This customer is in row %s already.") % first)

    def _check_balances(self, checked: Sequence[Checked], now: dt.datetime) -> None:
        taking = [item for item in checked if item.wallet and not item.problems
                  and item.units is not None and item.units < 0]  # fmt: skip
        held = holdings([item.wallet for item in taking if item.wallet], now)
        for item in taking:
            assert item.wallet is not None
            assert item.units is not None
            spendable = held[item.wallet.pk].spendable
            if -item.units > spendable:
                left = format_units(spendable, self.wallet_type)
                item.wrong("units", _("Only %s can be taken away.") % left)
