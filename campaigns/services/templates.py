"""The merchant's own words: each saving is a version, checked before anybody can be sent it."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from campaigns.approved_words import (
    LANGUAGE,
    LONGEST_LANGUAGE,
    LONGEST_NAME,
    LONGEST_VALUE,
    MOST_VALUES,
    NAME,
    Approved,
)
from campaigns.channels import Channel
from campaigns.mail_bodies import compile_mail
from campaigns.models import Experiment, MessageTemplate, TemplateVersion
from campaigns.occasions import Occasion
from campaigns.wording import (
    WordingError,
    check_wording,
    tidied_body,
    tidied_locale,
    tidied_subject,
)
from members.errors import ConflictError, DomainError, FieldError
from members.services.audit import Actor, record_audit

LOCALE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")
LONGEST = {"subject": 200, "body": 40_000, "text": 20_000}


@dataclass(frozen=True, slots=True)
class Words:
    """What somebody wrote. `text`: plain text beside MJML, empty: derived from it."""

    subject: str
    body: str
    text: str = ""
    # Words that the provider has approved, where it wants that; None: none are named.
    approved: Approved | None = None

    @classmethod
    def of(cls, version: TemplateVersion) -> Words:
        """As they were saved."""
        kept = Approved.kept(version.approved)
        return cls(version.subject, version.body, version.text, kept)


@dataclass(frozen=True, slots=True)
class CheckedWords:
    words: Words
    html: str


def check_words(occasion: Occasion, channel: Channel, words: Words) -> CheckedWords:
    """Raises DomainError that names the field and what is wrong in it."""
    said = words.approved.tidied() if words.approved and channel.by_approval else None
    words = Words(
        tidied_subject(words.subject), tidied_body(words.body),
        tidied_body(words.text) if channel.markup else "", said,
    )  # fmt: skip
    known = [variable.name for variable in occasion.all_variables]
    errors = [
        error
        for name in ("subject", "body", "text")
        if (error := _wrong(name, getattr(words, name), known))
    ]
    if words.approved is not None:
        errors += _wrong_approved(words.approved, known)
    html = ""
    if not errors and channel.markup:
        try:
            html = compile_mail(words.body)
        except WordingError as error:
            errors.append(FieldError("body", str(error)))
    if errors:
        raise DomainError(str(errors[0].message), code="template_invalid", errors=errors)
    return CheckedWords(words, html)


def save_words(
    *, occasion: Occasion, channel: Channel, locale: str, words: Words, actor: Actor,
    now: dt.datetime, variant: str = "",
) -> TemplateVersion:  # fmt: skip
    """Use these words from now on. The same as before makes no version. `variant`: those of an arm
    of an experiment, whose service asks. Raises DomainError, ConflictError while an experiment
    compares others with them."""
    locale = _checked_locale(locale)
    checked = check_words(occasion, channel, words)
    with transaction.atomic():
        if not variant:
            _refuse_while_compared(occasion.code)
        template, _new = MessageTemplate.objects.select_for_update().get_or_create(
            occasion=occasion.code, channel=channel.key, locale=locale, variant=variant
        )
        last = template.versions.first()
        if last is not None and template.archived_at is None and _same(last, checked.words):
            return last
        if template.archived_at is not None:
            template.archived_at = None
            template.save(update_fields=["archived_at"])
        number = template.versions.aggregate(last=Max("number", default=0))["last"] + 1
        version: TemplateVersion = template.versions.create(
            number=number, subject=checked.words.subject, body=checked.words.body,
            text=checked.words.text, html=checked.html, author=actor.user, created_at=now,
            approved=checked.words.approved.as_kept() if checked.words.approved else {},
        )  # fmt: skip
        record_audit(
            actor=actor, action="template.saved", target=template,
            after={"subject": version.subject, "version": number},
        )  # fmt: skip
    return version


@transaction.atomic
def archive_template(*, template: MessageTemplate, actor: Actor, now: dt.datetime) -> None:
    """Use the next language, or the ready-made words, from now on. Again changes nothing."""
    if not template.variant:
        _refuse_while_compared(template.occasion)
    row = MessageTemplate.objects.select_for_update().get(pk=template.pk)
    if row.archived_at is None:
        row.archived_at = now
        row.save(update_fields=["archived_at"])
        record_audit(actor=actor, action="template.archived", target=row)


def hold_words(occasion: str) -> None:
    """Nobody else changes the words of a message, or begins to compare them, before this
    transaction is over. It may have no words yet, so there is no row to lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtext('campaigns.words'), hashtext(%s))", [occasion]
        )


def _refuse_while_compared(occasion: str) -> None:
    """The first arm is as it is: it stays so, or nothing could be compared."""
    hold_words(occasion)
    running = Experiment.objects.filter(occasion=occasion, status=Experiment.Status.RUNNING)
    if found := running.first():
        message = _("The experiment %s compares these words: they stay until it ends.") % found.name
        raise ConflictError(message, code="part_of_experiment")


def _wrong(field: str, text: str, known: list[str]) -> FieldError | None:
    if not text and field != "text":
        return FieldError(field, _("Write something."), "required")
    if len(text) > LONGEST[field]:
        return FieldError(field, _("At most %s characters.") % LONGEST[field], "too_long")
    try:
        check_wording(text, known)
    except WordingError as error:
        return FieldError(field, str(error), "unknown_variable")
    return None


def _wrong_approved(approved: Approved, known: list[str]) -> list[FieldError]:
    errors = []
    if len(approved.name) > LONGEST_NAME or not NAME.fullmatch(approved.name):
        message = _("Write its name as the provider has it: letters, digits, _ . : and -.")
        errors.append(FieldError("approved_name", message))
    if len(approved.language) > LONGEST_LANGUAGE or not LANGUAGE.fullmatch(approved.language):
        message = _("Write its language as the provider has it, like en or en_US.")
        errors.append(FieldError("approved_language", message))
    if len(approved.values) > MOST_VALUES:
        message = _("At most %s.") % MOST_VALUES
        errors.append(FieldError("approved_values", message, "too_long"))
    if not all(approved.values):
        message = _("Say something in each line: providers refuse variables that are empty.")
        errors.append(FieldError("approved_values", message, "required"))
    for value in approved.values:
        try:
            check_wording(value, known)
        except WordingError as error:
            errors.append(FieldError("approved_values", str(error), "unknown_variable"))
        if len(value) > LONGEST_VALUE:
            message = _("At most %s characters.") % LONGEST_VALUE
            errors.append(FieldError("approved_values", message, "too_long"))
    return errors


def _checked_locale(locale: str) -> str:
    lowered = tidied_locale(locale)
    if len(lowered) > 16 or not LOCALE.fullmatch(lowered):
        message = _("Write a language like en or pt-br.")
        raise DomainError(message, errors=[FieldError("locale", message)])
    return lowered


def _same(last: TemplateVersion, words: Words) -> bool:
    return Words.of(last) == words
