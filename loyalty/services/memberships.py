"""Enrolling customers: a membership, its account and one wallet per wallet type."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping

from django.db import transaction

from loyalty.models import Candidate, Membership, Program
from loyalty.services.absences import note_status
from members.models import Customer
from members.prepared import KeptQuery, run_prepared
from members.selectors.merges import current
from members.services.audit import Actor, record_audit

CARD_DIGITS = 15
# The outbox event that follows where early members get something, or a charity for each of them.
JOINED = "membership.joined"
_MEMBERSHIP: KeptQuery[Membership] = KeptQuery(
    lambda customer, program: Membership.objects.filter(customer=customer, program=program)
)


def new_card_number() -> str:
    """Sixteen digits that nobody can guess, the last one a Luhn check digit against typing
    errors."""
    body = "9" + "".join(secrets.choice("0123456789") for _ in range(CARD_DIGITS - 1))
    return body + luhn_digit(body)


def luhn_digit(body: str) -> str:
    """The digit that makes body + digit pass the Luhn test (ISO/IEC 7812-1, annex B)."""
    total = 0
    for index, char in enumerate(reversed(body)):
        digit = int(char)
        if index % 2 == 0:
            digit = digit * 2 - 9 if digit > 4 else digit * 2
        total += digit
    return str(-total % 10)


_ENROLL = """
    WITH wanted AS (
        SELECT x.customer_id, x.card, x.enrolled_at, x.earns_from,
               nextval(pg_get_serial_sequence('loyalty_account', 'id')) AS account_id
          FROM unnest(%(keys)s::bigint[], %(cards)s::text[], %(times)s::timestamptz[],
                      %(earns_from)s::timestamptz[])
               AS x(customer_id, card, enrolled_at, earns_from)
          JOIN members_customer c ON c.id = x.customer_id AND c.merged_into_id IS NULL
         WHERE NOT EXISTS (SELECT 1 FROM loyalty_membership m
                            WHERE m.customer_id = x.customer_id
                              AND m.program_id = %(program)s::bigint)
    ), accounts AS (
        INSERT INTO loyalty_account (id, kind, program_id) OVERRIDING SYSTEM VALUE
        SELECT account_id, 'membership', %(program)s::bigint FROM wanted
    ), wallets AS (
        INSERT INTO loyalty_wallet (account_id, wallet_type_id)
        SELECT wanted.account_id, t.id
          FROM wanted CROSS JOIN loyalty_wallettype t WHERE t.program_id = %(program)s::bigint
    ), members AS (
    INSERT INTO loyalty_membership (public_id, program_id, customer_id, account_id, status,
                                    source, source_detail, earns_from, card_number,
                                    enrolled_at, created_at)
    SELECT gen_random_uuid(), %(program)s::bigint, customer_id, account_id, 'active', %(source)s,
           %(detail)s, earns_from, card, enrolled_at, now()
      FROM wanted
    RETURNING id, enrolled_at
    ), joined AS (
        UPDATE loyalty_candidate c
           SET state = 'joined', answered_at = wanted.enrolled_at, token_hash = NULL
          FROM wanted
         WHERE c.program_id = %(program)s::bigint AND c.customer_id = wanted.customer_id
    ), told AS (
        INSERT INTO members_outboxevent
               (kind, payload, created_at, available_at, attempts, last_error)
        SELECT %(event)s,
               jsonb_build_object('program', %(program)s::bigint,
                                  'memberships', (SELECT jsonb_agg(id) FROM members)),
               now(), now(), 0, ''
         WHERE EXISTS (SELECT FROM members)
    )
    -- Where there are tiers, everybody has one; it is worked out when it is asked for.
    INSERT INTO loyalty_membertier (membership_id, tier_id, since, total, changes_at)
    SELECT m.id, t.id, m.enrolled_at, 0, greatest(m.enrolled_at, s.starts_at)
      FROM members m
     CROSS JOIN (SELECT id, starts_at FROM loyalty_tierset WHERE program_id = %(program)s::bigint
                  ORDER BY number LIMIT 1) s
      JOIN loyalty_tier t ON t.tier_set_id = s.id AND t.position = 0
"""


def enroll_many(
    *,
    program_id: int,
    enrolled: Mapping[int, dt.datetime],
    source: str,
    detail: str = "",
    earns_from: Mapping[int, dt.datetime | None] | None = None,
) -> None:
    """Enroll customers (key → member since) who have no membership in the program yet. Who was
    merged into another is not enrolled: that one is. `earns_from`: of whom what was bought before
    earns nothing, whenever it is told."""
    if not enrolled:
        return
    keys = sorted(enrolled)
    # A wallet type that is being added waits, or has been added already: nobody goes without.
    run_prepared("SELECT 1 FROM loyalty_program WHERE id = %s FOR SHARE", [program_id])
    # The customers' rows are the lock that keeps two first orders from enrolling one twice.
    run_prepared(
        "SELECT 1 FROM members_customer WHERE id = ANY(%s::bigint[]) ORDER BY id FOR NO KEY UPDATE",
        [keys],
    )
    run_prepared(
        _ENROLL,
        {
            "keys": keys,
            "cards": [new_card_number() for _ in keys],
            "times": [enrolled[key] for key in keys],
            "program": program_id,
            "source": source,
            "detail": detail,
            "earns_from": [(earns_from or {}).get(key) for key in keys],
            "event": JOINED,
        },
    )


def take_part_again(*, program_id: int, since: Mapping[int, dt.datetime]) -> set[int]:
    """Those of these customers (key → from when on) who had left, and take part again."""
    left = Membership.objects.filter(
        program=program_id, customer__in=since, status=Membership.Status.LEFT
    )
    back = list(left)
    again = {member.customer_id for member in back}
    if again:
        left.update(status=Membership.Status.ACTIVE)
    for member in back:
        member.status = Membership.Status.ACTIVE
        note_status(member, at=since[member.customer_id])
    for customer_id in again:
        Candidate.objects.filter(program=program_id, customer=customer_id).update(
            state=Candidate.State.JOINED, answered_at=since[customer_id], token_hash=None
        )
    return again


@transaction.atomic
def enroll_customer(
    *,
    customer: Customer,
    program: Program,
    source: str,
    at: dt.datetime,
    actor: Actor,
    detail: str = "",
    chosen: bool = False,
) -> tuple[Membership, bool]:
    """The customer's membership, and whether it is new. Enrolling twice changes nothing; who had
    left takes part again, and keeps the source of the first time. `chosen`: it was their decision,
    so that what they bought before earns nothing."""
    customer = current(customer)
    found = _MEMBERSHIP.first(customer.pk, program.pk)
    if found is not None:
        if found.status != Membership.Status.LEFT:
            return found, False
        take_part_again(program_id=program.pk, since={customer.pk: at})
    enroll_many(
        program_id=program.pk, enrolled={customer.pk: at}, source=source, detail=detail,
        earns_from={customer.pk: at if chosen else None},
    )  # fmt: skip
    membership = _MEMBERSHIP.one(customer.pk, program.pk)
    after = {"program": program.code, "card_number": membership.card_number}
    if found is None:
        after["source"] = membership.get_source_display()
    record_audit(
        actor=actor, action="membership.enrolled", target=customer, about=program, after=after
    )
    return membership, True
