"""What a friend sees who opens a link: who invites them, what they get, how they join. And the page
of an affiliate."""

from __future__ import annotations

from typing import Any

from allauth.core import ratelimit
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from campaigns.models import ReferralLink
from campaigns.referral_definitions import definition_of
from campaigns.referral_traces import note_traces, place_of
from campaigns.referral_words import friend_sentences, told_referrals
from campaigns.selectors.referrals import advocate_of, brings, live_terms, visits_of
from campaigns.services.affiliates import find_affiliate, report_of
from campaigns.services.referral_links import DETAIL, address_of, find_link, note_ask, note_visit
from loyalty.account.joining import JoinForm
from loyalty.account.joining_elsewhere import how_they_join, join_and_sign_in
from loyalty.card_numbers import qr_code
from loyalty.models import Membership, Program
from loyalty.services.join_requests import request_to_join
from loyalty.services.joining import join_program
from members.account.proofs import proof_for
from members.consent_forms import ConsentForm, details_of
from members.forms import errors_on, posted
from members.models import Customer, User
from members.selectors.merges import current
from members.services.audit import Actor
from members.services.social_sign_in import Proof
from members.told_consents import JOIN, ConsentsTold, keep_consents


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invited(request: HttpRequest, code: str) -> HttpResponse:
    """The invitation; joining is as on the program's own page, and says by whom."""
    link = find_link(code)
    if link is None or link.referral_program.program.status != Program.Status.LIVE:
        raise Http404("There is no such invitation.")
    program = link.referral_program.program
    terms = live_terms(program)
    if terms is None or not program.joinable or not brings(link):
        return redirect("programs:program", program.code)
    now, place, customer = timezone.now(), place_of(request), _customer(request)
    if request.method == "POST" and customer is not None:
        note_traces(customer, {"device": place.device, "network": place.network}, now)
        return _join(request, link, customer)
    if request.method == "POST" and (proof := proof_for(request)) is not None:
        return _join_by_proof(request, link, proof)
    if request.method == "GET":
        note_visit(link, place, now)
    form = JoinForm(posted(request))
    if form.is_bound and form.is_valid() and _ask(request, link, form):
        context = {"program": program, "email": form.cleaned_data["email"]}
        return render(request, "programs/sent.html", context)
    definition, advocate = definition_of(terms), advocate_of(link)
    context = {
        "program": program, "form": form, "told": told_referrals(definition, program),
        "who": advocate.customer.given_name if advocate else str(link.affiliate),
        "sentences": friend_sentences(definition, program),
        "member": _member(program, customer), "customer": customer,
        "proof": proof_for(request) if customer is None else None,
        "asked": ConsentForm(asked_of=details_of(customer) if customer else ["email"]),
    }  # fmt: skip
    status = 422 if form.is_bound else 200
    return render(request, "referrals/invited.html", context, status=status)


@never_cache
@require_safe
def affiliate(request: HttpRequest, token: str) -> HttpResponse:
    """Of somebody who brings customers for money: their link, and what they are due."""
    found = find_affiliate(token)
    if found is None:
        raise Http404("There is no such page.")
    address = address_of(found.link)
    context: dict[str, Any] = {
        "affiliate": found, "program": found.referral_program.program, "address": address,
        "qr": qr_code(address), "months": report_of(found),
        "visits": visits_of(found.link), "friends": found.link.referrals.count(),
        "bought": found.link.referrals.filter(order__isnull=False).count(),
    }  # fmt: skip
    return render(request, "referrals/affiliate.html", context)


def _customer(request: HttpRequest) -> Customer | None:
    if not isinstance(request.user, User):
        return None
    own = Customer.objects.filter(user=request.user).select_related("merged_into").first()
    return current(own) if own else None


def _member(program: Program, customer: Customer | None) -> Membership | None:
    if customer is None:
        return None
    members = Membership.objects.filter(program=program, customer=customer)
    return members.exclude(status=Membership.Status.LEFT).first()


def _join(request: HttpRequest, link: ReferralLink, customer: Customer) -> HttpResponse:
    assert isinstance(request.user, User)
    program = link.referral_program.program
    now, actor = timezone.now(), Actor.of_user(request.user)
    asked = ConsentForm(request.POST, asked_of=details_of(customer))
    with transaction.atomic():
        joined = join_program(
            customer=customer, program=program, **how_they_join(request, f"{DETAIL}{link.code}"),
            at=now, actor=actor,
        )  # fmt: skip
        if asked.is_valid():
            keep_consents(ConsentsTold(customer, asked.said(), JOIN, actor, now))
    if joined.membership is not None:
        return redirect("mypage:home_of", joined.membership.public_id)
    return redirect("programs:program", program.code)


def _join_by_proof(request: HttpRequest, link: ReferralLink, proof: Proof) -> HttpResponse:
    place, program = place_of(request), link.referral_program.program

    def note(customer: Customer) -> None:
        traces = {"device": place.device, "network": place.network}
        note_traces(customer, traces, timezone.now())

    asked = ConsentForm(request.POST, asked_of=["email"])
    return join_and_sign_in(
        request, program, proof, f"{DETAIL}{link.code}", noting=note,
        said=asked.said() if asked.is_valid() else (),
    )  # fmt: skip


def _ask(request: HttpRequest, link: ReferralLink, form: JoinForm) -> bool:
    """Have the mail sent; False where the form says what is wrong now."""
    if not ratelimit.consume(request, action="join"):
        form.add_error(None, _("That was a lot at once. Please wait a minute and try again."))
        return False
    now = timezone.now()
    with errors_on(form):
        request_to_join(
            program=link.referral_program.program,
            **{name: form.cleaned_data[name] for name in JoinForm.base_fields},
            detail=f"{DETAIL}{link.code}", locale=translation.get_language() or "", now=now,
            said=form.said(),
        )  # fmt: skip
        note_ask(link, form.cleaned_data["email"], place_of(request), now)
    return not form.errors
