"""Words as somebody would read them, before anybody does: with samples, or with a real member."""

from __future__ import annotations

from dataclasses import replace

from django.utils import timezone, translation

from campaigns.channels import Channel
from campaigns.links import absolute
from campaigns.mail_bodies import plain_text
from campaigns.models import Message
from campaigns.occasions import Occasion
from campaigns.selectors.ways import setting_of_channel
from campaigns.services.rendering import Rendered, Wanted, closing_words, fill, frame_of
from campaigns.services.templates import Words, check_words
from campaigns.services.ways import try_way
from campaigns.topics import is_needed
from loyalty.models import Membership, Program
from members.models import Customer
from members.selectors.merchants import get_merchant
from members.services.audit import Actor, record_audit
from members.services.mail import queue_mail


def preview_words(
    *, occasion: Occasion, channel: Channel, locale: str, words: Words,
    customer: Customer | None = None, program: Program | None = None,
) -> Rendered:  # fmt: skip
    """Raises DomainError where the words cannot be used. `customer`: as they would read it, with
    what they were told of this occasion last or would be now, else with samples. `program`: as a
    member of it."""
    checked = check_words(occasion, channel, words)
    text = checked.words.text or (
        plain_text(checked.words.body) if channel.markup else checked.words.body
    )
    wanted = Wanted(checked.words.subject, text, checked.html, approved=checked.words.approved)
    merchant = get_merchant()
    needed = is_needed(occasion.topic)
    frame = frame_of(
        merchant, locale, choose_link=absolute("/me/messages/choices/"),
        stop_link="" if needed else absolute("/messages/stop/"),
    )  # fmt: skip
    told = fill(wanted, values_for(occasion, customer, locale, program), frame)
    stop_word = setting_of_channel(channel.key).stop_word if channel.by_word else ""
    closing = closing_words(told, channel, stop_word, frame["frame_stop_link"], locale)
    return replace(told, text=f"{told.text}{closing}") if closing else told


def values_for(
    occasion: Occasion, customer: Customer | None, locale: str, program: Program | None = None
) -> dict[str, str]:
    """What the variables say for a customer, or in general."""
    values = occasion.sample | {"merchant": get_merchant().name}
    members = Membership.objects.filter(customer=customer) if customer else Membership.objects.all()
    members = members.filter(program=program) if program else members
    member = members.select_related("program").order_by("pk").first()
    if member is not None:
        values["program"] = member.program.name
    if customer is None:
        return values
    if member is not None and occasion.values_now is not None:
        with translation.override(locale):
            values |= occasion.values_now(member, timezone.now())
    last = Message.objects.filter(customer=customer, occasion=occasion.code)
    known = last.order_by("-created_at", "-pk").first()
    return values | (known.values if known else {}) | {"given_name": customer.given_name}


def send_test(
    *, occasion: Occasion, channel: Channel, locale: str, words: Words, to: str, actor: Actor,
    customer: Customer | None = None, program: Program | None = None,
) -> None:  # fmt: skip
    """Send it to somebody of the staff. Raises DomainError, also with what a provider said."""
    told = preview_words(
        occasion=occasion,
        channel=channel,
        locale=locale,
        words=words,
        customer=customer,
        program=program,
    )
    if channel.is_set_up:
        try_way(
            channel=channel, to=to, subject=told.subject, text=told.text, actor=actor,
            approved=told.approved,
        )  # fmt: skip
        return
    queue_mail(to=to, subject=f"[Test] {told.subject}", text=told.text, html=told.html)
    if actor.user is not None:
        record_audit(
            actor=actor, action="template.tested", target=actor.user,
            after={"occasion": occasion.code, "language": locale},
        )  # fmt: skip
