"""A program's public page, and joining from it: what customers see first, without any account."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from allauth.core import ratelimit
from django import forms
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from loyalty.account.joined_words import joined_words
from loyalty.account.joining_elsewhere import how_they_join, join_and_sign_in
from loyalty.models import Candidate, Membership, Program
from loyalty.selectors.admissions import Admission, admissions
from loyalty.selectors.launches import founding_offer, get_launch
from loyalty.selectors.program_terms import terms_of
from loyalty.services.invitations import accept_invitation, decline_invitation, find_invitation
from loyalty.services.join_requests import confirm_request, find_request, request_to_join
from loyalty.services.joining import Joined, join_program
from members.account.access import signed_in_customer
from members.account.proofs import proof_for
from members.consent_forms import ConsentForm, details_of
from members.errors import DomainError
from members.forms import errors_on, posted
from members.models import Customer, User
from members.services.audit import SYSTEM, Actor
from members.told_consents import JOIN, ConsentsTold, keep_consents

# The parameter of the address that says which leaflet, poster or post the link was on.
CAMPAIGN = "c"
NOBODY = 0


class JoinForm(ConsentForm):
    """Who wants to join, without an account."""

    asked_of = ("email",)

    email = forms.EmailField(
        label=gettext_lazy("E-mail"), max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "inputmode": "email"}),
    )  # fmt: skip
    given_name = forms.CharField(
        label=gettext_lazy("First name"), max_length=100, required=False,
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
    )  # fmt: skip
    family_name = forms.CharField(
        label=gettext_lazy("Last name"), max_length=100, required=False,
        widget=forms.TextInput(attrs={"autocomplete": "family-name"}),
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def program(request: HttpRequest, code: str) -> HttpResponse:
    """What the program is worth to a customer, read off its live rules, and how to join."""
    found = _live(code)
    customer = signed_in_customer(request)
    if request.method == "POST" and customer is not None and found.joinable:
        return _join(request, found, customer)
    if request.method == "POST" and (proof := proof_for(request)) is not None:
        asked = ConsentForm(request.POST, asked_of=["email"])
        return join_and_sign_in(
            request, found, proof, _campaign(request), said=asked.said() if asked.is_valid() else ()
        )
    form = JoinForm(posted(request))
    if form.is_bound and form.is_valid():
        answer = _ask(request, found, form)
        if answer is not None:
            return answer
    return _page(request, found, customer, form)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def join_confirm(request: HttpRequest, code: str, token: str) -> HttpResponse:
    """Where the link of the mail leads: a button, since mail programs open links by themselves."""
    found = _live(code)
    asked = find_request(found, token, timezone.now())
    if asked is None:
        return _outcome(request, found, "gone", status=404)
    if request.method == "POST":
        try:
            member = confirm_request(request=asked, now=timezone.now()).membership
        except DomainError:
            return _outcome(request, found, "closed", status=409)
        words = joined_words(member, asked.source_detail, timezone.now()) if member else ()
        return _outcome(request, found, "joined" if member else "waiting", words=words)
    context = {"program": found, "email": asked.email}
    return render(request, "programs/confirm.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def invitation(request: HttpRequest, code: str, token: str) -> HttpResponse:
    """An invitation of one's own: what it is about, and yes or no."""
    found = _live(code)
    now = timezone.now()
    candidate = find_invitation(found, token, now)
    if candidate is None:
        return _outcome(request, found, "invitation_gone", status=404)
    if request.method == "POST":
        if request.POST.get("answer") == "decline":
            decline_invitation(candidate=candidate, actor=SYSTEM, now=now)
            return _outcome(request, found, "declined")
        accept_invitation(candidate=candidate, actor=SYSTEM, now=now)
        return _outcome(request, found, "joined")
    return _page(request, found, None, None, candidate=candidate)


def _live(code: str) -> Program:
    return get_object_or_404(Program, code=code, status=Program.Status.LIVE)


def _campaign(request: HttpRequest) -> str:
    return request.GET.get(CAMPAIGN, "").replace("\x00", "")[:64]


def _join(request: HttpRequest, found: Program, customer: Customer) -> HttpResponse:
    assert isinstance(request.user, User)
    now, actor = timezone.now(), Actor.of_user(request.user)
    asked = ConsentForm(request.POST, asked_of=details_of(customer))
    with transaction.atomic():
        joined: Joined = join_program(
            customer=customer, program=found, **how_they_join(request, _campaign(request)),
            at=now, actor=actor,
        )  # fmt: skip
        if asked.is_valid():
            keep_consents(ConsentsTold(customer, asked.said(), JOIN, actor, now))
    if joined.membership is not None:
        return redirect("mypage:home_of", joined.membership.public_id)
    return _outcome(request, found, "waiting")


def _ask(request: HttpRequest, found: Program, form: JoinForm) -> HttpResponse | None:
    """Have the mail sent; None when the form now says what is wrong."""
    if not ratelimit.consume(request, action="join"):
        form.add_error(None, _("That was a lot at once. Please wait a minute and try again."))
        return None
    with errors_on(form):
        request_to_join(
            program=found,
            **{name: form.cleaned_data[name] for name in JoinForm.base_fields},
            detail=_campaign(request),
            locale=translation.get_language() or "",
            said=form.said(),
            now=timezone.now(),
        )
    if form.errors:
        return None
    context = {"program": found, "email": form.cleaned_data["email"]}
    return render(request, "programs/sent.html", context)


def _page(
    request: HttpRequest,
    found: Program,
    customer: Customer | None,
    form: JoinForm | None,
    *,
    candidate: Candidate | None = None,
) -> HttpResponse:
    now = timezone.now()
    admission = _admission(found, customer)
    offer = founding_offer(found)
    with timezone.override(found.zone):
        terms = terms_of(found, now, reader=customer)
        context: dict[str, Any] = {
            "program": found,
            "terms": terms,
            "own_rules": [rule for rule in terms.rules if not rule.of_tier],
            "founding": offer if offer and offer.is_open(now) else None,
            "form": form,
            "customer": customer,
            "asked": ConsentForm(asked_of=details_of(customer) if customer else ["email"]),
            "proof": proof_for(request) if customer is None else None,
            "member": _membership(found, customer),
            "candidate": candidate,
            "waits": admission.state == Candidate.State.WAITING,
            "admitted": admission.may_join,
            "opens_at": _opens_at(found) if not admission.may_join else None,
        }
        status = 422 if form is not None and form.is_bound else 200
        return render(request, "programs/program.html", context, status=status)


def _admission(found: Program, customer: Customer | None) -> Admission:
    """Of a stranger as of somebody who is in no list."""
    key = customer.pk if customer else NOBODY
    return admissions(program_id=found.pk, moments={key: timezone.now()})[key]


def _membership(found: Program, customer: Customer | None) -> Membership | None:
    if customer is None:
        return None
    members = Membership.objects.filter(program=found, customer=customer)
    return members.exclude(status=Membership.Status.LEFT).first()


def _opens_at(found: Program) -> Any:
    """When everyone may join; None while the launch is stopped."""
    launch = get_launch(found)
    if launch is None or launch.stopped_at is not None:
        return None
    return launch.phases.filter(kind="everyone").values_list("starts_at", flat=True).first()


def _outcome(
    request: HttpRequest, found: Program, outcome: str, *, status: int = 200,
    words: Sequence[str] = (),
) -> HttpResponse:  # fmt: skip
    """How it ended, in a page of its own. `words`: what somebody has joined for."""
    context = {
        "program": found,
        "outcome": outcome,
        "words": words,
        "sign_in_url": reverse("account_request_login_code"),
        "program_url": reverse("programs:program", args=[found.code]),
    }
    return render(request, "programs/outcome.html", context, status=status)
