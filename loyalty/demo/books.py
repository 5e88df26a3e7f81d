"""The demonstration's books: totals that have followed, and a first look at whether all agrees."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from loyalty.models import Program, SelfCheck
from loyalty.services.self_checks import KIND
from loyalty.services.totals import write_month_ends
from members.services.job_runs import run_scheduled
from members.services.outbox import deliver_waiting


def keep_books(program: Program) -> None:
    """What workers do in a night, done at once; a second time only what is new."""
    while deliver_waiting(1000):
        pass
    now = timezone.now()
    yesterday = now.astimezone(program.zone).date() - dt.timedelta(days=1)
    for wallet_type in program.wallet_types.all():
        write_month_ends(wallet_type.pk, yesterday)
    if not SelfCheck.objects.exists():
        run_scheduled(kind=KIND, now=now)
