"""What somebody wants to be told, said where they join or sign up, in a file, or by another system:
which boxes can ask for it, and how what was said is kept, with the words of the box as evidence."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from django.db.models import Max
from django.utils.translation import gettext as _

from campaigns.channels import channel_named
from campaigns.models import ConsentWording
from campaigns.selectors.ways import usable_senders
from campaigns.services.consents import ELSEWHERE, Proof, check_consents, set_consents
from campaigns.short_texts import SMS, WHATSAPP
from campaigns.standard_channels import EMAIL
from campaigns.topics import choosable_topics
from members.errors import DomainError, FieldError
from members.selectors.erased import erased_at
from members.selectors.merchants import get_merchant
from members.told_consents import (
    CONNECTION,
    JOIN,
    ConsentBox,
    ConsentSaid,
    ConsentsTold,
    register_consents,
)

# The detail of a customer that a way uses. Devices are named later, on a page of their own.
NEEDS = {EMAIL: "email", SMS: "phone", WHATSAPP: "phone"}


def boxes() -> list[ConsentBox]:
    """A box for each way, of each topic that whoever joins is asked for."""
    asked = [topic for topic in choosable_topics() if topic.at_join]
    merchant = get_merchant().name
    return [
        ConsentBox(
            way.key, topic.code,
            _("%(topic)s (%(way)s): %(sentence)s Yes, %(merchant)s may write to me about it. I can"
              " change my mind at any time.")
            % {"merchant": merchant, "way": way.label, "topic": topic.label,
               "sentence": topic.description},
            NEEDS[way.key],
        )
        for way in usable_senders()
        if way.key in NEEDS
        for topic in asked
    ]  # fmt: skip


def keep(told: ConsentsTold) -> None:
    """What was said, each with how it is known. Raises DomainError naming the field that is wrong;
    a tool that tells of a way or topic that nobody has here says nothing."""
    said = [item for item in told.said if _counts(told, item)]
    if told.source == CONNECTION:
        # The clock of another system may be ahead of ours.
        said = [
            replace(item, said_at=min(item.said_at, told.at)) if item.said_at else item
            for item in said
        ]
    _refuse_future(said, told.at)
    try:
        set_consents(
            customer=told.customer,
            wanted={(item.channel, item.topic): item.wanted for item in said},
            source=told.source, actor=told.actor, now=told.at,
            proofs={(item.channel, item.topic): _proof(told, item) for item in said},
        )  # fmt: skip
    except DomainError as error:
        if told.said[0].field == "consents":
            error.place_fields("consents")
        else:
            wrong = _wrong_field(told, said)
            error.errors = tuple(
                FieldError(wrong, found.message, found.code) for found in error.errors
            )
        raise


def _wrong_field(told: ConsentsTold, said: Sequence[ConsentSaid]) -> str:
    """What the first that is refused is called where it came from; else what the first is."""
    ways = [way.key for way in usable_senders()]
    for item in said:
        wanted = {(item.channel, item.topic): item.wanted}
        try:
            check_consents(wanted, ways, elsewhere=told.source in ELSEWHERE)
        except DomainError:
            return item.field
    return told.said[0].field


def _counts(told: ConsentsTold, item: ConsentSaid) -> bool:
    if told.source == JOIN and item.said_at is not None:
        return _is_offered(item)
    if told.source != CONNECTION:
        return True
    # Whoever asked us to forget them is not signed up by a tool that has not.
    return channel_named(item.channel) is not None and not (
        item.wanted and erased_at(told.customer) is not None
    )


def _is_offered(item: ConsentSaid) -> bool:
    """Whoever joins by a link that waited in their mailbox is not kept from it by a topic or a way
    that is gone meanwhile."""
    ways = {way.key for way in usable_senders()}
    return item.channel in ways and item.topic in {topic.code for topic in choosable_topics()}


def _refuse_future(said: Sequence[ConsentSaid], now: dt.datetime) -> None:
    for item in said:
        if item.said_at is not None and item.said_at > now:
            message = _("This has not been yet.")
            raise DomainError(message, errors=[FieldError(item.field, message, "future")])


def _proof(told: ConsentsTold, item: ConsentSaid) -> Proof:
    return Proof(
        said_at=item.said_at, evidence=item.evidence,
        wording=_wording(item, told.at) if item.wording else None,
        proven=bool(told.proven) and NEEDS.get(item.channel) == told.proven,
    )  # fmt: skip


def _wording(item: ConsentSaid, now: dt.datetime) -> ConsentWording:
    """The words as they were read; other words are the next version."""
    versions = ConsentWording.objects.filter(
        channel=item.channel, topic=item.topic, locale=item.locale[:16]
    )
    found = versions.filter(text=item.wording).order_by("-version").first()
    if found is not None:
        return found
    latest = versions.aggregate(latest=Max("version"))["latest"] or 0
    # Two who write the next one at once: the second takes that of the first.
    made, _new = ConsentWording.objects.get_or_create(
        channel=item.channel, topic=item.topic, locale=item.locale[:16], version=latest + 1,
        defaults={"text": item.wording, "since": now},
    )  # fmt: skip
    return made if made.text == item.wording else _wording(item, now)


def register() -> None:
    """Called once, when the application is ready."""
    register_consents(boxes, keep)
