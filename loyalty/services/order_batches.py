"""The two round trips of a batch of orders: open (lock, load what is known) and write.

`orders_open` and `orders_write` are the SQL side; this module is their only caller.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.db import connection
from django.utils.translation import gettext as _

from loyalty.errors import InvalidOrderError, OrderConflictError
from loyalty.ledger.posting import Movement, WalletRef, dumps, translated_errors
from loyalty.models import Membership, OrderConversion
from loyalty.rules.lots import OrderTimes
from loyalty.selectors.rulebooks import (
    ProgramTerms,
    Terms,
    current_terms,
    reload_terms,
    with_visitors,
)
from loyalty.services.admissions import enroll_admitted, join_at_checkout
from loyalty.services.memberships import enroll_many
from loyalty.services.order_inputs import CustomerRef, OrderInput, plain
from loyalty.services.tender_inputs import paid_by_kind
from members.errors import FieldError
from members.prepared import run_prepared

Span = tuple[dt.datetime, dt.datetime | None]


def away(span: Span, at: dt.datetime) -> bool:
    """Whether this moment is in it."""
    began, ended = span
    return began <= at and (ended is None or at < ended)


@dataclass(frozen=True, slots=True)
class MemberRef:
    """A membership as the write needs it: its account and wallets by wallet type."""

    membership_id: int
    active: bool
    account_id: int
    wallets: dict[int, int]
    left: bool = False
    # What came before earns nothing; None: there is no such moment.
    earns_from: dt.datetime | None = None
    # When they were suspended, or had left: from, and to.
    absences: tuple[Span, ...] = ()

    def earns_at(self, at: dt.datetime) -> bool:
        """Whether what happens at this moment counts."""
        begun = self.earns_from is None or at >= self.earns_from
        return self.active and begun and not any(away(span, at) for span in self.absences)

    def wallet(self, wallet_type_id: int, terms: ProgramTerms) -> WalletRef:
        return WalletRef(self.wallets[wallet_type_id], self.account_id, wallet_type_id, terms.zone)


@dataclass(frozen=True, slots=True)
class Opened:
    """What is known about one order: its key (old or reserved), content, buyer and memberships."""

    order_id: int
    known: bool
    body_hash: bytes | None
    parked: bool
    customer_id: int | None
    members: dict[int, MemberRef]

    def takes_part_in(self, program_id: int, wanted: Wanted) -> bool:
        """Whether the buyer is a member; one who has left and asks to join again is none."""
        member = self.members.get(program_id)
        return member is not None and not (member.left and wanted.joins)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a batch asks for: an order number, who bought, and when."""

    number: str
    customer: CustomerRef | None
    at: dt.datetime
    # The buyer asked at the checkout to become a member.
    joins: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """An order whose content is new, and its place in the batch."""

    place: int
    order_id: int
    order: OrderInput


@dataclass(frozen=True, slots=True)
class Enrolling:
    """How unknown people become members: from which source, and whether also where a program
    enrolls only those who asked."""

    source: str = Membership.Source.ORDER
    always: bool = False
    never: bool = False


@dataclass(slots=True)
class Rows:
    """New rows of a batch, column by column as `orders_write` reads them."""

    orders: list[Any] = field(default_factory=list)
    lines: list[Any] = field(default_factory=list)
    tenders: list[Any] = field(default_factory=list)
    evaluations: list[Any] = field(default_factory=list)
    movements: list[Movement] = field(default_factory=list)
    conversions: list[OrderConversion] = field(default_factory=list)

    def add_order(
        self, order_id: int, customer_id: int | None, order: OrderInput, times: OrderTimes
    ) -> None:
        content = order.content()
        self.orders.append(
            (order_id, order.source, order.external_id, customer_id, *content.order[:10],
             times.paid_at, times.fulfilled_at, times.completed_at, order.sequence,
             order.changed_at, content.body_hash().hex(), order.payment_method,
             content.order[-1] or "{}", order.partner.account_id if order.partner else None)
        )  # fmt: skip
        self.lines += [(order_id, *line) for line in content.lines]
        paid = paid_by_kind(order.paid).items()
        self.tenders += [(order_id, kind, plain(amount)) for kind, amount in paid]

    def add_evaluation(
        self,
        order_id: int,
        program_id: int,
        membership_id: int,
        versions: Sequence[int],
        context: dict[str, Any],
    ) -> None:
        text = "{" + ",".join(map(str, versions)) + "}"
        self.evaluations.append((order_id, program_id, membership_id, text, context))


_JUDGED = """
    SELECT DISTINCT e.program_id
      FROM loyalty_order o JOIN loyalty_orderevaluation e ON e.order_id = o.id
     WHERE o.source = %s AND o.external_id = ANY(%s::text[])
"""


def open_batch(
    wanted: Sequence[Wanted],
    *,
    source: str,
    program_ids: Sequence[int] | None,
    enrolling: Enrolling,
) -> tuple[Terms, list[Opened]]:
    """Lock the members of a batch and load what is known; bring in who is missing first.

    Where programs are named, others come along that have judged an order of the batch before: what
    changes of it, or comes back, concerns them too.
    """
    ids = program_ids
    if program_ids is not None:
        ids = sorted({*program_ids, *_judged_by([item.number for item in wanted], source)})
    terms = _chosen(current_terms(ids), program_ids)
    for _attempt in range(4):
        opened, fingerprint = _open(wanted, source, terms)
        if fingerprint != terms.fingerprint:
            terms = _chosen(reload_terms(ids), program_ids)
            continue
        people, created = _people(wanted, opened)
        if not _enroll_missing_members(wanted, opened, people, terms, enrolling) and not created:
            return terms, opened
    raise OrderConflictError(_("The programs kept changing; send the request again."))


def _judged_by(numbers: Sequence[str], source: str) -> set[int]:
    """The programs that have judged orders of these numbers."""
    named = [number for number in numbers if number]
    return {program for (program,) in run_prepared(_JUDGED, [source, named])} if named else set()


def _chosen(terms: Terms, program_ids: Sequence[int] | None) -> Terms:
    return terms if program_ids is None else with_visitors(terms, program_ids)


def hold_people(customer_ids: Iterable[int | None]) -> None:
    """Keep them from being merged into others until the transaction ends; who was meanwhile makes
    it begin anew."""
    people = [pk for pk in customer_ids if pk is not None]
    if people:
        run_prepared("SELECT orders_hold(%s::bigint[])", [people])


def write_batch(rows: Rows, *, now: dt.datetime) -> None:
    """Write everything in one call, or nothing; of orders that were converted, in another one by
    which rates."""
    if not rows.orders and not rows.movements and not rows.evaluations:
        return
    with translated_errors():
        run_prepared(
            "SELECT count(*) FROM orders_write("
            "%s::jsonb, %s::jsonb, %s::jsonb, %s::jsonb, %s::jsonb, %s)",
            [
                dumps(rows.orders), dumps(rows.lines), dumps(rows.tenders),
                dumps(rows.evaluations), dumps(rows.movements), now,
            ],
        )  # fmt: skip
    if rows.conversions:
        OrderConversion.objects.bulk_create(rows.conversions)


def _open(wanted: Sequence[Wanted], source: str, terms: Terms) -> tuple[list[Opened], str]:
    numbers = [item.number for item in wanted]
    people = [item.customer.external_id if item.customer else None for item in wanted]
    keys = [item.customer.key if item.customer else None for item in wanted]
    rows = run_prepared(
        "SELECT order_id, known, body_hash, parked, customer_id, memberships, fingerprint"
        "  FROM orders_open(%s, %s::text[], %s::text[], %s::bigint[], %s::bigint[])"
        " ORDER BY ord",
        [source, numbers, people, keys, terms.ids],
    )
    # However they were looked up: of one moment, those told first have the smaller keys, so that a
    # replay goes through them as they are judged now.
    keys_to_give = iter(sorted(row[0] for row in rows if not row[1]))
    opened = [
        Opened(
            row[0] if row[1] else next(keys_to_give), row[1], bytes(row[2]) if row[2] else None,
            row[3], row[4], _members(row[5]),
        )
        for row in rows
    ]  # fmt: skip
    return opened, rows[0][6] if rows else terms.fingerprint


def _members(value: Any) -> dict[int, MemberRef]:
    found = orjson.loads(value) if isinstance(value, str | bytes) else value or ()
    return {
        item["program"]: MemberRef(
            item["id"],
            item["status"] == Membership.Status.ACTIVE,
            item["account"],
            {int(key): wallet for key, wallet in (item["wallets"] or {}).items()},
            item["status"] == Membership.Status.LEFT,
            _moment(item["since"]),
            tuple((dt.datetime.fromisoformat(a), _moment(b)) for a, b in item["away"] or ()),
        )
        for item in found
    }


def _moment(value: str | None) -> dt.datetime | None:
    return dt.datetime.fromisoformat(value) if value else None


def _people(wanted: Sequence[Wanted], opened: Sequence[Opened]) -> tuple[list[int | None], bool]:
    """Whose each order is, and whether customers had to be created for it."""
    missing: dict[str, CustomerRef] = {}
    for item, known in zip(wanted, opened, strict=True):
        if item.customer is not None and known.customer_id is None:
            if not item.customer.external_id:
                raise InvalidOrderError(
                    _("This customer does not exist."),
                    errors=[FieldError("customer", _("No such customer."), "not_found")],
                )
            missing.setdefault(item.customer.external_id, item.customer)
    created = _create_customers(missing) if missing else {}
    people = [
        known.customer_id
        or (created.get(item.customer.external_id or "") if item.customer else None)
        for item, known in zip(wanted, opened, strict=True)
    ]
    return people, bool(missing)


_NEW_CUSTOMERS = """
    INSERT INTO members_customer (public_id, external_id, email, phone, given_name, family_name,
                                  locale, country, tags, attributes, created_at, updated_at)
    SELECT gen_random_uuid(), x.number, lower(x.email), x.phone, x.given, x.family,
           '', '', '{}', '{}', now(), now()
      FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[])
           AS x(number, email, phone, given, family)
    ON CONFLICT DO NOTHING RETURNING external_id, id
"""


def _create_customers(missing: dict[str, CustomerRef]) -> dict[str, int]:
    """Keys of the new customers by number; whoever appeared meanwhile is not among them."""
    people = [missing[number] for number in sorted(missing)]
    created = dict(
        run_prepared(
            _NEW_CUSTOMERS,
            [
                [person.external_id for person in people],
                [person.email for person in people],
                [person.phone for person in people],
                [person.given_name for person in people],
                [person.family_name for person in people],
            ],
        )
    )
    if not created and not _appeared(list(missing)):
        raise OrderConflictError(
            _(
                "The customer's e-mail or phone belongs to another customer."
                " Merge them, or leave it out."
            ),
            errors=[FieldError("customer.email", _("Belongs to another customer."), "not_unique")],
        )
    return created


def _appeared(numbers: list[str]) -> bool:
    """Whether somebody else created these customers between our look and our insert."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM members_customer WHERE external_id = ANY(%s)", [numbers]
        )
        return bool(cursor.fetchone()[0] == len(numbers))


def _newcomers(
    program: ProgramTerms,
    wanted: Sequence[Wanted],
    opened: Sequence[Opened],
    people: Sequence[int | None],
    enrolling: Enrolling,
) -> tuple[dict[int, dt.datetime], dict[int, dt.datetime]]:
    """Whom the program takes in by itself, since when; and who joins with their order."""
    enters = program.automatic or enrolling.always
    since: dict[int, dt.datetime] = {}
    joining: dict[int, dt.datetime] = {}
    for item, known, person in zip(wanted, opened, people, strict=True):
        if person is None or known.takes_part_in(program.id, item):
            continue
        if not program.times.earns_at(item.at):
            continue
        if item.joins and program.joinable:
            joining[person] = min(joining.get(person, item.at), item.at)
        elif enters and program.id not in known.members:
            since[person] = min(since.get(person, item.at), item.at)
    return since, joining


def _enroll_missing_members(
    wanted: Sequence[Wanted],
    opened: Sequence[Opened],
    people: Sequence[int | None],
    terms: Terms,
    enrolling: Enrolling,
) -> bool:
    enrolled = False
    for program in terms.programs:
        if not program.live or program.visiting or enrolling.never:
            continue
        since, joining = _newcomers(program, wanted, opened, people, enrolling)
        if joining:
            enrolled |= join_at_checkout(program_id=program.id, joining=joining)
            since = {person: at for person, at in since.items() if person not in joining}
        if since and not enrolling.always:
            enrolled |= enroll_admitted(
                program_id=program.id, enrolled=since, source=enrolling.source
            )
        elif since:
            enroll_many(program_id=program.id, enrolled=since, source=enrolling.source)
            enrolled = True
    return enrolled
