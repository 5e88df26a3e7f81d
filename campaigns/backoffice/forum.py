"""The forum: how it is reached, whether it works, and what it still has to be told."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns.backoffice.community_menu import NAMESPACE
from campaigns.backoffice.posts import crumbs, tabs
from campaigns.models import Forum, ForumTask
from campaigns.selectors.forum import forum_figures, the_forum, unfinished_tasks
from campaigns.services.forum import ForumTerms, save_forum, test_forum
from campaigns.services.forum_tasks import try_again
from loyalty.models import Program
from loyalty.selectors.tier_sets import tier_set_at
from members.forms import errors_on, posted
from members.policy import acting, is_allowed, staff_view

ACTION = "connections.manage"
SHOWN_TASKS = 50


class ForumForm(forms.Form):
    """Where it is, what both know, and which group each tier is in there."""

    program = forms.ModelChoiceField(
        Program.objects.none(), label=_l("Members of"), to_field_name="code", empty_label=None,
        help_text=_l("Whoever takes part in it can sign in. Groups follow its tiers."),
    )  # fmt: skip
    url = forms.CharField(
        label=_l("Address of the forum"), max_length=300,
        help_text=_l("As https://forum.example. Nobody is sent anywhere else."),
    )  # fmt: skip
    secret = forms.CharField(
        label=_l("DiscourseConnect secret"), max_length=200, required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_l("The same as in the forum's “discourse connect secret”. Empty: as it is; of"
                     " another address it is written anew."),
    )  # fmt: skip
    api_key = forms.CharField(
        label=_l("API key of the forum"), max_length=200, required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_l("For new tiers, signing out and forgetting. Empty: as it is; of another"
                     " address it is written anew."),
    )  # fmt: skip
    api_user = forms.CharField(label=_l("User of the key"), max_length=60, initial="system")
    is_on = forms.BooleanField(label=_l("Members can sign in there"), required=False)

    def __init__(self, data: Any = None, *, forum: Forum | None) -> None:
        super().__init__(data, initial=_initial(forum) if forum else {})
        choice = self.fields["program"]
        assert isinstance(choice, forms.ModelChoiceField)
        choice.queryset = Program.objects.exclude(status="archived").order_by("name")
        self.tiers = _tiers(forum.program if forum else choice.queryset.first())
        for code, name in self.tiers:
            self.fields[f"group_{code}"] = forms.CharField(
                label=_("Group of %s") % name, max_length=60, required=False
            )

    @property
    def group_fields(self) -> list[forms.BoundField]:
        return [self[f"group_{code}"] for code, _name in self.tiers]

    def terms(self) -> ForumTerms:
        data = self.cleaned_data
        plain = ("program", "url", "is_on", "secret", "api_key", "api_user")
        groups = {
            code: data[f"group_{code}"] for code, _name in self.tiers if data[f"group_{code}"]
        }
        return ForumTerms(**{name: data[name] for name in plain}, groups=groups)


def _tiers(program: Program | None) -> list[tuple[str, str]]:
    tier_set = tier_set_at(program, timezone.now()) if program else None
    return [(tier.code, tier.name) for tier in tier_set.tiers.all()] if tier_set else []


def _initial(forum: Forum) -> dict[str, Any]:
    groups = {f"group_{tier}": group for tier, group in forum.groups.items()}
    return groups | {
        "program": forum.program.code, "url": forum.url, "api_user": forum.api_user,
        "is_on": forum.is_on,
    }  # fmt: skip


@require_safe
@staff_view("programs.view")
def forum(request: HttpRequest) -> HttpResponse:
    """How it is, who is in it, what it was not told yet, and what to enter there."""
    found = the_forum()
    names = dict(_tiers(found.program)) if found else {}
    context = {
        "title": _("Forum"), "forum": found, "tabs": tabs(request, "forum"),
        "figures": forum_figures(), "tasks": list(unfinished_tasks()[:SHOWN_TASKS]),
        "groups": [(names.get(code, code), group) for code, group in found.groups.items()]
        if found else [],
        "sign_in_url": settings.SITE_URL.rstrip("/") + reverse("community:sign_in"),
        "sign_out_url": settings.SITE_URL.rstrip("/") + reverse("community:sign_out"),
        "may_edit": is_allowed(request.user, ACTION),
        "has_key": bool(found and found.api_key),
    }  # fmt: skip
    return render(request, "community/backoffice/forum.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(ACTION)
def forum_edit(request: HttpRequest) -> HttpResponse:
    """Set it up, or change it. Secrets are never shown again."""
    form = ForumForm(posted(request), forum=the_forum())
    back = reverse(f"{NAMESPACE}:forum")
    if form.is_valid():
        with errors_on(form):
            save_forum(terms=form.terms(), actor=acting(request))
            messages.success(request, _("The forum was saved. Test it now."))
            return redirect(back)
    context = {
        "title": _("Set up the forum"), "form": form, "back": back,
        "breadcrumbs": [*crumbs(), (_("Forum"), back)],
    }  # fmt: skip
    status = 422 if form.errors else 200
    return render(request, "community/backoffice/forum_form.html", context, status=status)


@require_POST
@staff_view(ACTION)
def forum_act(request: HttpRequest) -> HttpResponse:
    """Test it, or have it told something again."""
    found, actor, now = the_forum(), acting(request), timezone.now()
    if found is None:
        raise Http404("There is no forum.")
    match request.POST.get("act"):
        case "test":
            tested = test_forum(forum=found, actor=actor, now=now)
            if tested.test_problem:
                messages.error(request, tested.test_problem)
            else:
                messages.success(request, _("All is well: address, secret, key and groups."))
        case "again":
            wanted = request.POST.get("task", "")
            task = get_object_or_404(ForumTask, pk=int(wanted) if wanted.isdecimal() else 0)
            try_again(task=task, actor=actor, now=now)
            messages.success(request, _("The forum is told again within a minute."))
        case _:
            raise Http404("There is no such thing to do.")
    return redirect(f"{NAMESPACE}:forum")
