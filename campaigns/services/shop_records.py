"""Taking in what a message of a connection says: by the services that the API and files use, too.

Repeats change nothing, and the order of arrival does not matter: orders carry a version, refunds
are facts of their own, customers and what is gone have theirs kept here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.connectors.records import CustomerFacts, Records
from campaigns.models import Connection, InboundMessage, KnownVersion
from campaigns.services.forgotten_messages import forget_messages
from campaigns.services.shop_consents import keep_said, record_consent
from loyalty.models import Activity, Order, Refund
from loyalty.services.activities import record_activities
from loyalty.services.order_inputs import (
    CustomerRef,
    OrderInput,
    RefundInput,
)
from loyalty.services.orders import record_orders
from loyalty.services.refunds import record_refunds
from loyalty.services.said_again import as_canceled
from members.errors import DomainError, FieldError
from members.models import Customer
from members.prepared import KeptQuery, run_prepared
from members.selectors.identities import customer_of_email, having_any
from members.selectors.merchants import get_merchant
from members.selectors.merges import current
from members.services.audit import Actor
from members.services.customer_numbers import give_number
from members.services.customer_values import clean_values
from members.services.customers import (
    REGISTERED,
    create_customer,
    erase_customer_details,
    update_customer,
)
from members.services.outbox import record_event

Subject = KnownVersion.Subject
Result = dict[str, Any]
_GONE = """
    SELECT number FROM campaigns_knownversion
     WHERE connection_id = %s AND subject = 'customer' AND number = ANY(%s::text[]) AND gone
"""
_VERSION: KeptQuery[KnownVersion] = KeptQuery(
    lambda connection, number, subject: KnownVersion.objects.filter(
        connection=connection, number=number, subject=subject
    ),
    ending=" FOR UPDATE",
)
# One after the other, in their order.
_TURNS = "SELECT pg_advisory_xact_lock(%s::int, hashtext(n)) FROM unnest(%s::text[]) AS n"
_SIDE_BY_SIDE = (
    "SELECT pg_advisory_xact_lock_shared(%s::int, hashtext(n)) FROM unnest(%s::text[]) AS n"
)


def actor_of(connection: Connection) -> Actor:
    """On whose behalf what comes in is written."""
    return Actor(label=_("Connection %s") % connection.name)


def record_all(
    connection: Connection, records: Records, *, now: dt.datetime, transfer_source: str
) -> list[Result]:
    """Record everything, all or nothing; return what each has become. Raises DomainError."""
    with transaction.atomic():
        results = [_record_customer(connection, facts, now) for facts in records.customers]
        for number in records.back_orders:
            _take_version(connection, Subject.ORDER, number).delete()
        results += record_shop_orders(
            connection, records.orders, records.verified, now=now, transfer_source=transfer_source
        )
        results += _record_refunds(connection, records.refunds, now, transfer_source)
        results += _record_activities(connection, records, now, transfer_source)
        results += [record_consent(facts, actor_of(connection), now) for facts in records.consents]
        for number in records.gone_orders:
            results.append(_cancel_gone(connection, number, now, transfer_source))
        for number in records.gone_customers:
            results.append(_note_gone(connection, number))
        for number in records.forgotten:
            results.append(_forget(connection, number, now))
        if records.forget_everything:
            results.append(_forget_payloads(connection))
    return results


def record_shop_orders(
    connection: Connection, orders: Sequence[OrderInput], verified: frozenset[str],
    *, now: dt.datetime, transfer_source: str,
) -> list[Result]:  # fmt: skip
    """Orders of one connection, all or nothing. What the shop has deleted stays canceled."""
    if not orders:
        return []
    numbers = [order.external_id for order in orders]
    _take_turns(connection, numbers)
    gone = set(
        KnownVersion.objects.filter(
            connection=connection, subject=Subject.ORDER, number__in=numbers, gone=True
        ).values_list("number", flat=True)
    )
    away = _gone_people(connection, (order.customer for order in orders))
    orders = [
        replace(order, customer=_as_known(order.customer, away)) if order.customer else order
        for order in orders
    ]
    _give_numbers(orders, verified, actor_of(connection))
    orders = [
        replace(order, customer=_by_address(order.customer)) if order.customer else order
        for order in orders
    ]
    inputs = [
        replace(order, status=Order.Status.CANCELED) if order.external_id in gone else order
        for order in orders
    ]
    programs = [connection.program_id] if connection.program_id else None
    recorded = record_orders(inputs, now=now, transfer_source=transfer_source, program_ids=programs)
    return [_result("order", item.external_id, item.outcome) for item in recorded]


def _gone_people(connection: Connection, buyers: Iterable[CustomerRef | None]) -> set[str]:
    """The numbers of those whose account is gone: a late message says no more of them than that."""
    people = sorted({buyer.external_id for buyer in buyers if buyer and buyer.external_id})
    if not people:
        return set()
    _take_turns_on_people(connection, people)
    return {number for (number,) in run_prepared(_GONE, [connection.pk, people])}


def _as_known(buyer: CustomerRef, gone: set[str]) -> CustomerRef:
    return CustomerRef(external_id=buyer.external_id) if buyer.external_id in gone else buyer


def _by_address(buyer: CustomerRef) -> CustomerRef:
    """Somebody whom a tool knows by their address only has to be known here."""
    if buyer.external_id or not buyer.email:
        return buyer
    found = customer_of_email(buyer.email)
    if found is None:
        message = _("Nobody here has this e-mail address.")
        raise DomainError(message, errors=[FieldError("customer_email", message, "not_found")])
    return CustomerRef(key=current(found).pk)


def _give_numbers(orders: Sequence[OrderInput], verified: frozenset[str], actor: Actor) -> None:
    """A buyer whose number is new, while somebody here without a number has their address, is that
    person, where the shop vouches for the address."""
    for order in orders:
        buyer = order.customer
        if buyer and buyer.external_id in verified and buyer.external_id and buyer.email:
            give_number(number=buyer.external_id, email=buyer.email, actor=actor)


# --- Customers ----------------------------------------------------------------------------------


def _record_customer(connection: Connection, facts: CustomerFacts, now: dt.datetime) -> Result:
    known = _take_version(connection, Subject.CUSTOMER, facts.number)
    if known.gone or (facts.version is not None and facts.version < known.version):
        return _result("customer", facts.number, "outdated")
    if facts.version is not None and facts.version != known.version:
        known.version = facts.version
        known.save(update_fields=["version"])
    actor = actor_of(connection)
    values, left_out = _without_taken_phone(facts)
    email = str(values.get("email", ""))
    if facts.verified and email:
        give_number(number=facts.number, email=email, actor=actor)
    found = Customer.objects.select_related("merged_into").filter(external_id=facts.number).first()
    if found is None:
        made = create_customer(
            actor=actor, registered=facts.registered, external_id=facts.number, **values
        )
        keep_said(made, facts.consents, actor, now)
        return _result("customer", facts.number, "created", left_out)
    customer = current(found)
    keep_said(customer, facts.consents, actor, now)
    changes = {name: value for name, value in values.items() if getattr(customer, name) != value}
    if changes:
        update_customer(customer=customer, actor=actor, changes=changes)
    if facts.registered:
        # An order may have told of them before their account did.
        record_event(REGISTERED, {"customer": customer.pk}, urgent=True)
    return _result("customer", facts.number, "updated" if changes else "unchanged", left_out)


def _without_taken_phone(facts: CustomerFacts) -> tuple[dict[str, Any], str]:
    """A family may share a phone in the shop; here it names one person."""
    values = dict(facts.values)
    phone = str(values.get("phone", ""))
    if not phone:
        return values, ""
    try:
        cleaned = clean_values(
            {"phone": phone, "country": values.get("country", "")},
            time_zone=get_merchant().time_zone,
        )["phone"]
    except DomainError:
        values.pop("phone")
        return values, _("The phone number cannot be read and is left out.")
    others = having_any(phone=cleaned).exclude(external_id=facts.number)
    if others.exists():
        values.pop("phone")
        return values, _("Somebody else has the phone number; it is left out.")
    values["phone"] = cleaned
    return values, ""


def _note_gone(connection: Connection, number: str) -> Result:
    """The account is gone there; what was earned stays, and no late message brings it back."""
    _take_turns_on_people(connection, [number], alone=True)
    known = _take_version(connection, Subject.CUSTOMER, number)
    known.gone = True
    known.save(update_fields=["gone"])
    return _result("customer", number, "account_gone")


def _forget(connection: Connection, number: str, now: dt.datetime) -> Result:
    """Erase what is known of the person, and what messages said of them. What they bought and
    earned stays, under their number."""
    forget_messages(connection=connection, number=number, now=now)
    _note_gone(connection, number)
    found = Customer.objects.select_related("merged_into").filter(external_id=number).first()
    if found is None:
        return _result("customer", number, "unknown")
    erase_customer_details(customer=current(found), actor=actor_of(connection))
    return _result("customer", number, "forgotten")


def _forget_payloads(connection: Connection) -> Result:
    """The shop has taken its leave: what its messages said is forgotten."""
    count = (
        InboundMessage.objects.filter(connection=connection)
        .exclude(payload="")
        .update(payload="", people=[])
    )
    return _result("message", str(count), "forgotten")


# --- Orders, refunds, activities ----------------------------------------------------------------


def _cancel_gone(
    connection: Connection, number: str, now: dt.datetime, transfer_source: str
) -> Result:
    """An order that the shop has deleted came to nothing, and no late message brings it back."""
    _take_turns(connection, [number])
    known = _take_version(connection, Subject.ORDER, number)
    known.gone = True
    known.save(update_fields=["gone"])
    stored = Order.objects.filter(source=connection.source, external_id=number).first()
    if stored is None:
        return _result("order", number, "unknown")
    [result] = record_orders(
        [as_canceled(stored)], now=now, transfer_source=transfer_source,
        program_ids=[connection.program_id] if connection.program_id else None,
    )  # fmt: skip
    return _result("order", number, result.outcome)


def _record_refunds(
    connection: Connection, refunds: Sequence[RefundInput], now: dt.datetime, transfer_source: str
) -> list[Result]:
    """Each refund is a fact that does not change. One that is known is passed over: an order tells
    of its refunds again with every change, in fewer words than they did themselves."""
    numbers = [refund.external_id for refund in refunds]
    known = set(
        Refund.objects.filter(
            source=connection.source, external_id__in=numbers
        ).values_list("external_id", flat=True)
    )  # fmt: skip
    new = [refund for refund in refunds if refund.external_id not in known]
    recorded = record_refunds(
        new, now=now, transfer_source=transfer_source,
        program_ids=[connection.program_id] if connection.program_id else None,
    )  # fmt: skip
    results = [
        _result("refund", item.external_id, "parked" if item.parked else item.outcome)
        for item in recorded
    ]
    return [*results, *(_result("refund", number, "unchanged") for number in sorted(known))]


def _record_activities(
    connection: Connection, records: Records, now: dt.datetime, transfer_source: str
) -> list[Result]:
    """Each is a fact that does not change, as refunds are: a tool tells the same one again with
    other words around it."""
    numbers = [item.external_id for item in records.activities]
    known = set(
        Activity.objects.filter(
            source=connection.source, external_id__in=numbers
        ).values_list("external_id", flat=True)
    )  # fmt: skip
    new = [item for item in records.activities if item.external_id not in known]
    away = _gone_people(connection, (item.customer for item in new))
    activities = [
        replace(item, customer=_by_address(_as_known(item.customer, away))) for item in new
    ]
    recorded = record_activities(activities, now=now, transfer_source=transfer_source)
    results = [
        _result("activity", item.external_id, item.outcome, item.reason) for item in recorded
    ]
    return [*results, *(_result("activity", number, "unchanged") for number in sorted(known))]


def _take_turns(connection: Connection, numbers: Sequence[str]) -> None:
    """Of two messages about an order, one that tells that it is gone among them, the later one sees
    what the other has written."""
    if numbers:
        run_prepared(_TURNS, [connection.pk, sorted(numbers)])


def _take_turns_on_people(
    connection: Connection, numbers: Sequence[str], *, alone: bool = False
) -> None:
    """Orders of a person go side by side; `alone`: what tells that the person is gone does not."""
    if numbers:
        named = [f"customer {number}" for number in numbers]
        run_prepared(_TURNS if alone else _SIDE_BY_SIDE, [connection.pk, named])


def _take_version(connection: Connection, subject: str, number: str) -> KnownVersion:
    """Its row, locked: messages about the same thing take turns."""
    KnownVersion.objects.bulk_create(
        [KnownVersion(connection=connection, subject=subject, number=number)],
        ignore_conflicts=True,
    )
    return _VERSION.one(connection.pk, number, subject)


def _result(kind: str, number: str, outcome: str, note: str = "") -> Result:
    return {"kind": kind, "number": number, "outcome": outcome, "note": note}
