"""The pools of a file of balances: founded with the owner whom some row of the file names, joined
by whoever else a row says is in them."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.models import ImportBatch, Membership, Pool, PoolMember, Program, Transfer
from loyalty.pool_roles import COMPANY, HOUSEHOLD
from loyalty.services.adjustments import undo_key
from loyalty.services.balance_rows import NO, POOL, POOL_TERMS, YES, BalanceRow, is_uuid
from loyalty.services.pool_leaving import leave_pool
from loyalty.services.pools import PoolTerms, add_pool_member, change_pool_member, create_pool
from members.errors import DomainError, FieldError
from members.models import Job
from members.services.audit import Actor

# What the errors of pools are about, as columns of a file.
_COLUMNS = {"name": "pool_name", "membership": "customer_id", "external_id": "company_id"}
# Rows with a role owner of the pools with these names, and who they are.
FindOwners = Callable[[Sequence[str]], Sequence[tuple[BalanceRow, Membership | DomainError]]]


class PoolsOfFile:
    """The pools of one piece. `joined`: the keys of those who came into one by it."""

    def __init__(
        self, job: Job, program: Program, actor: Actor, now: dt.datetime, owners: FindOwners
    ) -> None:
        self.job, self.program, self.actor, self.now = job, program, actor, now
        self.joined: list[int] = []
        self._owners = owners
        self._found: dict[str, Pool | DomainError] = {}

    def prepare(self, rows: Sequence[BalanceRow]) -> None:
        """Look for the pools of these rows, and found those that are not here."""
        names = list(dict.fromkeys(row.cells["pool"] for row in rows if row.holder == POOL))
        for name in names:
            known = self._known(name)
            if known is not None:
                self._found[name] = known
        missing = [name for name in names if name not in self._found]
        for row, owner in self._owners(missing) if missing else ():
            if row.cells["pool"] not in self._found:
                self._found[row.cells["pool"]] = self._founded(row, owner)

    def find(self, row: BalanceRow) -> Pool | DomainError:
        words = _("This pool is not here, and no row of the file names its owner.")
        missing = DomainError(words, errors=[FieldError("pool", words, "no_owner")])
        return self._found.get(row.cells["pool"], missing)

    def join(self, row: BalanceRow, member: Membership | DomainError) -> bool:
        """Whether they are in the pool by this import; False: they had been before. Raises
        DomainError."""
        pool = self.find(row)
        for refused in (pool, member):
            if isinstance(refused, DomainError):
                raise refused
        assert isinstance(pool, Pool)
        assert isinstance(member, Membership)
        place = PoolMember.objects.filter(pool=pool, membership=member, left_at=None).first()
        if place is not None:
            return place.pk in self.joined or _came_with(self.job, place.pk)
        try:
            with transaction.atomic():
                place = add_pool_member(
                    pool=pool, membership=member, role=row.cells["role"],
                    may_spend=row.cells.get("may_spend") == YES, actor=self.actor,
                    source=Transfer.Source.IMPORT.value, now=self.now,
                )  # fmt: skip
        except DomainError as error:
            raise _in_columns(error) from error
        self._settle(place, row)
        return True

    def _settle(self, place: PoolMember, row: BalanceRow) -> None:
        self.joined.append(place.pk)
        if row.cells.get("contributes") == NO:
            change_pool_member(member=place, changes={"contributes": False}, actor=self.actor)

    def _founded(self, row: BalanceRow, owner: Membership | DomainError) -> Pool | DomainError:
        if isinstance(owner, DomainError):
            return owner
        cells = row.cells
        if Pool.objects.filter(key=self._key(cells["pool"])).exists():
            closed = _("The pool that came by this name was closed. Give it another name.")
            return DomainError(
                closed, code="pool_closed", errors=[FieldError("pool", closed, "pool_closed")]
            )
        company = cells.get("company_id", "")
        terms = {name: cells[name] for name in POOL_TERMS if cells.get(name) and name != "share"}
        try:
            with transaction.atomic():
                pool = create_pool(
                    owner=owner, bring=False, actor=self.actor, now=self.now,
                    source=Transfer.Source.IMPORT.value,
                    company={"external_id": company} if company else None,
                    terms=PoolTerms(
                        name=cells.get("pool_name") or cells["pool"],
                        kind=COMPANY if company else HOUSEHOLD,
                        share=int(cells["share"]) if cells.get("share") else None, **terms,
                    ),
                )  # fmt: skip
        except DomainError as error:
            return _in_columns(error)
        Pool.objects.filter(pk=pool.pk).update(key=self._key(cells["pool"]))
        self._settle(PoolMember.objects.get(pool=pool, left_at=None), row)
        return pool

    def _known(self, name: str) -> Pool | None:
        """By the name that it came with, by Setia's id, by the number of a company."""
        pools = Pool.objects.filter(program=self.program, status=Pool.Status.OPEN)
        found = pools.filter(key=self._key(name)).first()
        if found is None and is_uuid(name):
            found = pools.filter(public_id=name).first()
        return found or pools.filter(company__external_id=name).first()

    def _key(self, name: str) -> str:
        named = f"{self.job.params['source']}|{name}".encode()
        return f"opening:{self.program.pk}:{hashlib.sha256(named).hexdigest()[:40]}"


def take_out(place: PoolMember, *, actor: Actor, now: dt.datetime) -> bool:
    """Take somebody out of a pool that an import put them into; who is the last closes it. False:
    the pool was used since, so they stay."""
    pool = place.pool
    moved = Transfer.objects.filter(wallet__account=pool.account_id)
    since = moved.filter(recorded_at__gte=place.joined_at)
    # What files brought and was taken back is no use of it, whenever they brought it.
    opened = moved.filter(key__startswith="opening:").values_list("pk", flat=True)
    undone = {undo_key(pk): pk for pk in opened}
    undone = {
        key: undone[key] for key in since.filter(key__in=undone).values_list("key", flat=True)
    }
    if since.exclude(pk__in=undone.values()).exclude(key__in=undone).exists():
        return False
    leave_pool(member=place, actor=actor, source=Transfer.Source.IMPORT.value, now=now)
    # Its name may come again with a corrected file.
    Pool.objects.filter(pk=pool.pk, status=Pool.Status.CLOSED).update(key=None)
    return True


def _came_with(job: Job, place: int) -> bool:
    return ImportBatch.objects.filter(job=job, pool_members__contains=[place]).exists()


def _in_columns(error: DomainError) -> DomainError:
    """The same, about the columns of a file."""
    fields = error.errors or [FieldError("membership", error.message, error.code)]
    named = [FieldError(_COLUMNS.get(item.field, item.field), item.message, item.code)
             for item in fields]  # fmt: skip
    return DomainError(str(error.message), code=error.code, errors=named)
