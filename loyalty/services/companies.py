"""Founding and changing companies: pools with details, an account manager and limits.

Who is in a company, what goes into its wallet and what comes back is the business of pools
(`loyalty.services.pools`); here is what a company is beside that.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from loyalty.models import Company, Membership
from loyalty.services.company_rows import DETAILS, CompanyDetails, snapshot, write_details
from loyalty.services.pools import PoolTerms, change_pool, create_pool, open_pool
from members.services.audit import Actor, record_audit
from members.services.transactions import run_atomically


def create_company(
    *, owner: Membership, terms: PoolTerms, details: Mapping[str, Any], bring: bool = False,
    actor: Actor, source: str, now: dt.datetime,
) -> Company:  # fmt: skip
    """Found a company with its first owner. `details`: what is said of `CompanyDetails`; limits
    that are not are those of the program. Raises PoolRefusedError at the field."""

    def create() -> Company:
        pool = create_pool(
            owner=owner, terms=terms, bring=bring, company=details, actor=actor, source=source,
            now=now,
        )  # fmt: skip
        return Company.objects.select_related("pool__program", "manager__user").get(pool=pool)

    return run_atomically(create)


def change_company(
    *, company: Company, changes: Mapping[str, Any], terms: Mapping[str, Any] | None = None,
    actor: Actor,
) -> Company:  # fmt: skip
    """Change a company from now on; what changes nothing leaves no trace. `terms`: what changes
    about its pool. Raises PoolRefusedError at the field."""

    def change() -> Company:
        pool = open_pool(company.pool)
        row = Company.objects.select_for_update(of=("self",)).get(pool=pool)
        row.pool = pool
        before = snapshot(row)
        wanted = {name: getattr(row, name) for name in DETAILS} | dict(changes)
        write_details(row, CompanyDetails(**wanted))
        if terms:
            row.pool = change_pool(pool=pool, changes=terms, actor=actor)
        _record(row, before, snapshot(row), actor)
        return row

    return run_atomically(change)


def _record(company: Company, before: dict[str, Any], after: dict[str, Any], actor: Actor) -> None:
    changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    if changed:
        record_audit(
            actor=actor,
            action="company.changed",
            target=company.pool,
            before={name: before[name] for name in changed if name in before},
            after={name: after.get(name, "") for name in changed},
        )
