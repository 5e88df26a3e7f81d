"""The library: what members may read, hear or watch, and who does."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_http_methods, require_safe

from loyalty.backoffice.links import Crumbs, program_crumbs
from loyalty.backoffice.program_fields import optional, plain
from loyalty.models import Program
from loyalty.plain_numbers import whole
from loyalty.rule_conditions import OCCASION_SCOPES
from loyalty.selectors.wallet_types import earned_types
from members.backoffice.condition_builder import ConditionField
from members.forms import errors_on, posted
from members.free_codes import first_free
from members.policy import acting, is_allowed, staff_view
from rewards.backoffice.links import NAMESPACE
from rewards.backoffice.sale_choices import sale_choices
from rewards.models import AccessWindow, ContentItem
from rewards.selectors.content import content_items, content_of
from rewards.services.content import ContentTerms, change_content, create_content


class ContentForm(forms.Form):
    """A file or a link, and who may have it."""

    title = forms.CharField(label=_l("Title"), max_length=120)
    summary = forms.CharField(label=_l("In a sentence"), max_length=300, required=False)
    status = forms.ChoiceField(
        label=_l("State"), choices=ContentItem.Status.choices, initial="draft",
        help_text=_l("Members see what is live. Whoever took it keeps what is archived."),
    )  # fmt: skip
    file = forms.FileField(
        label=_l("File"), required=False, help_text=_l("At most 50 MB. Members download it.")
    )
    link = forms.URLField(
        label=_l("Or a link"), max_length=500, required=False, assume_scheme="https",
        help_text=_l("As to a film. Only who may have it is led there."),
    )  # fmt: skip
    when = ConditionField(
        scopes=OCCASION_SCOPES, label=_l("Who may have it"), everything=_l("Every member."),
    )  # fmt: skip
    window = forms.ChoiceField(
        label=_l("Comes with a sale"), required=False,
        help_text=_l("When it opens for a member, by tier or segment, until it closes."),
    )  # fmt: skip
    wallet_type = forms.ChoiceField(label=_l("Taken for"))
    price = optional(_l("Price"), _l("In whole units. Empty: whoever may have it just has it."))

    def __init__(
        self, data: Any, files: Any, *, program: Program, item: ContentItem | None
    ) -> None:
        self.program, self.item = program, item
        super().__init__(data, files, initial=_initial(item) if item else {})
        sales = self.fields["window"]
        assert isinstance(sales, forms.ChoiceField)
        sales.choices = sale_choices(program, _sale_of(item))
        units = earned_types(program)
        choice = self.fields["wallet_type"]
        assert isinstance(choice, forms.ChoiceField)
        choice.choices = [(unit.code, unit.plural) for unit in units]
        if item is not None or len(units) == 1:
            del self.fields["wallet_type"]

    def terms(self) -> ContentTerms:
        data = self.cleaned_data
        first = self.program.wallet_types.order_by("pk").first()
        return ContentTerms(
            title=data["title"], summary=data["summary"], link=data["link"],
            when=data["when"] or {}, price=data["price"], status=data["status"],
            window=data["window"],
            wallet_type=data.get("wallet_type") or (first.code if first else ""),
        )  # fmt: skip


def _sale_of(item: ContentItem | None) -> AccessWindow | None:
    if item is None:
        return None
    return item.reward.window if item.reward else item.window


def _initial(item: ContentItem) -> dict[str, Any]:
    reward = item.reward
    price = None
    if reward is not None:
        price = plain(whole(reward.price, reward.wallet_type))
    window = _sale_of(item)
    return {
        "title": item.title, "summary": item.summary, "status": item.status, "link": item.link,
        "when": item.when, "price": price, "window": window.code if window else "",
    }  # fmt: skip


@require_safe
@staff_view("programs.view")
def content_list(request: HttpRequest, code: str) -> HttpResponse:
    """All of it, with how many fetched each."""
    program = get_object_or_404(Program, code=code)
    context = {
        "program": program,
        "title": _("Library"),
        "breadcrumbs": program_crumbs(program),
        "items": list(content_of(program)),
        "may_edit": is_allowed(request.user, "programs.edit"),
    }
    return render(request, "rewards/content/content_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def content_create(request: HttpRequest, code: str) -> HttpResponse:
    """A further item."""
    program = get_object_or_404(Program, code=code)
    return _form_page(request, program, None, _("New item"))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def content_edit(request: HttpRequest, code: str, item_code: str) -> HttpResponse:
    """Another file, other terms; whoever took it keeps it."""
    item = get_object_or_404(content_items(), program__code=code, code=item_code)
    return _form_page(request, item.program, item, _("Change %s") % item.title)


def _form_page(
    request: HttpRequest, program: Program, item: ContentItem | None, title: str
) -> HttpResponse:
    form = ContentForm(posted(request), request.FILES or None, program=program, item=item)
    back = reverse(f"{NAMESPACE}:content_list", args=[program.code])
    if form.is_valid():
        with errors_on(form):
            file, actor = form.cleaned_data["file"], acting(request)
            if item is None:
                taken = set(program.content.values_list("code", flat=True))
                fresh = first_free(slugify(form.cleaned_data["title"])[:50] or "item", taken)
                create_content(
                    program=program, code=fresh, terms=form.terms(), file=file, actor=actor
                )
            else:
                change_content(item=item, terms=form.terms(), file=file, actor=actor)
            messages.success(request, _("%s was saved.") % form.cleaned_data["title"])
            return redirect(back)
    crumbs: Crumbs = [*program_crumbs(program), (_("Library"), back)]
    context = {
        "title": title, "program": program, "form": form, "item": item, "back": back,
        "breadcrumbs": crumbs,
    }  # fmt: skip
    status = 422 if form.errors else 200
    return render(request, "rewards/content/content_form.html", context, status=status)
