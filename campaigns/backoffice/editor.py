"""Writing the words of an occasion, seeing them as they will be read, and sending them to
oneself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from csp.constants import SELF
from csp.decorators import csp_update
from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_POST

from campaigns.approved_words import (
    LONGEST_LANGUAGE,
    LONGEST_NAME,
    LONGEST_VALUE,
    MOST_VALUES,
    Approved,
)
from campaigns.backoffice.occasions import ways_of
from campaigns.backoffice.places import (
    NAMESPACE,
    crumbs,
    find_channel,
    find_occasion,
    occasion_url,
)
from campaigns.backoffice.ways import test_address
from campaigns.channels import Channel
from campaigns.models import MessageTemplate, TemplateVersion
from campaigns.occasions import Occasion, family_of
from campaigns.ready_texts import READY_LOCALE, ready_language, ready_text
from campaigns.selectors.experiments import winner_of
from campaigns.selectors.policies import get_policy
from campaigns.selectors.templates import versions_of_variants
from campaigns.services.previews import preview_words, send_test
from campaigns.services.templates import LONGEST, Words, archive_template, save_words
from campaigns.short_links import as_if_short
from campaigns.text_parts import beginning
from campaigns.text_segments import length_of
from loyalty.backoffice.links import Crumbs
from loyalty.models import Program
from members.errors import DomainError
from members.forms import errors_on, posted
from members.models import Customer, User
from members.policy import acting, is_allowed, require, staff_view
from members.selectors.customer_search import search_customers

# A mail brings its own looks. It is shown in a frame that runs nothing and sends nothing.
_FRAME_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' https: data:;"
    " frame-ancestors 'self'; base-uri 'none'; form-action 'none'; sandbox"
)


APPROVED = ("approved_name", "approved_language", "approved_values")


class WordsForm(forms.Form):
    subject = forms.CharField(label=_l("Subject"), max_length=LONGEST["subject"])
    body = forms.CharField(
        label=_l("Text"), widget=forms.Textarea(attrs={"rows": 18, "spellcheck": "true"}),
        max_length=LONGEST["body"], strip=False,
    )  # fmt: skip
    text = forms.CharField(
        label=_l("Plain text"), required=False, widget=forms.Textarea(attrs={"rows": 8}),
        max_length=LONGEST["text"], strip=False,
        help_text=_l("For mail programs that show no pictures. Empty: made from the text above."),
    )  # fmt: skip
    approved_name = forms.CharField(
        label=_l("Name of the approved words"), required=False, max_length=LONGEST_NAME,
        help_text=_l("As your provider has it; at Twilio the ContentSid. Empty: the text is sent,"
                     " which WhatsApp lets through only within a day of an answer."),
    )  # fmt: skip
    approved_language = forms.CharField(
        label=_l("Their language"), required=False, max_length=LONGEST_LANGUAGE,
        help_text=_l("As your provider has it, like en or en_US."),
    )  # fmt: skip
    approved_values = forms.CharField(
        label=_l("What their variables say"), required=False, strip=False,
        max_length=LONGEST_VALUE * MOST_VALUES, widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_l("One line for each, in their order, such as {{ given_name }}."),
    )  # fmt: skip
    member = forms.CharField(
        label=_l("As this customer reads it"), required=False, max_length=200,
        help_text=_l("A name, an address or a number. Empty: with samples."),
    )  # fmt: skip

    def __init__(self, channel: Channel, data: Any = None, initial: Any = None) -> None:
        super().__init__(data, initial=initial)
        if channel.markup:
            self.fields["body"].help_text = _("MJML: sections, columns, texts and buttons.")
            self.fields["body"].widget.attrs |= {"class": "code-input", "spellcheck": "false"}
        else:
            del self.fields["text"]
            self.fields["body"].widget.attrs["rows"] = 8
        if channel.by_approval:
            self.fields["body"].help_text = _("As it was approved, with variables: so it is shown.")
        else:
            for name in APPROVED:
                del self.fields[name]
        if not channel.titled:
            self.fields["subject"].help_text = _("For your lists: it is not sent.")

    def only_read(self) -> None:
        """The words are shown to whoever may not change them; the preview goes on from them."""
        for name in ("subject", "body", "text", *APPROVED):
            if name in self.fields:
                self.fields[name].widget.attrs["readonly"] = True

    def words(self) -> Words:
        data = self.cleaned_data
        return Words(data["subject"], data["body"], data.get("text", ""), self._approved())

    def _approved(self) -> Approved | None:
        data = self.cleaned_data
        name, language = (data.get(field, "").strip() for field in APPROVED[:2])
        lines = [line.strip() for line in data.get("approved_values", "").rstrip().splitlines()]
        return Approved(name, language, tuple(lines)) if name or language or lines else None


@dataclass(frozen=True, slots=True)
class Place:
    """Where words are written: of what, by which way and in which language; where its pages are
    (`words`, `preview`, `test`, `archive`) by language, and what saves words and puts them away.
    `program`: whose members it is shown as; `variant`: the words of an arm of an experiment, and
    `label`: what that is called."""

    occasion: Occasion
    way: Channel
    locale: str
    may_edit: bool
    url: Callable[[str, str], str]
    back: str
    breadcrumbs: Crumbs
    save: Callable[[Words], TemplateVersion]
    put_away: Callable[[MessageTemplate], None]
    program: Program | None = None
    variant: str = ""
    label: str = ""

    @property
    def template(self) -> MessageTemplate | None:
        return MessageTemplate.objects.filter(
            occasion=self.occasion.code, channel=self.way.key, locale=self.locale,
            variant=self.variant, archived_at=None,
        ).first()  # fmt: skip

    @property
    def in_use(self) -> TemplateVersion | None:
        return self.template.versions.first() if self.template else None


@csp_update({"frame-src": [SELF]})  # type: ignore[arg-type]
@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.view")
def words(request: HttpRequest, code: str, channel: str, locale: str) -> HttpResponse:
    """The words, with what they may use beside them, and as they will be read."""
    if request.method == "POST":
        require(request.user, "messages.edit")
    return words_page(request, _place(request, code, channel, locale))


@xframe_options_sameorigin
@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.view")
def preview(request: HttpRequest, code: str, channel: str, locale: str) -> HttpResponse:
    """What is in use, or what is being written, as it will be read."""
    return preview_page(request, _place(request, code, channel, locale))


@csp_update({"frame-src": [SELF]})  # type: ignore[arg-type]
@require_POST
@staff_view("messages.edit")
def test(request: HttpRequest, code: str, channel: str, locale: str) -> HttpResponse:
    """Send what is being written to oneself; nothing is saved."""
    return test_page(request, _place(request, code, channel, locale))


@require_POST
@staff_view("messages.edit")
def archive(request: HttpRequest, code: str, channel: str, locale: str) -> HttpResponse:
    """Use the next language, or the ready-made words, from now on."""
    return archive_page(request, _place(request, code, channel, locale))


def words_page(request: HttpRequest, place: Place) -> HttpResponse:
    version = _chosen_version(request, place)
    form = WordsForm(place.way, posted(request), _initial(place, version))
    if form.is_valid():
        with errors_on(form):
            saved = place.save(form.words())
            words = _("Saved as version %s. It is used now.")
            if place.variant:
                words = _("Saved as version %s. It is told while the experiment runs.")
            messages.success(request, words % saved.number)
            return redirect(place.url("words", saved.template.locale))
    asked = {name: request.GET[name] for name in ("version", "of") if name in request.GET}
    context = _context(place, form) | {
        "asked": urlencode(asked),
        "of_arm": bool(winner_of(request.GET.get("of", ""), place.occasion)),
    }  # fmt: skip
    status = 422 if form.errors else 200
    return render(request, "messages/backoffice/words.html", context, status=status)


def preview_page(request: HttpRequest, place: Place) -> HttpResponse:
    """In a frame of its own."""
    data = posted(request) or _initial(place, _chosen_version(request, place))
    form = WordsForm(place.way, data)
    if not form.is_valid():
        wrong = [error for errors in form.errors.values() for error in errors]
        return _frame(request, {"errors": wrong})
    try:
        told = preview_words(
            occasion=place.occasion, channel=place.way, locale=place.locale, words=form.words(),
            customer=_customer(request, form.cleaned_data["member"]), program=place.program,
        )  # fmt: skip
    except DomainError as error:
        return _frame(request, {"errors": [str(item.message) for item in error.errors]})
    if place.way.short_links and get_policy().track_clicks:
        said = told.approved
        if said is not None:
            said = replace(said, values=tuple(map(as_if_short, said.values)))
        told = replace(told, text=as_if_short(told.text), approved=said)
    length = length_of(told.text) if place.way.is_short else None
    context = {"told": told, "length": length, "titled": place.way.titled}
    return _framed(HttpResponse(told.html)) if told.html else _frame(request, context)


def test_page(request: HttpRequest, place: Place) -> HttpResponse:
    form, user, way = WordsForm(place.way, request.POST), request.user, place.way
    assert isinstance(user, User)
    if not form.is_valid():
        messages.error(request, _("Write a subject and a text first."))
    else:
        try:
            to = test_address(way, request) if way.is_set_up else user.email
            send_test(
                occasion=place.occasion, channel=way, locale=place.locale, words=form.words(),
                to=to, actor=acting(request), program=place.program,
                customer=_customer(request, form.cleaned_data["member"]),
            )  # fmt: skip
            messages.success(request, _("It is on its way to %s.") % to)
        except DomainError as error:
            messages.error(request, str(error.message))
    # What is being written is still there.
    names = ("subject", "body", "text", "member", *APPROVED)
    written = {name: request.POST.get(name, "") for name in names}
    context = _context(place, WordsForm(way, initial=written))
    return render(request, "messages/backoffice/words.html", context)


def archive_page(request: HttpRequest, place: Place) -> HttpResponse:
    template = place.template
    if template is None:
        raise Http404("There are no such words.")
    try:
        place.put_away(template)
        messages.success(request, _("These words are not used any more."))
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect(place.back)


@require_POST
@staff_view("messages.edit")
def language(request: HttpRequest, code: str) -> HttpResponse:
    """Begin words in another language, from those that there are."""
    occasion = find_occasion(code)
    way = find_channel(request.POST.get("channel", ""))
    locale = request.POST.get("locale", "").strip().lower()[:16]
    if not locale.replace("-", "").isalnum():
        messages.error(request, _("Write a language like en or pt-br."))
        return redirect(occasion_url(occasion))
    return redirect(reverse(f"{NAMESPACE}:words", args=[occasion.code, way.key, locale]))


def _context(place: Place, form: WordsForm) -> dict[str, Any]:
    template = place.template
    if not place.may_edit:
        form.only_read()
    versions = template.versions.select_related("author") if template else None
    parts = [place.label, str(place.occasion.label), str(place.way.label), place.locale]
    return {
        "title": " · ".join(part for part in parts if part),
        "breadcrumbs": place.breadcrumbs,
        "template": template,
        "ready_made": template is None and family_of(place.occasion.code) is None
        and not place.variant,
        "of_experiment": bool(place.variant),
        "versions": list(versions[:20]) if versions else [],
        "variables": [(variable, f"{{{{ {variable.name} }}}}") for variable in
                      place.occasion.all_variables],
        "form": form,
        "may_edit": place.may_edit,
        "preview_url": place.url("preview", place.locale),
        "test_url": place.url("test", place.locale),
        "archive_url": place.url("archive", place.locale),
        "back": place.back,
    }  # fmt: skip


def _place(request: HttpRequest, code: str, channel: str, locale: str) -> Place:
    occasion, way = find_occasion(code), find_channel(channel)
    if way not in ways_of(occasion):
        raise Http404("It is not told by this way.")
    return Place(
        occasion, way, locale, is_allowed(request.user, "messages.edit"),
        lambda page, of: reverse(f"{NAMESPACE}:{page}", args=[occasion.code, way.key, of]),
        occasion_url(occasion), crumbs(occasion),
        save=lambda words: save_words(
            occasion=occasion, channel=way, locale=locale, words=words, actor=acting(request),
            now=timezone.now(),
        ),
        put_away=lambda template: archive_template(
            template=template, actor=acting(request), now=timezone.now()
        ),
    )  # fmt: skip


def _chosen_version(request: HttpRequest, place: Place) -> TemplateVersion | None:
    """The one that is asked for, else the last. `of`: what an arm of an experiment says there, to
    be saved as what the message says."""
    template = place.template
    if arm := winner_of(request.GET.get("of", ""), place.occasion):
        said = versions_of_variants([arm])[arm]
        return next((row for row in said if _is_there(row, place)), None)
    if template is None:
        # An arm begins with what is said without it.
        return replace(place, variant="").in_use if place.variant else None
    asked = request.GET.get("version", "")
    if asked.isdecimal() and len(asked) < 9:
        return get_object_or_404(TemplateVersion, template=template, number=int(asked))
    return template.versions.first()


def _is_there(row: TemplateVersion, place: Place) -> bool:
    said = row.template
    return (said.occasion, said.channel, said.locale) == (
        place.occasion.code, place.way.key, place.locale,
    )  # fmt: skip


def _initial(place: Place, version: TemplateVersion | None) -> dict[str, str]:
    if version is not None:
        return _written_as(version)
    language = ready_language(place.locale) or READY_LOCALE
    ready = ready_text(place.occasion.code, place.way.key, language)
    if ready is None:
        return {"subject": "", "body": beginning(place.way, language)}
    return {"subject": ready.subject, "body": ready.body}


def _written_as(version: TemplateVersion) -> dict[str, str]:
    said = Approved.kept(version.approved)
    approved = (said.name, said.language, "\n".join(said.values)) if said else ("", "", "")
    plain = {"subject": version.subject, "body": version.body, "text": version.text}
    return plain | dict(zip(APPROVED, approved, strict=True))


def _customer(request: HttpRequest, text: str) -> Customer | None:
    """Only who may see customers sees their messages."""
    if not text.strip() or not is_allowed(request.user, "customers.view"):
        return None
    hits = search_customers(text.replace("\x00", ""), limit=1)
    return hits[0].customer if hits else None


def _frame(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    return _framed(render(request, "messages/backoffice/frame.html", context))


def _framed(response: HttpResponse) -> HttpResponse:
    response["Content-Security-Policy"] = _FRAME_POLICY
    return response
