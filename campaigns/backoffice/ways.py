"""Messages → Ways: by what members are told, who sends it, and how that goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns.backoffice.places import NAMESPACE, crumbs, find_channel, tabs
from campaigns.channels import Channel, all_channels
from campaigns.models import ChannelOutage, ChannelSetting
from campaigns.provider_urls import LONGEST, names_for
from campaigns.selectors.messages import outages
from campaigns.selectors.ways import (
    channel_settings,
    installed_url,
    is_usable,
    receipts_url,
    setting_of_channel,
)
from campaigns.services.receipts import tells_receipts
from campaigns.services.ways import (
    LONGEST_ADDRESS,
    LONGEST_WORD,
    WaySettings,
    forget_provider,
    renew_signing_secret,
    renew_stop_address,
    set_way,
    try_way,
)
from campaigns.short_texts import SMS, WEBHOOK, WHATSAPP
from campaigns.words import reason_words
from members.errors import DomainError
from members.forms import errors_on, posted
from members.kept_secrets import revealed
from members.models import User
from members.policy import acting, is_allowed, staff_view

ACTION = "connections.manage"
_EXAMPLES = {
    SMS: "twilio://SID:TOKEN@+15005550006/{to}",
    WHATSAPP: "whatsapp://TOKEN@PHONE_ID/{to}",
    "push": "pover://USER@TOKEN/{to}",
    WEBHOOK: "https://crm.example/messages",
}


@dataclass(frozen=True, slots=True)
class Way:
    """A way in the list. `setting`: none where nobody has to be named."""

    channel: Channel
    setting: ChannelSetting | None
    is_usable: bool
    installed: bool
    outage: ChannelOutage | None

    @property
    def failure(self) -> str:
        """What was wrong last, in words, unless something was sent since."""
        setting = self.setting
        if setting is None or setting.failed_at is None:
            return ""
        if setting.sent_at is not None and setting.sent_at > setting.failed_at:
            return ""
        reason, _blank, detail = setting.failure.partition(" ")
        return f"{reason_words(reason)} ({detail})" if detail else reason_words(reason)


class WayForm(forms.Form):
    is_on = forms.BooleanField(label=_l("Members are told by it"), required=False)
    url = forms.CharField(
        label=_l("Provider’s address"), required=False, max_length=LONGEST, strip=True,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip
    stop_word = forms.CharField(
        label=_l("Word that ends it"), required=False, max_length=LONGEST_WORD,
        help_text=_l("Stands at the end of what can be declined. Empty: a link stands there."),
    )  # fmt: skip
    test_to = forms.CharField(
        label=_l("Tests go to"), required=False, max_length=LONGEST_ADDRESS,
        help_text=_l("A number or a device of yours, as members have them."),
    )  # fmt: skip

    def __init__(self, channel: Channel, setting: ChannelSetting, data: object = None) -> None:
        initial = {
            "is_on": setting.is_on, "stop_word": setting.stop_word, "test_to": setting.test_to,
        }  # fmt: skip
        super().__init__(data, initial=initial)  # type: ignore[arg-type]
        self.fields["url"].widget.attrs["placeholder"] = _EXAMPLES[channel.key]
        self.fields["url"].help_text = _help_for(channel, setting)
        if not channel.by_word:
            del self.fields["stop_word"]
        if channel.key == WEBHOOK:
            self.fields["url"].label = _("Its address")
            del self.fields["test_to"]


@require_safe
@staff_view("programs.view")
def way_list(request: HttpRequest) -> HttpResponse:
    """All of them, and how each does."""
    context = {
        "title": _("Ways"),
        "tabs": tabs("way_list"),
        "ways": _ways(),
        "may_manage": is_allowed(request.user, ACTION),
    }
    return render(request, "messages/backoffice/way_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(ACTION)
def way(request: HttpRequest, channel: str) -> HttpResponse:
    """Who sends it, a test, and where answers are told."""
    found = way_to_set_up(channel)
    form = WayForm(found, setting_of_channel(found.key), posted(request))
    if form.is_valid():
        with errors_on(form):
            set_way(channel=found, wanted=WaySettings(**form.cleaned_data), actor=acting(request))
            messages.success(request, _("Saved. It counts from now on, also for what waits."))
            return redirect(f"{NAMESPACE}:way", found.key)
    status = 422 if form.errors else 200
    return render(request, "messages/backoffice/way.html", _context(found, form), status=status)


@require_POST
@staff_view(ACTION)
def way_test(request: HttpRequest, channel: str) -> HttpResponse:
    """Send one now, and say what came of it."""
    found = way_to_set_up(channel)
    try:
        try_way(
            channel=found, to=test_address(found, request), subject=_("A test"),
            text=_("A test from Setia. It works."), actor=acting(request),
        )  # fmt: skip
        messages.success(request, _("The provider has taken it."))
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect(f"{NAMESPACE}:way", found.key)


@require_POST
@staff_view(ACTION)
def way_forget(request: HttpRequest, channel: str) -> HttpResponse:
    """The provider's address and its keys are gone."""
    forget_provider(channel=way_to_set_up(channel), actor=acting(request))
    messages.success(request, _("The address and its keys are forgotten."))
    return redirect(f"{NAMESPACE}:way", channel)


@never_cache
@require_POST
@staff_view(ACTION)
def way_secret(request: HttpRequest, channel: str) -> HttpResponse:
    """Another signing secret, shown once; or another address for answers."""
    found = way_to_set_up(channel)
    if found.by_word:
        renew_stop_address(channel=found, actor=acting(request))
        return redirect(f"{NAMESPACE}:way", found.key)
    if found.key != WEBHOOK:
        raise Http404("It signs nothing.")
    return _new_secret(request, found)


@never_cache
@require_POST
@staff_view(ACTION)
def way_receipts(request: HttpRequest, channel: str) -> HttpResponse:
    """Another secret by which what became of messages is told, shown once."""
    found = way_to_set_up(channel)
    if not tells_receipts(found) or setting_of_channel(found.key).receipts:
        raise Http404("It does not know our messages by name.")
    return _new_secret(request, found)


def _new_secret(request: HttpRequest, found: Channel) -> HttpResponse:
    secret = renew_signing_secret(channel=found, actor=acting(request))
    form = WayForm(found, setting_of_channel(found.key))
    context = _context(found, form) | {"secret": secret}
    return render(request, "messages/backoffice/way.html", context)


def test_address(channel: Channel, request: HttpRequest) -> str:
    """Where a test goes: as the way says, else the own phone."""
    if channel.key == WEBHOOK:
        return "test"
    if found := setting_of_channel(channel.key).test_to:
        return found
    user = request.user
    staff = getattr(user, "staff_member", None) if isinstance(user, User) else None
    return staff.phone if staff and channel.key in {SMS, WHATSAPP} else ""


def _ways() -> list[Way]:
    known, down = channel_settings(), {way.key: outage for way, outage in outages()}
    found = []
    for channel in all_channels():
        own = known.get(channel.key) or ChannelSetting(channel=channel.key)
        found.append(
            Way(
                channel, own if channel.is_set_up else None,
                not channel.is_set_up or is_usable(own), bool(installed_url(channel.key)),
                down.get(channel.key),
            )
        )  # fmt: skip
    return found


def _context(channel: Channel, form: WayForm) -> dict[str, Any]:
    shown = next(item for item in _ways() if item.channel.key == channel.key)
    setting = shown.setting
    assert setting is not None
    token = revealed(setting.stop_token)
    return {
        "title": channel.label,
        "breadcrumbs": [*crumbs(), (_("Ways"), reverse(f"{NAMESPACE}:way_list"))],
        "way": shown,
        "form": form,
        "receipts_url": receipts_url(channel.key) if tells_receipts(channel) else "",
        "is_mapped": bool(setting.receipts),
        "may_map": channel.key != WEBHOOK,
        "stop_url": f"{settings.SITE_URL}{reverse('messages:reply', args=[channel.key, token])}"
        if token
        else "",
    }


def way_to_set_up(key: str) -> Channel:
    found = find_channel(key)
    if not found.is_set_up:
        raise Http404("It needs nobody to be named.")
    return found


def _help_for(channel: Channel, setting: ChannelSetting) -> str:
    if setting.url:
        kept = _("Kept encrypted, and not shown again. Empty: it stays as it is.")
    else:
        kept = _("Kept encrypted, and not shown again.")
    if channel.key == WEBHOOK:
        return kept
    known = ", ".join(names_for(channel.key))
    written = _("As apprise writes it, with {to} for the member’s address: %s.") % known
    own = _("A gateway of your own may be told {id}, and tell what became of it.")
    return f"{written} {own} {kept}"
