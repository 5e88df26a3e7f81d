"""The mapping of a connection: a sample in, its fields named, a look at what would become of it;
and files that are read by it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from campaigns.backoffice.connection_forms import FieldsForm, FileForm, SampleForm
from campaigns.backoffice.connection_menu import NAMESPACE
from campaigns.backoffice.connections import url_of
from campaigns.backoffice.messages_in import result_words
from campaigns.backoffice.shop_files import text_of
from campaigns.connectors.kinds import Envelope, digest_of
from campaigns.connectors.mapping import Sample, guess, guess_lines, guess_what, look_at
from campaigns.connectors.presets import PRESETS, Preset
from campaigns.models import Connection
from campaigns.selectors.connections import get_connection, latest_payload
from campaigns.services.inbound import keep_content
from campaigns.services.mappings import PreviewRow, preview_mapping, save_mapping
from members.errors import DomainError
from members.forms import add_domain_errors, errors_on, posted
from members.policy import acting, staff_view
from members.responses import htmx_redirect

ACTION = "connections.manage"


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(ACTION)
def connection_mapping(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """All on one page: the sample; with it its fields; with these what would become of it. Who
    begins with a ready mapping has the first two at once."""
    found = _mapped(public_id)
    like = PRESETS.get(request.POST.get("like", request.GET.get("like", "")))
    ready = {"sample": like.sample, "what": like.what, "rows": like.rows} if like else None
    sample_form = SampleForm(posted(request) or ready, initial=_begin(found))
    context: dict[str, Any] = {
        "presets": PRESETS.values(), "like": like,
        "title": _("Fields of %s") % found, "connection": found, "sample_form": sample_form,
        "back_url": url_of(found),
        "breadcrumbs": [
            (_("Connections"), reverse(f"{NAMESPACE}:connection_list")), (found.name, url_of(found))
        ],
    }  # fmt: skip
    if sample_form.is_valid():
        done = _go_on(request, found, like, sample_form, context)
        if done is not None:
            return done
    failed = sample_form.errors or context.get("errors")
    status = 422 if failed else 200
    return render(request, "connections/mapping.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(ACTION)
def connection_file(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A file is cut into messages of some hundred rows, which workers take in one by one."""
    found = _mapped(public_id)
    form = FileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            _keep_file(found, form.cleaned_data["file"])
            messages.success(request, _("The file is taken in. Its rows appear in the log."))
            return htmx_redirect(request, url_of(found))
    context = {
        "title": _("A file for %s") % found, "form": form, "submit": _("Take it in"),
        "back": url_of(found),
        "effect": _("Each row is read by the mapping. The same file again changes nothing."),
    }  # fmt: skip
    return render(request, "backoffice/act.html", context, status=422 if form.errors else 200)


def _go_on(
    request: HttpRequest, found: Connection, like: Preset | None, form: SampleForm,
    context: dict[str, Any],
) -> HttpResponse | None:  # fmt: skip
    """The second and third steps; a response once it is saved."""
    data = form.cleaned_data
    try:
        sample = look_at(data["sample"], data["rows"])
    except DomainError as error:
        messages_of = [str(item.message) for item in error.errors] or [str(error.message)]
        form.add_error("sample", messages_of[0])
        return None
    what = data["what"] or guess_what(sample)
    asked = request.POST.get("step", "")
    # Another kind of thing has other fields, so these are guessed anew.
    same = request.POST.get("mapped_what") == what and asked in ("try", "save")
    fields = FieldsForm(
        request.POST if same else None, what=what, sample=sample,
        guessed=_guessed(found, like, what, sample),
    )  # fmt: skip
    context |= {"fields_form": fields, "what": what, "sample": sample}
    if not same or not fields.is_valid():
        return None
    mapping = fields.mapping(data["rows"])
    try:
        rows = preview_mapping(
            connection=found, mapping=mapping, sample=data["sample"], now=timezone.now()
        )
        if asked == "save":
            save_mapping(connection=found, mapping=mapping, actor=acting(request))
            messages.success(request, _("The mapping is saved."))
            return redirect(f"{NAMESPACE}:connection", found.public_id)
    except DomainError as error:
        add_domain_errors(fields, error)
        context["errors"] = True
        return None
    context["preview"] = [_shown(row) for row in rows]
    return None


def _shown(row: PreviewRow) -> tuple[str, str, bool]:
    """Place, what it becomes, and whether it can be taken."""
    errors = [
        f"{item['field'].removeprefix(row.place).strip()}: {item['message']}" for item in row.errors
    ]
    words = errors or [result_words(item) for item in row.results]
    return row.place, " ".join(words) or _("Nothing"), not errors


def _guessed(found: Connection, like: Preset | None, what: str, sample: Sample) -> dict[str, Any]:
    """What the ready mapping says, or was chosen before, as far as the sample has it, else what the
    names tell."""
    if like is not None and like.what == what:
        fields = {name: path for name, path in like.fields.items() if path in sample.fields}
        # A field that is left out in a ready mapping is meant to be.
        named = {} if len(fields) == len(like.fields) else guess(what, sample)
        return {**named, **fields, "keep": list(like.keep), "type": like.activity, **like.fixed}
    if found.mapping.get("what") != what:
        lines = guess_lines(sample)
        return {**guess(what, sample, lines), "lines": lines}
    before, fixed = found.mapping, found.mapping["fixed"]
    lines = before["lines"] if before["lines"] in sample.lists else guess_lines(sample)
    named = guess(what, sample, lines)
    known = {*sample.fields, *sample.lists.get(lines, {})}
    chosen = {
        name: path if path in known else named.get(name, "")
        for name, path in before["fields"].items()
    }
    return {
        **chosen, "lines": lines, "keep": before["keep"], "type": fixed.get("type", ""),
        "fixed_currency": fixed.get("currency", ""), "channel": fixed.get("channel", ""),
        "topic": fixed.get("topic", ""), "always": fixed.get("state", ""),
    }  # fmt: skip


def _begin(found: Connection) -> dict[str, Any]:
    return {
        "sample": latest_payload(found)[:20_000], "what": found.mapping.get("what", ""),
        "rows": found.mapping.get("rows", ""),
    }  # fmt: skip


def _keep_file(found: Connection, file: Any) -> None:
    if not found.mapping:
        raise DomainError(_("Say first what its fields are."))
    content = text_of(file)
    keep_content(
        connection=found, envelope=Envelope("file", digest_of(content.encode())), content=content,
        content_type="", now=timezone.now(),
    )  # fmt: skip


def _mapped(public_id: UUID) -> Connection:
    found = get_connection(public_id)
    if found.kind != Connection.Kind.MAPPED:
        raise Http404("It reads what it knows.")
    return found
