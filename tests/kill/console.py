"""Steps inside an installation under test: `python -m tests.kill.console` reads one JSON line for
each, `[step, arguments]`, and answers with one.

A test of another kind of work adds a step that starts it and returns the job's id.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from celery import current_app  # noqa: E402  (after Django)
from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402
from django.utils import timezone  # noqa: E402

from campaigns.models import OccasionSetting, SurpriseDraw  # noqa: E402
from campaigns.news import News  # noqa: E402
from campaigns.occasions import occasion_named  # noqa: E402
from campaigns.selectors.surprises import wrong_in_draw  # noqa: E402
from campaigns.services.broadcast_sending import KIND as BROADCASTS  # noqa: E402
from campaigns.services.broadcasts import schedule_broadcast  # noqa: E402
from campaigns.services.connections import create_connection, set_api_access  # noqa: E402
from campaigns.services.messages import write_messages  # noqa: E402
from campaigns.services.policies import set_policy  # noqa: E402
from campaigns.services.shop_histories import start_history  # noqa: E402
from campaigns.services.surprise_jobs import KIND as SURPRISES  # noqa: E402
from campaigns.services.webhook_endpoints import create_endpoint  # noqa: E402
from loyalty.ledger.checks import verify_ledger  # noqa: E402
from loyalty.ledger.posting import WalletRef, movement, post  # noqa: E402
from loyalty.models import Account  # noqa: E402
from loyalty.selectors.programs import get_program  # noqa: E402
from loyalty.services.bulk_adjustments import Plan, create_bulk, post_bulk  # noqa: E402
from loyalty.services.bulk_checking import run_check  # noqa: E402
from loyalty.services.bulk_sources import from_file  # noqa: E402
from loyalty.services.enrollment_files import (  # noqa: E402
    run_enrollment_import,
    start_enrollment_import,
)
from loyalty.services.enrollment_undoing import start_enrollment_undo  # noqa: E402
from loyalty.services.import_undoing import start_undo  # noqa: E402
from loyalty.services.imports import run_import, start_import  # noqa: E402
from loyalty.services.memberships import enroll_many  # noqa: E402
from loyalty.shop_exports.dry_runs import start_dry_run  # noqa: E402
from loyalty.shop_exports.uploads import keep_upload  # noqa: E402
from members.models import Customer, Job  # noqa: E402
from members.services.api_keys import create_api_key  # noqa: E402
from members.services.audit import SYSTEM, Actor  # noqa: E402
from members.services.job_runs import queue_job, run_scheduled, start_work  # noqa: E402
from members.services.outbox import deliver_waiting  # noqa: E402
from tests.campaigns.broadcasts import make_broadcast  # noqa: E402
from tests.campaigns.campaigns import DAY, launch  # noqa: E402
from tests.campaigns.factories import tell_many  # noqa: E402
from tests.factories import StaffMemberFactory  # noqa: E402
from tests.loyalty.factories import NOW, make_program, make_wallet  # noqa: E402

PROGRAM = "club"
TILL = ["orders:write", "memberships:write"]


def prepare() -> str:
    """A live program with a point for each dollar, and the key of a till that has members join."""
    call_command("migrate", interactive=False, verbosity=0)
    make_program(PROGRAM)
    return create_api_key(actor=SYSTEM, name="Till", scopes=TILL)[1]


def verify() -> list[str]:
    """What does not hold in the ledger."""
    return [f"{drift.check}: {drift.rows}" for drift in verify_ledger(timezone.now())]


def import_orders(orders: str, lines: str, source: str) -> int:
    job = start_import(
        program=get_program(PROGRAM),
        orders_path=Path(orders),
        lines_path=Path(lines),
        actor=SYSTEM,
        source=source,
    )
    queue_job(job)
    return job.pk


def job_called(public_id: str) -> int:
    """The key of a job that the API began."""
    return Job.objects.get(public_id=public_id).pk


def undo_import(orders: str, lines: str, source: str) -> int:
    """An import that is done, and the job that undoes it."""
    job = start_import(
        program=get_program(PROGRAM), orders_path=Path(orders), lines_path=Path(lines),
        actor=SYSTEM, source=source,
    )  # fmt: skip
    run_import(job.pk)
    undo = start_undo(job=job, reason="The wrong file", actor=SYSTEM)
    queue_job(undo)
    return undo.pk


def try_orders(path: str) -> int:
    """A shop's own export that was uploaded, and the job that tries it."""
    upload = keep_upload(owner=0, name="export.csv", chunks=[Path(path).read_bytes()])
    job = start_dry_run(upload=upload, choices=upload.choices, actor=SYSTEM)
    queue_job(job)
    return job.pk


def undo_enrollment(path: str) -> int:
    """People of a file who are members, and the job that has them leave."""
    job = start_enrollment_import(
        program=get_program(PROGRAM), path=Path(path), name="people.csv", actor=SYSTEM
    )
    run_enrollment_import(job.pk)
    undo = start_enrollment_undo(job=job, reason="The wrong file", actor=SYSTEM)
    queue_job(undo)
    return undo.pk


def bring_in_history(url: str, source: str) -> int:
    """A shop that is connected, and the job that brings in what happened there before."""
    now = timezone.now()
    made = create_connection(
        kind="shopify", name=source, source=source, customer_prefix=f"{source[-8:]}-", actor=SYSTEM,
        now=now,
    )  # fmt: skip
    opened = set_api_access(connection=made, shop_url=url, key="shpat_1", secret="", actor=SYSTEM)
    job = start_history(connection=opened, since=None, actor=SYSTEM)
    queue_job(job)
    return job.pk


def expire(lots: int) -> int:
    """Lots of a hundred members that have expired, and the job that writes that down."""
    program = make_program(
        "short", unit={"expiry": {"kind": "days", "length": 1, "last_day": "start_of_day"}}
    )
    wallets = [make_wallet(program, f"short-{number}") for number in range(100)]
    account = Account.objects.get(program=program, kind="adjusted").pk
    policy = wallets[0].wallet_type.lot_policies.get().pk
    for first in range(0, lots, 2_000):
        post(
            [
                movement(
                    direction="in", kind="adjustment", amount=7, key=f"short-{number}",
                    ref=WalletRef(
                        wallet.pk, wallet.account_id, wallet.wallet_type_id, program.zone
                    ),
                    counter_account_id=account, occurred_at=NOW, source="job",
                    sp=NOW, ex=NOW + dt.timedelta(days=1), pol=policy,
                )
                for number in range(first, min(first + 2_000, lots))
                for wallet in (wallets[number % 100],)
            ],
            now=NOW,
        )  # fmt: skip
    job = start_work(kind="expiry", actor=SYSTEM, now=timezone.now())
    assert job is not None
    queue_job(job)
    return job.pk


def surprise(members: int, winners: int, units: int, budget: int) -> int:
    """So many of all members are drawn for as many units each, from a budget, and the job that
    draws them and gives it."""
    program, now = make_program("surprised"), timezone.now()
    numbers = [f"surprised-{number}" for number in range(members)]
    found = Customer.objects.bulk_create(Customer(external_id=number) for number in numbers)
    enrolled = dict.fromkeys([one.pk for one in found], NOW)
    enroll_many(program_id=program.pk, enrolled=enrolled, source="staff")
    offer = {"choose": "number", "winners": winners, "units": units}
    launch(
        program, "surprise", at=now - DAY, offer=offer, budget_units=budget,
        starts_at=now - DAY, ends_at=now + DAY,
    )  # fmt: skip
    run_scheduled(kind="campaigns", now=now)
    job = start_work(kind=SURPRISES, actor=SYSTEM, now=now)
    assert job is not None
    queue_job(job)
    return job.pk


def wrong_draws() -> list[str]:
    """What of each draw of surprises is not as it must be."""
    return [wrong_in_draw(draw) for draw in SurpriseDraw.objects.exclude(drawn_at=None)]


def broadcast(members: int, code: str) -> int:
    """A message to as many, now, and the job that writes it to each."""
    program, now = make_program(code), timezone.now()
    numbers = [f"{code}-{number}" for number in range(members)]
    found = Customer.objects.bulk_create(Customer(external_id=number) for number in numbers)
    enrolled = dict.fromkeys([one.pk for one in found], NOW)
    enroll_many(program_id=program.pk, enrolled=enrolled, source="staff")
    schedule_broadcast(
        broadcast=make_broadcast(program, holdout=10), send_at=None, actor=SYSTEM, now=now
    )
    job = start_work(kind=BROADCASTS, actor=SYSTEM, now=now)
    assert job is not None
    queue_job(job)
    return job.pk


def adjust_many(rows: int) -> int:
    """A bulk adjustment of as many members, checked, and the job that posts it."""
    program = make_program("bulk")
    numbers = [f"bulk-{number}" for number in range(rows)]
    Customer.objects.bulk_create(Customer(external_id=number) for number in numbers)
    keys = Customer.objects.filter(external_id__in=numbers).values_list("pk", flat=True)
    enroll_many(program_id=program.pk, enrolled=dict.fromkeys(keys, NOW), source="staff")
    lines = "".join(f"{number},{1 + index % 9}\n" for index, number in enumerate(numbers))
    file = io.BytesIO(f"customer_id,units\n{lines}".encode())
    actor = Actor.of_user(StaffMemberFactory(role="administrator").user)
    plan = Plan("adjustment", program.wallet_types.get(), "goodwill")
    source = from_file(file, "bulk.csv", with_units=True)
    batch = create_bulk(plan=plan, source=source, actor=actor, now=timezone.now())
    assert batch.job_id is not None
    run_check(batch.job_id)
    batch.refresh_from_db()
    batch = post_bulk(batch=batch, actor=actor, now=timezone.now())
    assert batch.job is not None
    queue_job(batch.job)
    return batch.job.pk


def tell_members(messages: int) -> None:
    """A gift to as many, by e-mail, at any hour."""
    at_any_hour = {"quiet_from": dt.time(0), "quiet_until": dt.time(0)}
    set_policy(changes=at_any_hour, actor=SYSTEM)
    customers = [
        Customer(external_id=f"told-{number}", email=f"told-{number}@example.com")
        for number in range(messages)
    ]
    tell_many(Customer.objects.bulk_create(customers), now=timezone.now())


def tell_by_text(messages: int) -> None:
    """The code of a reward to as many, by text message."""
    customers = Customer.objects.bulk_create(
        Customer(external_id=f"texted-{number}", phone=f"+60123{number:06}")
        for number in range(messages)
    )
    occasion = occasion_named("reward_issued")
    assert occasion is not None
    setting = OccasionSetting(code=occasion.code, channels=["sms"], topic=occasion.topic)
    news = [News(one, f"texted:{one.pk}", dict) for one in customers]
    write_messages(occasion=occasion, setting=setting, news=news, now=timezone.now())


def tell_endpoint(url: str, customers: int) -> None:
    """A webhook that is told of new customers, and as many of them."""
    create_endpoint(url=url, types=["customer.created"], actor=SYSTEM, now=timezone.now())
    for number in range(customers):
        Customer.objects.create(external_id=f"hooked-{number}")
    while deliver_waiting():
        pass


def resume_jobs() -> None:
    """What the schedule does twice a minute."""
    current_app.send_task("members.tasks.resume_stale_jobs")


def look_at(job: int) -> dict[str, Any]:
    return Job.objects.values("state", "done", "total", "result", "error").get(pk=job)


STEPS: dict[str, Callable[..., Any]] = {
    step.__name__: step
    for step in (
        prepare, verify, import_orders, job_called, undo_import, try_orders, undo_enrollment,
        bring_in_history, expire, adjust_many,
        tell_members, broadcast, surprise, wrong_draws, tell_by_text, tell_endpoint,
        resume_jobs, look_at,
    )
}  # fmt: skip


def main() -> None:
    for line in sys.stdin:
        step, arguments = json.loads(line)
        try:
            answer = {"result": STEPS[step](**arguments)}
        except Exception:
            answer = {"error": traceback.format_exc()}
        # The server may be killed before the next step.
        connections.close_all()
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
