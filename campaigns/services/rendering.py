"""From a message's values to what is read: the words chosen, filled in and framed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils import translation
from django.utils.translation import gettext as _

from campaigns.approved_words import Approved
from campaigns.channels import Channel
from campaigns.mail_bodies import compile_mail, plain_text
from campaigns.models import TemplateVersion
from campaigns.ready_texts import ready_text
from campaigns.selectors.templates import Templates
from campaigns.text_parts import ToldText
from campaigns.wording import WordingError, read_wording
from members.branding import foreground_on, parse_hex, to_hex
from members.models import Merchant

_ready_html: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Words before they are filled in. `html`: empty where there is none."""

    subject: str
    text: str
    html: str
    version: TemplateVersion | None = None
    approved: Approved | None = None


@dataclass(frozen=True, slots=True)
class Rendered:
    subject: str
    text: str
    html: str
    version: TemplateVersion | None = None
    approved: Approved | None = None


def wanted_words(
    templates: Templates, occasion: str, channel: str, locale: str, variant: str = ""
) -> Wanted:
    """The merchant's own, else the ready-made; of an arm of an experiment its `variant`. Raises
    WordingError where there are none."""
    version = templates.choose(occasion, channel, locale, variant)
    if version is not None:
        return of_version(version, markup=bool(version.html))
    ready = ready_text(occasion, channel, templates.ready_locale(locale))
    if ready is None:
        raise WordingError(f"{occasion} has no words for {channel}")
    return of_ready(ready)


def of_version(version: TemplateVersion, *, markup: bool) -> Wanted:
    text = version.text or (plain_text(version.body) if markup else version.body)
    approved = Approved.kept(version.approved)
    return Wanted(version.subject, text, version.html, version, approved)


def of_ready(ready: ToldText) -> Wanted:
    if not ready.body.startswith("<"):
        return Wanted(ready.subject, ready.body, "")
    if ready.body not in _ready_html:
        _ready_html[ready.body] = compile_mail(ready.body)
    return Wanted(ready.subject, plain_text(ready.body), _ready_html[ready.body])


def fill(wanted: Wanted, values: Mapping[str, str], frame: Mapping[str, str]) -> Rendered:
    """Put the values in. Raises WordingError."""
    subject = " ".join(read_wording(wanted.subject).fill(values).split())[:400]
    text = "\n".join(line.rstrip() for line in read_wording(wanted.text).fill(values).split("\n"))
    if not wanted.html:
        said = wanted.approved
        if said is not None:
            said = said.saying([read_wording(value).fill(values) for value in said.values])
        return Rendered(subject, text.strip(), "", wanted.version, said)
    html = read_wording(wanted.html).fill({**values, **frame}, markup=True)
    return Rendered(subject, f"{_tight(text)}\n\n{_foot(frame)}\n", html, wanted.version)


def closing_words(
    told: Rendered, channel: Channel, stop_word: str, stop_link: str, locale: str
) -> str:
    """How a text without a frame is declined, where it can be: `stop_link` is empty otherwise. What
    the provider has approved stays as it is."""
    if told.approved or not (channel.by_word and stop_link):
        return ""
    with translation.override(locale):
        if stop_word:
            return " " + _("Reply %s to end.") % stop_word
        return f" {_('No more of this')}: {stop_link}"


def frame_of(
    merchant: Merchant, locale: str, *, choose_link: str, stop_link: str
) -> dict[str, str]:
    """What stands around the body. `stop_link`: empty where the message cannot be declined."""
    accent = merchant.accent_color
    with translation.override(locale):
        why = _("You get this because you are a customer of %s.") % merchant.name
        return {
            "frame_accent": accent,
            "frame_accent_text": to_hex(foreground_on(parse_hex(accent))),
            "frame_merchant": merchant.name,
            "frame_why": why,
            "frame_choose": _("Choose what you are told"),
            "frame_choose_link": choose_link,
            "frame_stop": _("No more of this"),
            "frame_stop_link": stop_link,
            "frame_language": locale,
        }


def _foot(frame: Mapping[str, str]) -> str:
    lines = ["-- ", frame["frame_why"], f"{frame['frame_choose']}: {frame['frame_choose_link']}"]
    if frame["frame_stop_link"]:
        lines.append(f"{frame['frame_stop']}: {frame['frame_stop_link']}")
    return "\n".join(lines)


def _tight(text: str) -> str:
    """Paragraphs that say nothing leave no gap."""
    return "\n\n".join(part.strip() for part in text.split("\n\n") if part.strip())
