"""This application's part in a merge of two customers: their messages, and what they want."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from campaigns.channels import SHOP
from campaigns.models import (
    Consent,
    ConsentChange,
    ContactAddress,
    ContactPreference,
    JourneyDue,
    Message,
)
from campaigns.services.forgotten_browsing import forget_browsing
from campaigns.topics import BROWSING
from members.formatting import format_number
from members.merging import MergeHandler, MergeRow, MergeSection, Merging, Record
from members.merging import register_merge_handler as register_handler
from members.models import Customer

State = Consent.State
Said = dict[str, str]


def preview_messages(kept: Customer, merged: Customer, _now: datetime) -> Sequence[MergeSection]:
    counts = [Message.objects.filter(customer=one).count() for one in (kept, merged)]
    if not any(counts):
        return ()
    in_all = format_number(sum(counts))
    row = MergeRow(
        _("Messages"), format_number(counts[0]), format_number(counts[1]), in_all,
        note=_("A no of either counts for both."),
    )  # fmt: skip
    return (MergeSection(_("Messages"), "mail", [row]),)


def merge_messages(merging: Merging) -> Record:
    """The messages of both are the kept one's. Of what they want, the strictest counts: a no of
    either is a no; what only the duplicate has said goes on to hold."""
    kept, merged = merging.kept, merging.merged
    messages = list(Message.objects.filter(customer=merged).values_list("pk", flat=True))
    Message.objects.filter(pk__in=messages).update(customer=kept)
    before, others = _said(kept), _said(merged)
    for address, said in others.items():
        became = _strictest(before.get(address, ""), said)
        _write(kept, address, before.get(address, ""), became, merging)
    record: Record = {"messages": messages, "consents": before}
    addresses = list(ContactAddress.objects.filter(customer=merged).values_list("pk", flat=True))
    ContactAddress.objects.filter(pk__in=addresses).update(customer=kept)
    record["addresses"] = addresses
    # It follows from their facts, which are worked out anew.
    JourneyDue.objects.filter(customer__in=(kept, merged)).delete()
    zone = ContactPreference.objects.filter(customer=merged).first()
    if zone and not ContactPreference.objects.filter(customer=kept).exists():
        ContactPreference.objects.create(customer=kept, time_zone=zone.time_zone)
        record["time_zone"] = zone.time_zone
    return record


def part_messages(merging: Merging, record: Record) -> None:
    """Each has their messages again. What the kept one has said since stays; what came from the
    other goes back to what it was, unless it was a no: that stays, rather than being guessed."""
    kept, merged = merging.kept, merging.merged
    came = Message.objects.filter(pk__in=record["messages"], customer=kept)
    came.update(customer=merged)
    addresses = ContactAddress.objects.filter(pk__in=record.get("addresses", []), customer=kept)
    addresses.update(customer=merged)
    before, others = record["consents"], _said(merged)
    now_said = _said(kept)
    for address, said in now_said.items():
        was = before.get(address, "")
        if was != said and said == others.get(address) and said != State.DENIED:
            _write(kept, address, said, was, merging)
            if address == f"{SHOP.key}:{BROWSING.code}":
                # It was kept by the yes of the other, who has their own again by now.
                forget_browsing([kept.pk])
    if zone := record.get("time_zone"):
        ContactPreference.objects.filter(customer=kept, time_zone=zone).delete()


def register() -> None:
    """Called once, when the application is ready."""
    register_handler(
        "messages",
        MergeHandler(
            fields=(
                "campaigns.message.customer", "campaigns.consent.customer",
                "campaigns.consentchange.customer", "campaigns.contactpreference.customer",
                "campaigns.contactaddress.customer",
                "campaigns.journeydue.customer",
                # Whom it was for when it began stays so.
                "campaigns.broadcastrecipient.customer",
            ),
            preview=preview_messages,
            merge=merge_messages,
            undo=part_messages,
        ),
        order=80,
    )  # fmt: skip


def _said(customer: Customer) -> Said:
    rows = Consent.objects.filter(customer=customer)
    return {f"{row.channel}:{row.topic}": row.state for row in rows}


def _strictest(one: str, other: str) -> str:
    said = {one, other} - {""}
    for state in (State.DENIED, State.ASKED):
        if state in said:
            return state
    return State.GRANTED


def _write(customer: Customer, address: str, was: str, became: str, merging: Merging) -> None:
    """`became`: empty, nothing is said any more."""
    if was == became:
        return
    channel, topic = address.split(":")
    rows = Consent.objects.filter(customer=customer, channel=channel, topic=topic)
    if became:
        Consent.objects.update_or_create(
            customer=customer, channel=channel, topic=topic,
            defaults={"state": became, "changed_at": merging.now},
        )  # fmt: skip
    else:
        rows.delete()
    ConsentChange.objects.create(
        customer=customer, channel=channel, topic=topic, was=was, became=became,
        source=ConsentChange.Source.MERGE, actor_label=merging.actor.label[:200], at=merging.now,
    )  # fmt: skip
