"""The words of the arms of an experiment on a message: written while it is a draft, and settled
once it runs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.channels import Channel, channel_named
from campaigns.experiment_definitions import ExperimentDefinition, WordsDefinition
from campaigns.models import Experiment, ExperimentArm, MessageTemplate, TemplateVersion
from campaigns.occasions import Occasion, occasion_named
from campaigns.selectors.experiments import may_be_silent, running_on, why_no_message
from campaigns.selectors.templates import versions_of_variants
from campaigns.selectors.told_ways import ways_told
from campaigns.services.experiment_rows import locked, require_status
from campaigns.services.templates import Words, archive_template, hold_words, save_words
from members.errors import ConflictError, DomainError, FieldError
from members.services.audit import Actor, record_audit

Status = Experiment.Status


@transaction.atomic
def write_arm_words(
    *, arm: ExperimentArm, channel: Channel, locale: str, words: Words, actor: Actor,
    now: dt.datetime,
) -> TemplateVersion:  # fmt: skip
    """What it says by a way, in a language. Whoever was asked to start it has to be asked again.
    Raises DomainError, ConflictError once it runs."""
    row = locked(arm.experiment)
    require_status(row, Status.DRAFT)
    version = save_words(
        occasion=occasion_compared(row), channel=channel, locale=locale, words=words, actor=actor,
        now=now, variant=arm.variant,
    )  # fmt: skip
    _changed(row, actor)
    return version


@transaction.atomic
def put_arm_words_away(
    *, arm: ExperimentArm, template: MessageTemplate, actor: Actor, now: dt.datetime
) -> None:
    """It says there what is said without the experiment."""
    row = locked(arm.experiment)
    require_status(row, Status.DRAFT)
    archive_template(template=template, actor=actor, now=now)
    _changed(row, actor)


def put_words(
    row: Experiment, definition: ExperimentDefinition, actor: Actor, now: dt.datetime
) -> None:
    """Bring the words of all arms to what is said. The row is locked, and its arms are there."""
    if definition.compares != "messages":
        keep_no_words(row, now)
        return
    occasion = occasion_compared(row)
    _refuse(row, occasion, definition.arms[0].silent)
    kept = [
        _put(row, occasion, place, words, actor, now)
        for place, arm in enumerate(definition.arms)
        for words in arm.words
    ]
    keep_no_words(row, now, but=[version.template_id for version in kept])


def keep_no_words(row: Experiment, now: dt.datetime, but: Sequence[int] = ()) -> None:
    """Put away what its arms say, `but` for these templates."""
    rows = MessageTemplate.objects.filter(variant__startswith=f"{row.pk}-", archived_at=None)
    rows.exclude(pk__in=but).update(archived_at=now)


def check_words(row: Experiment) -> None:
    """What starting asks for: something to compare, and nothing else that compares it."""
    occasion, arms = occasion_compared(row), list(row.arms.all())
    _refuse(row, occasion, arms[0].silent)
    hold_words(occasion.code)
    found, used = versions_of_variants([arm.variant for arm in arms]), ways_told(row, occasion)
    for arm in arms[1:]:
        if message := _why_nothing(occasion, arm, found[arm.variant], used):
            raise DomainError(message, errors=[FieldError(f"arms[{arm.place}].words", message)])
    other = running_on(row.occasion).filter(program=row.program_id).first()
    if other is not None:
        message = _("The experiment %s compares words of this message already.") % other.name
        raise ConflictError(message, code="part_of_experiment")


def writers_of(row: Experiment) -> Iterator[int | None]:
    """Who wrote the words that its arms have now."""
    asked = [arm.variant for arm in row.arms.all()] if row.occasion else []
    for versions in versions_of_variants(asked).values():
        yield from (version.author_id for version in versions)


def occasion_compared(row: Experiment) -> Occasion:
    occasion = occasion_named(row.occasion)
    if occasion is None or why_no_message(occasion):
        message = why_no_message(occasion) if occasion else _("There is no such message.")
        raise DomainError(message, errors=[FieldError("message", message)])
    return occasion


def _refuse(row: Experiment, occasion: Occasion, silent: bool) -> None:
    if silent and not may_be_silent(occasion):
        message = _("%s has to be told: compare its words.") % occasion.label
        raise DomainError(message, errors=[FieldError("arms[0].silent", message)])


def _why_nothing(
    occasion: Occasion, arm: ExperimentArm, words: Sequence[TemplateVersion], used: AbstractSet[str]
) -> str:
    """Why nobody would read anything else in this arm; nothing if somebody may."""
    said = dict.fromkeys(version.template.channel for version in words)
    if not said:
        return _("Write what %s says.") % arm.name
    if not used:
        return _("%s: nobody is told that now. Switch it on, or tell it in a journey first.") % (
            occasion.label
        )  # fmt: skip
    if used.isdisjoint(said):
        ways = [str(way.label) for key in said if (way := channel_named(key))]
        return _("%(arm)s says something only by %(ways)s, by which %(message)s is not told.") % {
            "arm": arm.name, "ways": ", ".join(ways), "message": occasion.label,
        }  # fmt: skip
    return ""


def _put(
    row: Experiment, occasion: Occasion, place: int, said: WordsDefinition, actor: Actor,
    now: dt.datetime,
) -> TemplateVersion:  # fmt: skip
    way = channel_named(said.channel)
    if way is None:
        message = _("There is no such way.")
        raise DomainError(message, errors=[FieldError(f"arms[{place}].words", message)])
    approved = said.approved.words() if said.approved else None
    return save_words(
        occasion=occasion, channel=way, locale=said.locale,
        words=Words(said.subject, said.body, said.text, approved), actor=actor, now=now,
        variant=f"{row.pk}-{place}",
    )  # fmt: skip


def _changed(row: Experiment, actor: Actor) -> None:
    row.author, row.asked_by, row.asked_at, row.sent_back = actor.user, None, None, ""
    row.save()
    record_audit(actor=actor, action="experiment.changed", target=row, after={"name": row.name})
