"""From a claimed delivery to a letter: judged, put into words, and marked as being handed over."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import transaction

from campaigns.channels import Channel, Letter
from campaigns.links import StopLink, absolute, stop_url
from campaigns.models import Broadcast, Delivery, Message, MessagingPolicy, ShortLink
from campaigns.occasions import Occasion, occasion_named
from campaigns.selectors.broadcasts import statuses_of
from campaigns.selectors.policies import get_policy
from campaigns.selectors.templates import Templates, load_templates
from campaigns.selectors.ways import channel_settings, usable_among
from campaigns.services.claims import LEASE
from campaigns.services.gate import judge
from campaigns.services.known import Known, know
from campaigns.services.measuring import Counted, Measuring, with_marks
from campaigns.services.rendering import Rendered, closing_words, fill, frame_of, wanted_words
from campaigns.short_links import Short, links_in, with_short_links
from campaigns.topics import is_needed
from campaigns.wording import WordingError
from members.models import Customer, Merchant
from members.prepared import KeptQuery, run_prepared
from members.selectors.merchants import get_merchant
from members.selectors.merges import current

logger = logging.getLogger(__name__)
State = Delivery.State
# A time that does not come: its broadcast is paused (`campaigns.services.broadcast_waiting`).
NEVER = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)

_MARK = """
    UPDATE campaigns_delivery d
       SET state = 'sending', reason = '', detail = '', handed_over_at = %(now)s,
           available_at = %(until)s, version_id = c.version, subject = c.subject,
           counts_clicks = c.clicks OR d.clicked_at IS NOT NULL,
           counts_opens = c.opens OR d.opened_at IS NOT NULL
      FROM unnest(%(ids)s::bigint[], %(versions)s::bigint[], %(subjects)s::text[],
                  %(clicks)s::boolean[], %(opens)s::boolean[])
           c(id, version, subject, clicks, opens)
     WHERE d.id = c.id
"""
_WAITING: KeptQuery[Delivery] = KeptQuery(
    lambda ids, state: (
        Delivery.objects.select_related(
            "message__customer__merged_into", "message__membership__program", "message__arm"
        )
        .filter(pk__among=ids, state=state)
        .order_by("pk")
    ),
    ending=' FOR UPDATE OF "campaigns_delivery"',
)


@dataclass(frozen=True, slots=True)
class Batch:
    """What is read once for many messages."""

    policy: MessagingPolicy
    merchant: Merchant
    templates: Templates
    measuring: Measuring
    # Those that are set up, and the words that decline them.
    usable: frozenset[str]
    stop_words: dict[str, str]
    # What stands around the bodies, by language.
    frames: dict[str, dict[str, str]] = field(default_factory=dict)

    @classmethod
    def load(cls) -> Batch:
        merchant, policy = get_merchant(), get_policy()
        known = channel_settings()
        return cls(
            policy, merchant, load_templates(merchant.locale), Measuring.load(policy),
            frozenset(channel.key for channel in usable_among(known)),
            {key: setting.stop_word for key, setting in known.items()},
        )  # fmt: skip

    def stop_word(self, channel: Channel) -> str:
        return self.stop_words.get(channel.key, "STOP") if channel.by_word else ""

    def frame(self, locale: str, stop: str) -> dict[str, str]:
        if locale not in self.frames:
            self.frames[locale] = frame_of(self.merchant, locale, choose_link="", stop_link="")
        choose = stop or absolute("/me/messages/choices/")
        return {**self.frames[locale], "frame_choose_link": choose, "frame_stop_link": stop}


@dataclass(frozen=True, slots=True)
class Ready:
    """A delivery that is marked as being handed over, with what is handed over."""

    delivery: Delivery
    letter: Letter
    # What its short links are to lead to.
    links: Sequence[Short] = ()


@transaction.atomic
def prepare(
    claimed: Sequence[Delivery], channel: Channel, batch: Batch, now: dt.datetime
) -> list[Ready]:
    """Mark those that may go out as being handed over, and say why others may not. What is somebody
    else's by now is left alone."""
    rows = _own(claimed)
    customers = [current(row.message.customer) for row in rows]
    known = know(
        customers=customers, channel=channel, policy=batch.policy, now=now, deliveries=rows
    )
    # Asked for each few, so that what is paused or stopped ends at once.
    statuses = statuses_of({row.message.occasion for row in rows})
    ready = []
    for row, customer in zip(rows, customers, strict=True):
        occasion = occasion_named(row.message.occasion)
        if occasion is None:
            _drop(row, customer, "occasion_off", known)
        elif channel.key not in batch.usable:
            _drop(row, customer, "channel_off", known)
        elif statuses.get(occasion.code) == Broadcast.Status.STOPPED:
            _drop(row, customer, "stopped", known)
        elif statuses.get(occasion.code) == Broadcast.Status.PAUSED:
            _hold(row)
        elif _may_go(row, occasion, channel, customer, batch, known, now):
            written = _written(row, occasion, channel, customer, batch, known)
            if written is not None:
                known.note_going(row, customer)
                ready.append(written)
    _keep_links(ready)
    _mark(ready, now)
    return ready


def _own(claimed: Sequence[Delivery]) -> list[Delivery]:
    """Locked, in the order in which they matter."""
    attempts = {row.pk: row.attempts for row in claimed}
    found = {row.pk: row for row in _WAITING.rows(list(attempts), State.QUEUED)}
    own = (found.get(row.pk) for row in claimed)
    return [row for row in own if row is not None and row.attempts == attempts[row.pk]]


def _hold(row: Delivery) -> None:
    """Looked at again when its broadcast goes on."""
    row.available_at, row.reason = NEVER, "paused"
    row.save(update_fields=["available_at", "reason"])


def _may_go(
    row: Delivery, occasion: Occasion, channel: Channel, customer: Customer, batch: Batch,
    known: Known, now: dt.datetime,
) -> bool:  # fmt: skip
    member = row.message.membership
    verdict = judge(
        delivery=row, occasion=occasion, channel=channel, customer=customer, policy=batch.policy,
        time_zone=member.program.time_zone if member else batch.merchant.time_zone, now=now,
        known=known,
    )  # fmt: skip
    if verdict.until is not None:
        row.available_at, row.reason = verdict.until, verdict.reason
        row.save(update_fields=["available_at", "reason"])
        return False
    if verdict.reason:
        _drop(row, customer, verdict.reason, known)
        return False
    return True


def _written(
    row: Delivery, occasion: Occasion, channel: Channel, customer: Customer, batch: Batch,
    known: Known,
) -> Ready | None:  # fmt: skip
    stop = _stop_link(row, customer, occasion)
    try:
        told = _render(row.message, channel, batch, stop)
        may = batch.measuring.of(row, customer, known.said)
        told, links = _counted(row, occasion, channel, told, may)
    except WordingError:
        logger.exception("delivery %s has no words", row.pk)
        row.state, row.reason = State.FAILED, "wording"
        row.save(update_fields=["state", "reason"])
        return None
    row.version, row.subject = told.version, told.subject
    letter = Letter(
        name=str(row.public_id), to=known.address_of(row, customer), subject=told.subject,
        text=told.text, html=told.html, headers=_headers(stop), about=_about(row, customer),
        approved=told.approved,
    )  # fmt: skip
    return Ready(row, letter, links)


def _keep_links(ready: Sequence[Ready]) -> None:
    """In one statement. What is handed over again has the same ones."""
    rows = [
        ShortLink(code=link.code, delivery=item.delivery, target=link.target)
        for item in ready
        for link in item.links
    ]
    if rows:
        ShortLink.objects.bulk_create(rows, ignore_conflicts=True)


def _mark(ready: Sequence[Ready], now: dt.datetime) -> None:
    """In one statement: it is on disk before the first of them is handed over."""
    if not ready:
        return
    rows = [item.delivery for item in ready]
    for row in rows:
        row.state, row.reason, row.detail = State.SENDING, "", ""
        row.handed_over_at, row.available_at = now, now + LEASE
    given = {
        "now": now, "until": now + LEASE, "ids": [row.pk for row in rows],
        "versions": [row.version_id for row in rows],
        "subjects": [row.subject for row in rows],
        "clicks": [row.counts_clicks for row in rows],
        "opens": [row.counts_opens for row in rows],
    }  # fmt: skip
    run_prepared(_MARK, given)


def _render(message: Message, channel: Channel, batch: Batch, stop: str) -> Rendered:
    variant = message.arm.variant if message.arm else ""
    wanted = wanted_words(batch.templates, message.occasion, channel.key, message.locale, variant)
    told = fill(wanted, message.values, batch.frame(message.locale, stop))
    closing = closing_words(told, channel, batch.stop_word(channel), stop, message.locale)
    return replace(told, text=f"{told.text}{closing}") if closing else told


def _about(row: Delivery, customer: Customer) -> dict[str, Any]:
    """What another system needs to tell it."""
    message = row.message
    return {
        "occasion": message.occasion, "topic": message.topic, "locale": message.locale,
        "customer_id": str(customer.public_id), "external_id": customer.external_id,
        "link": message.values.get("link", ""), "values": message.values,
    }  # fmt: skip


def _counted(
    row: Delivery, occasion: Occasion, channel: Channel, told: Rendered, may: Counted
) -> tuple[Rendered, Sequence[Short]]:
    """As it is sent, and what its short links lead to. Of what confirms an address nothing is
    counted; of a text without a link, not that nobody followed it."""
    counted = Counted() if occasion.always_by else may
    if told.html:
        row.counts_clicks, row.counts_opens = counted.clicks, counted.opens
        return replace(told, html=with_marks(told.html, row.public_id, counted)), ()
    row.counts_clicks = row.counts_opens = False
    if not (counted.clicks and channel.short_links):
        return told, ()
    foreign = links_in(_filled_in(row.message, occasion))
    text, links = with_short_links(told.text, row.public_id, foreign)
    approved, read = told.approved, links
    if approved is not None:
        # What is read are these; the text beside them is for systems that take it.
        said = [with_short_links(value, row.public_id, foreign) for value in approved.values]
        approved = replace(approved, values=tuple(value for value, _links in said))
        read = [link for _value, found in said for link in found]
        links = [*links, *read]
    row.counts_clicks = bool(read)
    return replace(told, text=text, approved=approved), links


def _filled_in(message: Message, occasion: Occasion) -> list[str]:
    """What was filled in that is no link of ours."""
    ours = {item.name for item in occasion.all_variables if item.kind == "link"}
    return [value for name, value in message.values.items() if name not in ours]


def _stop_link(row: Delivery, customer: Customer, occasion: Occasion) -> str:
    if occasion.always_by or is_needed(row.message.topic):
        return ""
    return stop_url(StopLink(customer.public_id, row.public_id, row.channel, row.message.topic))


def _headers(stop: str) -> dict[str, str]:
    """One click in the mail program is enough (RFC 8058)."""
    if not stop:
        return {}
    return {"List-Unsubscribe": f"<{stop}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def _drop(row: Delivery, customer: Customer, reason: str, known: Known) -> None:
    row.state, row.reason = State.SUPPRESSED, reason
    row.save(update_fields=["state", "reason"])
    known.note_dropped(row, customer)
