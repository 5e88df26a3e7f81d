"""The members' way to the forum: agreeing that it is told who they are, signing in there, and
signing out."""

from __future__ import annotations

import hashlib
import uuid

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.signals import user_logged_out
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.dispatch import receiver
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from campaigns.discourse import RequestRefusedError, SignInRequest, read_request
from campaigns.models import CommunityName, Forum
from campaigns.selectors.forum import forum_member_of, open_forum
from campaigns.services.community_names import choose_name
from campaigns.services.forum_members import agree, is_welcome, sign_in, take_back
from campaigns.services.forum_tasks import signed_out
from loyalty.account.chosen import choose_membership
from loyalty.account.pages import render_page
from loyalty.models import Membership
from loyalty.selectors.memberships import list_memberships
from members.account.access import CustomerRequest, customer_view
from members.api.throttling import take
from members.errors import DomainError
from members.kept_secrets import revealed
from members.models import Customer, User
from members.services.audit import Actor

# Came here by a form, which may lead nowhere else: the page has a link, and follows it by itself.
AFTER_FORM = "entered"
WORDS = {
    "malformed": gettext_lazy("This link is not one of the forum."),
    "bad_signature": gettext_lazy("This link is not one of the forum."),
    "foreign_return": gettext_lazy("This link does not lead to the forum."),
}


@require_http_methods(["GET", "HEAD", "POST"])
@customer_view
def forum(request: CustomerRequest, public_id: uuid.UUID) -> HttpResponse:
    """What the forum is told, agreeing to it, and taking that back."""
    chosen = choose_membership(request, public_id)
    assert chosen is not None  # somebody else's, or none, is 404 already
    member, found = chosen.membership, open_forum()
    if found is None or found.program_id != member.program_id:
        raise Http404("This program has no forum.")
    problem = ""
    if request.method == "POST":
        try:
            _decide(request, member)
            return HttpResponseRedirect(request.path)
        except DomainError as error:
            problem = str(error.message)
    context = {
        "title": _("Forum"), "forum": found, "agreed": forum_member_of(member),
        "name": CommunityName.objects.filter(membership=member).first(), "problem": problem,
        "asked_name": request.POST.get("name", "") or _known_name(member),
        "email": request.customer.email,
        "breadcrumbs": [
            (_("Community"), reverse("community_account:community_of", args=[member.public_id]))
        ],
    }  # fmt: skip
    status = 422 if problem else 200
    return render_page(request, "community/account/forum.html", chosen, context, status=status)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def forum_sign_in(request: HttpRequest) -> HttpResponse:
    """What a forum sends somebody to. Nobody is asked to sign in here by a link that is not its
    own."""
    found = open_forum()
    if found is None:
        return _refused(request, _("There is no forum here."), 404)
    if not _counted(request):
        return _refused(request, _("Please try again in a minute."), 429)
    try:
        asked = read_request(
            found.url, revealed(found.secret), request.GET.get("sso", ""),
            request.GET.get("sig", ""),
        )  # fmt: skip
    except RequestRefusedError as error:
        return _refused(request, str(WORDS[error.code]), 403)
    if not request.user.is_authenticated:
        query = request.GET.copy()
        query[AFTER_FORM] = "1"
        onwards = f"{request.path}?{query.urlencode()}"
        return redirect_to_login(onwards, reverse("account_request_login_code"))
    return _enter(request, forum=found, asked=asked)


@require_safe
def forum_sign_out(request: HttpRequest) -> HttpResponse:
    """Where the forum leads who has signed out there: here they are asked whether here as well."""
    if request.user.is_authenticated:
        return redirect("account_logout")
    return redirect("members:landing")


@receiver(user_logged_out)
def sign_out_there(user: User | None, **_details: object) -> None:
    """Who signs out here is signed out there."""
    customer = Customer.objects.filter(user=user).first() if isinstance(user, User) else None
    if customer is not None:
        signed_out(customer.merged_into_id or customer.pk, timezone.now())


@customer_view
def _enter(request: CustomerRequest, *, forum: Forum, asked: SignInRequest) -> HttpResponse:
    """Somebody is signed in here: on to the forum, once they agreed."""
    member = next(
        (
            item for item in list_memberships(request.customer)
            if item.program_id == forum.program_id and is_welcome(item)
        ),
        None,
    )  # fmt: skip
    if member is None:
        words = _("The forum is for members of %s.") % forum.program.name
        return _refused(request, words, 403)
    problem = ""
    if request.method == "POST":
        try:
            _decide(request, member)
        except DomainError as error:
            problem = str(error.message)
    if forum_member_of(member) is None:
        return _ask(request, forum, member, problem)
    try:
        onwards = sign_in(forum=forum, request=asked, membership=member, now=timezone.now())
    except DomainError as error:
        return _refused(request, str(error.message), 403)
    if request.method == "POST" or AFTER_FORM in request.GET:
        return render(request, "community/public/onwards.html", {
            "title": _("On to the forum"), "onwards": onwards,
        })  # fmt: skip
    return HttpResponseRedirect(onwards)


def _ask(request: CustomerRequest, found: Forum, member: Membership, problem: str) -> HttpResponse:
    context = {
        "title": _("Go to the forum?"), "forum": found, "email": request.customer.email,
        "problem": problem, "member": member,
        "asked_name": request.POST.get("name", "") or _known_name(member),
    }  # fmt: skip
    status = 422 if problem else 200
    return render(request, "community/public/agree.html", context, status=status)


def _decide(request: CustomerRequest, member: Membership) -> None:
    """As they said on the form: a name, and yes or no."""
    actor, now = Actor.of_user(request.user), timezone.now()
    if request.POST.get("act") == "leave":
        take_back(membership=member, actor=actor, now=now)
        messages.success(request, _("You have left the forum."))
        return
    if request.POST.get("agree") != "on":
        raise DomainError(_("Say that you agree, or stay here."))
    if name := request.POST.get("name", "").strip():
        choose_name(membership=member, name=name, now=now)
    elif not CommunityName.objects.filter(membership=member).exists():
        raise DomainError(_("Choose the name that others read."))
    agree(membership=member, actor=actor, now=now)


def _known_name(member: Membership) -> str:
    known = CommunityName.objects.filter(membership=member).first()
    return known.name if known else ""


def _counted(request: HttpRequest) -> bool:
    try:
        address = get_adapter().get_client_ip(request)
    except PermissionDenied:
        address = ""  # whoever cannot be told apart is counted together
    name = hashlib.sha256(address.encode()).hexdigest()[:16]
    allowance = take(f"forum:{name}", settings.PUBLIC_REQUESTS_PER_MINUTE)
    return allowance is None or allowance.granted


def _refused(request: HttpRequest, words: str, status: int) -> HttpResponse:
    context = {"title": _("This does not lead to the forum"), "text": words}
    return render(request, "surveys/public/outcome.html", context, status=status)
