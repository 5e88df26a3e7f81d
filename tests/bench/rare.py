"""What is rare, so that the demonstration has nothing of it, or only once: made for the walk among
the pages, each by the service that makes it, once for a database."""

from __future__ import annotations

import csv
import datetime as dt
import uuid
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import connection
from django.utils import timezone

from campaigns.campaign_definitions import CampaignDefinition
from campaigns.demo.campaigns import EARLY
from campaigns.services.campaigns import create_campaign
from campaigns.services.webhook_endpoints import create_endpoint, switch_off
from campaigns.services.webhook_telling import send_ping
from loyalty.definitions import ProgramDefinition
from loyalty.demo.load import PROGRAM
from loyalty.ledger.posting import expire_due
from loyalty.models import Membership, Order, Program, Transfer
from loyalty.services.claims import claim_order
from loyalty.services.enrollment_files import start_enrollment_import
from loyalty.services.import_files import new_folder
from loyalty.services.import_rows import LINE_COLUMNS, ORDER_COLUMNS
from loyalty.services.import_undoing import start_undo
from loyalty.services.imports import start_import
from loyalty.services.manual_tiers import give_tier
from loyalty.services.memberships import enroll_customer
from loyalty.services.occasions import KIND as OCCASIONS
from loyalty.services.order_inputs import CustomerRef, OrderInput
from loyalty.services.orders import record_orders
from loyalty.services.programs import apply_definition
from loyalty.shop_exports.dry_runs import start_dry_run
from loyalty.shop_exports.uploads import keep_upload
from members.kept_secrets import hidden
from members.models import Customer, Job, SignInProvider, User
from members.services.api_keys import create_api_key
from members.services.audit import SYSTEM, Actor
from members.services.customers import create_customer
from members.services.job_runs import run_job
from members.services.jobs import start_or_resume_job
from members.services.merging import merge_customers
from tests.bench.figures import say

SOURCE = Transfer.Source.BACKOFFICE
DAY = dt.timedelta(days=1)
NAME = "Rare"
# One member in so many is suspected of something.
SUSPECTED = 200
EXPORT = (
    "Name,Email,Financial Status,Currency,Total,Created at,Lineitem quantity,Lineitem price,"
    "Lineitem sku,Id\n"
    "#1,rare.ann@example.com,paid,USD,24.90,2026-03-01 09:15:00 +0000,1,24.90,COF,1\n"
    "#2,rare.ben@example.com,paid,USD,free,2026-03-02 09:15:00 +0000,1,10.00,TEA,2\n"
)


def make_rare(looking: User) -> None:
    """`looking`: who walks among the pages; uploads are shown to those alone who brought them."""
    if Customer.objects.filter(family_name=NAME).exists():
        return
    program, now = Program.objects.get(code=PROGRAM), timezone.now()
    for make in _PARTS:
        say(f"making what is rare: {make.__name__.strip('_').replace('_', ' ')}")
        make(program, looking, now)


def _settings(program: Program, looking: User, now: dt.datetime) -> None:
    create_api_key(actor=SYSTEM, name=NAME, scopes=["books:read"])
    # Its server would be asked whether it is one.
    SignInProvider.objects.create(
        code="rare", name=NAME, issuer="https://sign-in.example", client_id="rare",
        secret=hidden("rare"),
    )  # fmt: skip
    draft = {"code": "rare", "name": NAME, "currency": program.currency, "status": "draft",
             "wallet_types": [{}], "earning_rules": [{}]}  # fmt: skip
    apply_definition(ProgramDefinition.model_validate(draft), actor=SYSTEM, now=now)
    endpoint, _secret = create_endpoint(url="https://rare.example/hooks", actor=SYSTEM, now=now)
    send_ping(endpoint=endpoint, actor=SYSTEM, now=now)
    switch_off(endpoint=endpoint, actor=SYSTEM, now=now)
    said = {**EARLY, "name": NAME, "codes": {"kind": "single"},
            "starts_at": now + 10 * DAY, "ends_at": now + 13 * DAY}  # fmt: skip
    definition = CampaignDefinition.model_validate(said)
    create_campaign(program=program, definition=definition, actor=SYSTEM, now=now)


def _a_merge(program: Program, looking: User, now: dt.datetime) -> None:
    kept, merged = (_member(program, given, now).customer for given in ("Kept", "Merged"))
    merge_customers(kept=kept, merged=merged, actor=SYSTEM, source=SOURCE, now=now)


def _a_given_tier(program: Program, looking: User, now: dt.datetime) -> None:
    member = _member(program, "Given", now)
    give_tier(membership=member, tier="sapling", reason=NAME, actor=SYSTEM, now=now)


def _a_birthday(program: Program, looking: User, now: dt.datetime) -> None:
    # Born in a leap year, so that every day is there.
    born = now.astimezone(program.zone).date().replace(year=1992)
    member = _member(program, "Born", now - 400 * DAY, birthday=born)
    # Keys of those who were copied are far from each other.
    last = {"now": now.isoformat(), "after": member.pk - 1}
    _run(start_or_resume_job(
        kind=OCCASIONS, label=NAME, fingerprint=uuid.uuid4().hex, params=last, actor=SYSTEM
    ))  # fmt: skip


def _orders_by_hand(program: Program, looking: User, now: dt.datetime) -> None:
    """One that was a guest's, and one that gave units which have expired."""
    member = _member(program, "Old", now - 1200 * DAY)
    old = CustomerRef(key=member.customer_id)
    said = [("rare-guest", now - DAY, None), ("rare-old", now - 1100 * DAY, old)]
    orders = [
        OrderInput(number, at, program.currency, Decimal(200), buyer, "rare")
        for number, at, buyer in said
    ]
    record_orders(orders, now=now, transfer_source=Transfer.Source.API, program_ids=[program.pk])
    guest = Order.objects.get(source="rare", external_id="rare-guest")
    claim_order(order=guest, customer=member.customer, actor=SYSTEM, source=SOURCE, now=now)
    expire_due(most=1, now=now)


def _files(program: Program, looking: User, now: dt.datetime) -> None:
    """Members from a file; orders from one, which are taken back again; and a shop's own file,
    which was tried and waits."""
    actor = Actor.of_user(looking)
    people = _file("people.csv", ["external_id", "given_name"], [[f"{NAME}-1", NAME]])
    _run(start_enrollment_import(program=program, path=people, name=people.name, actor=actor))
    at = (now - DAY).replace(tzinfo=None).isoformat(timespec="seconds")
    row = ["rare-1", f"{NAME}-1", at, program.currency, "20.00", "sale", ""]
    orders = _file("orders.csv", list(ORDER_COLUMNS), [row])
    line = ["rare-1", "1", "RARE", "GROCERY", "1", "20.00", "0.00", "20.00"]
    lines = _file("lines.csv", list(LINE_COLUMNS), [line])
    job = start_import(
        program=program, orders_path=orders, lines_path=lines, actor=actor, source="rare"
    )
    _run(job)
    job.refresh_from_db()
    _run(start_undo(job=job, reason=NAME, actor=actor))
    upload = keep_upload(owner=looking.pk, name="export.csv", chunks=[EXPORT.encode()])
    _run(start_dry_run(upload=upload, choices=upload.choices, actor=actor))


def _suspicions(program: Program, looking: User, now: dt.datetime) -> None:
    """As many as there would be: those of the demonstration are of members who are not copied."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO loyalty_riskcase
                      (public_id, membership_id, state, points, signals, opened_at, chosen, note)
               SELECT gen_random_uuid(), m.id, 'open', c.points, c.signals,
                      now() - m.id %% 86400 * interval '1 minute', '{}', ''
                 FROM (SELECT id, row_number() OVER () AS n FROM loyalty_membership m
                        WHERE program_id = %s AND id %% %s = 0 AND NOT EXISTS (
                              SELECT FROM loyalty_riskcase r WHERE r.membership_id = m.id)) m
                 JOIN (SELECT points, signals, row_number() OVER () AS n, count(*) OVER () AS all
                         FROM loyalty_riskcase WHERE state = 'open') c ON m.n %% c.all + 1 = c.n""",
            [program.pk, SUSPECTED],
        )


_PARTS: tuple[Callable[[Program, User, dt.datetime], None], ...] = (
    _settings, _a_given_tier, _a_birthday, _orders_by_hand, _files, _suspicions, _a_merge,
)  # fmt: skip


def _member(program: Program, given: str, since: dt.datetime, **said: Any) -> Membership:
    customer = create_customer(actor=SYSTEM, given_name=given, family_name=NAME, **said)
    made, _new = enroll_customer(
        customer=customer, program=program, source=Membership.Source.STAFF, at=since, actor=SYSTEM
    )
    return made


def _file(name: str, columns: list[str], rows: list[list[str]]) -> Path:
    path = new_folder() / name
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return path


def _run(job: Job) -> None:
    run_job(job.pk)
