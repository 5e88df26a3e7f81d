"""Posts: which there are, writing them, who reads them, and what becomes of them."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns.backoffice.community_menu import NAMESPACE
from campaigns.backoffice.post_forms import PostForm, PostTextsForm
from campaigns.models import Post
from campaigns.post_markdown import shown_post
from campaigns.post_words import told_post
from campaigns.selectors.forum import the_forum
from campaigns.selectors.posts import counted_posts, get_post, waiting_comments
from campaigns.services.posts import (
    archive_post,
    change_post,
    create_post,
    delete_post,
    publish_post,
    restore_post,
    set_post_picture,
    translate_post,
    unschedule_post,
)
from loyalty.backoffice.links import Crumbs
from loyalty.models import Program
from loyalty.rule_conditions import stored_condition
from members.conditions.sentences import sentence
from members.conditions.tree import ConditionError
from members.errors import DomainError, NotFoundError
from members.forms import errors_on, posted
from members.navigation import Tab
from members.paging import paginate
from members.policy import acting, is_allowed, staff_view
from members.selectors.merchants import get_merchant
from rewards.texts import LANGUAGES, other_languages

EDIT = "community.edit"
ORDERINGS = {"newest": ("-created_at", "-pk")}


@require_safe
@staff_view("programs.view")
def post_list(request: HttpRequest) -> HttpResponse:
    """All of them, newest first."""
    found = counted_posts()
    page = paginate(found, request=request, orderings=ORDERINGS, default="newest")
    context = {
        "title": _("Community"),
        "page": page,
        "tabs": tabs(request, "post_list"),
        "programs": list(Program.objects.exclude(status="archived").order_by("name")),
        "may_edit": is_allowed(request.user, EDIT),
    }
    return render(request, "community/backoffice/post_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(EDIT)
def post_create(request: HttpRequest, code: str) -> HttpResponse:
    """A further draft."""
    program = get_object_or_404(Program, code=code)
    return _edit_page(request, program, None, _("New post"))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(EDIT)
def post_edit(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """It can also be changed while members read it."""
    post = find_post(public_id)
    if post.state == Post.State.ARCHIVED:
        raise Http404("It is put away.")
    return _edit_page(request, post.program, post, _("Change %s") % post.title)


@require_safe
@staff_view("programs.view")
def post(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """As members find it, in each language; who read it, and what may be done."""
    found = get_object_or_404(counted_posts(), public_id=public_id)
    language = request.GET.get("language", "")
    told = told_post(found, language if language in LANGUAGES else "-")
    context = {
        "title": found.title, "post": found, "told": told, "shown": shown_post(told.body),
        "audience": _audience(found), "breadcrumbs": crumbs(), "chosen_language": language,
        "languages": [(code, LANGUAGES[code]) for code in found.texts if code in LANGUAGES],
        "others": other_languages(get_merchant().locale),
        "may_edit": is_allowed(request.user, EDIT), "now": timezone.now(),
    }  # fmt: skip
    return render(request, "community/backoffice/post.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view(EDIT)
def post_texts(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """The post in another language."""
    found, language = find_post(public_id), request.GET.get("language", "")
    if language not in LANGUAGES:
        raise Http404("There is no such language.")
    form = PostTextsForm(posted(request), post=found, language=language)
    if form.is_valid():
        with errors_on(form):
            translate_post(post=found, language=language, texts=form.texts(), actor=acting(request))
            messages.success(request, _("The texts were saved."))
            return redirect(f"{post_url(found)}?language={language}")
    context = {
        "title": _("%(post)s in another language: %(language)s")
        % {"post": found.title, "language": LANGUAGES[language]},
        "form": form, "back": post_url(found), "breadcrumbs": crumbs(found), "post": found,
    }  # fmt: skip
    status = 422 if form.errors else 200
    return render(request, "community/backoffice/post_texts.html", context, status=status)


@require_POST
@staff_view(EDIT)
def post_act(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Publish it, put it away, show it again, or throw a draft away."""
    found, actor, now = find_post(public_id), acting(request), timezone.now()
    try:
        match request.POST.get("act"):
            case "publish":
                done = publish_post(post=found, actor=actor, now=now)
                later = done.state == Post.State.SCHEDULED
                words = _("It appears at its time.") if later else _("Members can read it.")
                messages.success(request, words)
            case "unschedule":
                unschedule_post(post=found, actor=actor)
                messages.success(request, _("It is a draft again."))
            case "archive":
                archive_post(post=found, actor=actor, now=now)
                messages.success(request, _("Members find it no more."))
            case "restore":
                restore_post(post=found, actor=actor)
                messages.success(request, _("Members can read it."))
            case "delete":
                delete_post(post=found, actor=actor)
                messages.success(request, _("%s was deleted.") % found.title)
                return redirect(f"{NAMESPACE}:post_list")
            case _:
                raise Http404("There is no such thing to do.")
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect(post_url(found))


def find_post(public_id: uuid.UUID) -> Post:
    try:
        return get_post(public_id)
    except NotFoundError as error:
        raise Http404("There is no such post.") from error


def post_url(found: Post) -> str:
    return reverse(f"{NAMESPACE}:post", args=[found.public_id])


def crumbs(found: Post | None = None) -> Crumbs:
    start = [(_("Community"), reverse(f"{NAMESPACE}:post_list"))]
    return [*start, (found.title, post_url(found))] if found else start


def tabs(request: HttpRequest, current: str) -> list[Tab]:
    """The views of the community; the forum is for those who look after connections."""
    waiting = waiting_comments()
    named: list[tuple[str, str, int | None]] = [
        (_("Posts"), "post_list", None), (_("Comments"), "comment_list", waiting or None),
    ]  # fmt: skip
    if is_allowed(request.user, "connections.manage") or the_forum() is not None:
        named.append((_("Forum"), "forum", None))
    return [
        Tab(label, reverse(f"{NAMESPACE}:{name}"), current=name == current, count=count)
        for label, name, count in named
    ]


def _edit_page(
    request: HttpRequest, program: Program, found: Post | None, title: str
) -> HttpResponse:
    form = PostForm(posted(request), request.FILES or None, program=program, post=found)
    if form.is_valid():
        saved: Post | None = None
        with errors_on(form), transaction.atomic():
            saved = _save(form, program, found, request)
        if saved is not None:
            messages.success(request, _("The post was saved."))
            return redirect(post_url(saved))
    context: dict[str, Any] = {
        "title": title, "program": program, "post": found, "form": form,
        "back": post_url(found) if found else reverse(f"{NAMESPACE}:post_list"),
        "breadcrumbs": crumbs(found),
    }  # fmt: skip
    status = 422 if form.errors else 200
    return render(request, "community/backoffice/post_form.html", context, status=status)


def _save(form: PostForm, program: Program, found: Post | None, request: HttpRequest) -> Post:
    actor = acting(request)
    if found is None:
        saved = create_post(program=program, terms=form.terms(), actor=actor)
    else:
        saved = change_post(post=found, terms=form.terms(), actor=actor)
    upload = form.cleaned_data["picture"]
    if upload or form.cleaned_data.get("no_picture"):
        saved = set_post_picture(post=saved, upload=upload or None, actor=actor)
    return saved


def _audience(found: Post) -> str:
    """Who may read it, in a sentence."""
    try:
        condition = stored_condition(found.when)
    except ConditionError:
        return _("Nobody: what its condition names is not there any more.")
    return sentence(condition.root) if condition else _("Every member.")
