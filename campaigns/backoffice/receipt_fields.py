"""Messages → Ways → how a provider tells what became of messages: where it stands, and which of its
words mean what. Tried with a sample before it is saved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from campaigns.backoffice.places import NAMESPACE, crumbs
from campaigns.backoffice.ways import ACTION, way_to_set_up
from campaigns.channels import Channel
from campaigns.models import ChannelSetting
from campaigns.receipt_mappings import (
    PRESETS,
    Outcome,
    ReceiptMapping,
    Signed,
    UnreadableError,
    outcomes_in,
    read_body,
    replies_in,
)
from campaigns.receipt_signatures import word_for_meta
from campaigns.selectors.ways import receipts_url, setting_of_channel
from campaigns.services.receipt_settings import LONGEST_SECRET, set_receipts
from campaigns.short_texts import WEBHOOK
from members.forms import errors_on, posted
from members.policy import acting, staff_view

_SIGNED = [
    (Signed.KEY, _l("A key, or a signature made with it")),
    (Signed.STANDARD, _l("Standard Webhooks")),
    (Signed.TWILIO, _l("As Twilio signs")),
    (Signed.META, _l("As Meta signs")),
]
_PRESETS = {"twilio": "Twilio", "meta": _l("WhatsApp by Meta")}
_WORDS = ("delivered", "undelivered", "failed", "gone")
OUTCOMES = {
    Outcome.DELIVERED: _l("It arrived"),
    Outcome.UNDELIVERED: _l("It could not be delivered"),
    Outcome.FAILED: _l("It was not sent"),
    Outcome.GONE: _l("There is no such address: nothing is sent there any more"),
}


def _path(label: Any, help_text: Any = "", *, required: bool = False) -> forms.CharField:
    return forms.CharField(label=label, help_text=help_text, required=required, max_length=200)


class ReceiptForm(forms.Form):
    signed = forms.ChoiceField(label=_l("How it signs"), choices=_SIGNED)
    secret = forms.CharField(
        label=_l("What it signs with"), required=False, max_length=LONGEST_SECRET,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_l("Twilio: the auth token. Meta: the app secret. For others Setia makes one."),
    )  # fmt: skip
    named_at = _path(
        _l("Its name for a message, in its answer"),
        _l("When it takes one, such as messages.0.id. Empty: it is told ours, by {id}."),
    )
    rows = _path(
        _l("Receipts"), _l("Where several stand, such as entry.changes.value. Empty: it tells one.")
    )
    id = _path(_l("Name of the message"), required=True)
    status = _path(_l("What became of it"), required=True)
    why = _path(_l("Why"), _l("Where a number of an error stands."))
    to = _path(_l("To whom"), _l("Where the number stands that it went to."))
    delivered = _path(_l("Words for: it arrived"), _l("With commas between."), required=True)
    undelivered = _path(_l("Words for: it could not be delivered"))
    failed = _path(_l("Words for: it was not sent"))
    gone = _path(_l("Words or numbers for: no such address"), _l("Nothing is sent there any more."))
    reply_rows = _path(_l("Answers"), _l("Where several stand, if they come to the same address."))
    reply_from = _path(_l("Who answered"))
    reply_text = _path(_l("What they answered"), _l("With commas between."))
    sample = forms.CharField(
        label=_l("A sample to try"), required=False, max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false", "class": "code-input"}),
        help_text=_l("JSON or a form, as the provider’s page shows it. It is not kept."),
    )  # fmt: skip

    def mapping(self) -> ReceiptMapping:
        """What is written, words taken apart."""
        said = dict(self.cleaned_data)
        for name in ("secret", "sample"):
            del said[name]
        for name in _WORDS:
            said[name] = tuple(word.strip() for word in said[name].split(",") if word.strip())
        return ReceiptMapping.model_validate(said)


@dataclass(frozen=True, slots=True)
class Tried:
    """What a sample says, read by what is written."""

    outcomes: list[tuple[str, Any, str]]
    replies: list[tuple[str, str]]
    unreadable: bool = False


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(ACTION)
def receipt_fields(request: HttpRequest, channel: str) -> HttpResponse:
    """What is kept, or a provider's own way to begin from."""
    found, setting = _mapped_way(channel)
    form = ReceiptForm(posted(request), initial=_initial(request, setting))
    tried, made = None, ""
    if form.is_valid():
        if "try" in request.POST:
            tried = _try(form.cleaned_data["sample"], form.mapping())
        else:
            with errors_on(form):
                made = set_receipts(
                    channel=found, wanted=form.mapping(), secret=form.cleaned_data["secret"],
                    actor=acting(request),
                )  # fmt: skip
                if not made:
                    messages.success(request, _("Saved. What it tells counts from now on."))
                    return redirect(f"{NAMESPACE}:way", found.key)
    context = _context(found, form) | {"tried": tried, "secret": made}
    status = 422 if form.errors else 200
    return render(request, "messages/backoffice/receipt_fields.html", context, status=status)


@require_POST
@staff_view(ACTION)
def receipt_forget(request: HttpRequest, channel: str) -> HttpResponse:
    """What it tells is not believed any more."""
    found, _setting = _mapped_way(channel)
    set_receipts(channel=found, wanted=None, secret="", actor=acting(request))
    messages.success(request, _("Nothing is told here any more."))
    return redirect(f"{NAMESPACE}:way", found.key)


def _mapped_way(channel: str) -> tuple[Channel, ChannelSetting]:
    found = way_to_set_up(channel)
    if found.key == WEBHOOK:
        raise Http404("It is told our names.")
    return found, setting_of_channel(found.key)


def _initial(request: HttpRequest, setting: ChannelSetting) -> dict[str, Any]:
    preset = PRESETS.get(request.GET.get("as", ""))
    said = preset.model_dump(mode="json") if preset else dict(setting.receipts)
    return {**said, **{name: ", ".join(said[name]) for name in _WORDS if name in said}}


def _try(sample: str, mapping: ReceiptMapping) -> Tried:
    kind = "" if sample.lstrip()[:1] in "{[" else "application/x-www-form-urlencoded"
    try:
        told = read_body(sample.encode(), kind)
    except UnreadableError:
        return Tried([], [], unreadable=True)
    outcomes = [(one.name, OUTCOMES[one.outcome], one.to) for one in outcomes_in(told, mapping)]
    return Tried(outcomes, [(one.sender, one.text) for one in replies_in(told, mapping)])


def _context(channel: Channel, form: ReceiptForm) -> dict[str, Any]:
    ways = (_("Ways"), reverse(f"{NAMESPACE}:way_list"))
    own = (str(channel.label), reverse(f"{NAMESPACE}:way", args=[channel.key]))
    return {
        "title": _("How it tells what became of messages"),
        "breadcrumbs": [*crumbs(), ways, own],
        "channel": channel,
        "form": form,
        "presets": _PRESETS,
        "receipts_url": receipts_url(channel.key),
        "word_for_meta": word_for_meta(channel.key),
        "is_kept": bool(setting_of_channel(channel.key).receipts),
    }
