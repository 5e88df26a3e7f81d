"""What people say about being written to: each change kept, with where it was said."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.addresses import digest_of
from campaigns.channels import SHOP, Channel, channel_named
from campaigns.links import ConfirmLink, StopLink, confirm_url
from campaigns.models import (
    Consent,
    ConsentChange,
    ConsentWording,
    ContactPreference,
    Delivery,
    OccasionSetting,
)
from campaigns.news import News
from campaigns.occasions import occasion_named
from campaigns.selectors.consents import counting_channels
from campaigns.selectors.policies import get_policy
from campaigns.selectors.ways import usable_senders
from campaigns.services.forgotten_browsing import forget_browsing
from campaigns.services.messages import write_messages
from campaigns.services.opt_ins import GRANTED
from campaigns.topics import (
    BROWSING,
    LEARNED,
    TOPICS,
    TRACKING,
    choosable_topics,
    known_topics,
)
from members.choices import known_zones
from members.errors import DomainError, FieldError
from members.formatting import format_list
from members.models import Customer
from members.selectors.erased import refuse_erased
from members.selectors.merges import refuse_merged
from members.services.audit import SYSTEM, Actor, record_audit
from members.services.outbox import record_event

State = Consent.State
Source = ConsentChange.Source
CONFIRM = "confirm"
# Whoever told us on their behalf has their word, so nothing is confirmed again.
_BELIEVED = (Source.STAFF, Source.API, Source.MERGE, Source.IMPORT, Source.CONNECTION)
# Where it was said elsewhere before, also by ways that are not set up here yet.
ELSEWHERE = (Source.IMPORT, Source.CONNECTION)


@dataclass(frozen=True, slots=True)
class Proof:
    """How it is known. `said_at`: where it was said before; `proven`: the address was shown to be
    theirs already."""

    said_at: dt.datetime | None = None
    evidence: str = ""
    wording: ConsentWording | None = None
    proven: bool = False


_JUST_SAID = Proof()


@transaction.atomic
def set_consents(
    *,
    customer: Customer,
    wanted: Mapping[tuple[str, str], bool],
    source: str,
    actor: Actor,
    now: dt.datetime,
    proofs: Mapping[tuple[str, str], Proof] | None = None,
) -> list[ConsentChange]:
    """Note what somebody wants, by channel and topic. A yes that they said themselves is confirmed
    by a link in a mail first, where the merchant wants it so. What changes nothing leaves no trace.
    `proofs`: of what was said before, or elsewhere; what was said last counts, whenever it is told.
    Raises DomainError for channels and topics that there is nothing to say about."""
    refuse_merged(customer)
    ways = {channel.key: channel for channel in usable_senders()}
    check_consents(wanted, ways, elsewhere=source in ELSEWHERE)
    # Two of one customer take turns.
    person = Customer.objects.select_for_update().get(pk=customer.pk)
    if any(wanted.values()):
        # A no is noted of everybody.
        refuse_erased(person)
    known = {(row.channel, row.topic): row for row in Consent.objects.filter(customer=customer)}
    believed = source in _BELIEVED or not get_policy().double_opt_in
    changes = []
    for (channel, topic), yes in sorted(wanted.items()):
        row = known.get((channel, topic))
        said, proof = row.state if row else "", (proofs or {}).get((channel, topic), _JUST_SAID)
        if row and _is_outdated(row, proof, yes=yes, elsewhere=source in ELSEWHERE):
            continue
        # Whose the address is makes no difference to whether something is counted.
        asks = channel in ways and ways[channel].confirms and topic not in LEARNED
        became = _became(said, yes=yes, confirmed=believed or proof.proven or not asks)
        if became != said:
            changes.append(_note(customer, channel, topic, said, became, source, actor, now, proof))
        elif row and proof.said_at is not None:
            # Said again: what is older counts no more.
            Consent.objects.filter(pk=row.pk).update(changed_at=proof.said_at)
    _audit(customer, changes, actor)
    _tell(changes)
    if any(item.topic == BROWSING.code and item.became == State.DENIED for item in changes):
        forget_browsing([customer.pk])
    asked = {change.channel for change in changes if change.became == State.ASKED}
    for way in ways.values():
        if way.key in asked:
            _ask(customer, way, now)
    return changes


@transaction.atomic
def confirm_consents(*, link: ConfirmLink, now: dt.datetime) -> list[ConsentChange]:
    """The address is theirs: whatever waits for that is a yes. Opened again it changes nothing, and
    nothing once the customer has another address."""
    customer = Customer.objects.select_for_update().get(public_id=link.customer)
    channel = channel_named(link.channel)
    if channel is None or digest_of(channel.address(customer)).hex() != link.digest:
        return []
    asked = Consent.objects.filter(customer=customer, channel=link.channel, state=State.ASKED)
    changes = [
        _note(
            customer, row.channel, row.topic, State.ASKED.value, State.GRANTED.value,
            Source.CONFIRMED.value, SYSTEM, now,
        )
        for row in asked.order_by("topic")
    ]  # fmt: skip
    _audit(customer, changes, SYSTEM)
    _tell(changes)
    return changes


@transaction.atomic
def stop(
    *, customer: Customer, link: StopLink, topics: list[str], source: str, now: dt.datetime
) -> list[ConsentChange]:
    """They do not want these topics any more, by the link in a message."""
    changes = set_consents(
        customer=customer, wanted={(link.channel, topic): False for topic in topics},
        source=source, actor=SYSTEM, now=now,
    )  # fmt: skip
    Delivery.objects.filter(public_id=link.delivery, unsubscribed_at=None).update(
        unsubscribed_at=now
    )
    return changes


@transaction.atomic
def choose_time_zone(*, customer: Customer, time_zone: str, actor: Actor) -> None:
    """By which clock they live; empty: as we guess it."""
    refuse_merged(customer)
    refuse_erased(customer)
    if time_zone and time_zone not in known_zones():
        message = _("There is no such time zone.")
        raise DomainError(message, errors=[FieldError("time_zone", message)])
    known = ContactPreference.objects.select_for_update().filter(customer=customer).first()
    was = known.time_zone if known else ""
    if was == time_zone:
        return
    if time_zone:
        ContactPreference.objects.update_or_create(
            customer=customer, defaults={"time_zone": time_zone}
        )
    elif known:
        known.delete()
    record_audit(
        actor=actor, action="contact.time_zone", target=customer, before={"time_zone": was},
        after={"time_zone": time_zone},
    )  # fmt: skip


def _is_outdated(row: Consent, proof: Proof, *, yes: bool, elsewhere: bool) -> bool:
    """Whether something else was said since. Nobody knows when a file's yes was said that has no
    time: it counts only where nothing was said. Of two at one time the no counts."""
    if proof.said_at is None:
        return elsewhere and yes
    later = proof.said_at < row.changed_at
    return later or (yes and proof.said_at == row.changed_at and row.state == State.DENIED)


def check_consents(
    wanted: Mapping[tuple[str, str], bool], ways: Collection[str], *, elsewhere: bool
) -> None:
    """A no is noted also by a way that is switched off, and what was said elsewhere. `ways`: those
    that are not. Raises DomainError."""
    topics = {topic.code for topic in choosable_topics()}
    errors = []
    counting = {channel.key for channel in counting_channels()}
    for (channel, topic), yes in wanted.items():
        if topic == TRACKING.code and channel in counting:
            continue
        if topic == BROWSING.code and channel == SHOP.key:
            continue
        known = channel_named(channel)
        sends = known is not None and known.open_line is not None
        if not sends or (yes and channel not in ways and not elsewhere):
            errors.append(FieldError("channel", _("There is no such channel."), "not_found"))
        if topic in TOPICS and topic not in topics:
            words = _("What belongs to orders and rewards is always told.")
            errors.append(FieldError("topic", words, "always_told"))
        elif topic not in topics and (yes or topic not in known_topics()):
            errors.append(FieldError("topic", _("There is no such topic."), "not_found"))
    if errors:
        raise DomainError(str(errors[0].message), errors=errors)


def _became(said: str, *, yes: bool, confirmed: bool) -> str:
    if not yes:
        return State.DENIED
    if said == State.GRANTED or confirmed:
        return State.GRANTED
    return State.ASKED


def _note(
    customer: Customer, channel: str, topic: str, was: str, became: str, source: str,
    actor: Actor, now: dt.datetime, proof: Proof = _JUST_SAID,
) -> ConsentChange:  # fmt: skip
    at = proof.said_at or now
    Consent.objects.update_or_create(
        customer=customer, channel=channel, topic=topic,
        defaults={"state": became, "changed_at": at},
    )  # fmt: skip
    return ConsentChange.objects.create(
        customer=customer, channel=channel, topic=topic, was=was, became=became, source=source,
        actor_label=actor.label[:200], at=at, noted_at=now if at != now else None,
        evidence=proof.evidence[:200], wording=proof.wording,
    )  # fmt: skip


def _tell(changes: list[ConsentChange]) -> None:
    """Whoever follows a yes hears of it. What a merge or a file brings was said before."""
    granted = [
        change.pk
        for change in changes
        if change.became == State.GRANTED
        and change.topic not in LEARNED
        and change.source not in (Source.MERGE, Source.IMPORT)
    ]
    if granted:
        record_event(GRANTED, {"changes": granted})


def _audit(customer: Customer, changes: list[ConsentChange], actor: Actor) -> None:
    if changes:
        record_audit(
            actor=actor, action="consent.changed", target=customer,
            before={f"{item.channel}_{item.topic}": item.was for item in changes},
            after={f"{item.channel}_{item.topic}": item.became for item in changes},
        )  # fmt: skip


def _ask(customer: Customer, channel: Channel, now: dt.datetime) -> None:
    """Send the link that confirms all that waits for it. One a day, however often they click."""
    address, occasion = channel.address(customer), occasion_named(CONFIRM)
    if not address or occasion is None:
        return
    digest = digest_of(address).hex()
    asked = Consent.objects.filter(customer=customer, channel=channel.key, state=State.ASKED)
    topics = known_topics()
    names = [str(topics[row.topic].label) for row in asked.order_by("topic") if row.topic in topics]
    news = News(
        customer=customer,
        occurrence=f"{customer.public_id}:{channel.key}:{digest[:16]}:{now.date().isoformat()}",
        values=lambda: {
            "topics": format_list(names),
            "link": confirm_url(ConfirmLink(customer.public_id, channel.key, digest)),
        },
    )
    setting = OccasionSetting(code=CONFIRM, channels=[channel.key], topic=occasion.topic)
    write_messages(occasion=occasion, setting=setting, news=[news], now=now)
