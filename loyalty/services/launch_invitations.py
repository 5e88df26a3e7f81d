"""The mails of a launch: invitations to those whom a phase takes in, and word to those who waited.

Who may join does not depend on it; a phase begins at its moment, also when no mail goes out.
"""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.models import Candidate, Program
from loyalty.selectors.launch_work import programs_with_work, to_invite, to_let_in
from loyalty.services.invitations import invite_customer
from loyalty.services.joining import join_program
from members.formatting import format_number
from members.jobs import Work
from members.languages import language_of
from members.models import Job
from members.selectors.merchants import get_merchant
from members.services.audit import SYSTEM
from members.services.job_runs import Step, run_in_chunks
from members.services.mail import queue_mail

KIND = "launch_invitations"
PIECE = 100


def find_invitations(now: dt.datetime) -> Work | None:
    """Whether a phase has anybody to write to; nothing, at most times."""
    if not programs_with_work(now):
        return None
    return Work(_("Invitations of a launch"), params={"now": now.isoformat()})


def run_invitations(job_id: int) -> Job | None:
    """Write to them; None when another run has it."""
    return run_in_chunks(job_id, _write_piece)


def invitation_words(job: Job) -> str:
    invited, let_in = job.result.get("invited", 0), job.result.get("let_in", 0)
    words = [
        ngettext("%s invited", "%s invited", invited) % format_number(invited),
        ngettext("%s let in from the waiting list", "%s let in from the waiting list", let_in)
        % format_number(let_in),
    ]
    return ", ".join(words)


def _write_piece(job: Job) -> Step | None:
    now = dt.datetime.fromisoformat(job.params["now"])
    programs = programs_with_work(now)
    if not programs:
        return None
    let_in, invited = write_to_some(programs[0], now)
    return Step(
        checkpoint={},
        done=job.done + let_in + invited,
        result={
            "invited": job.result.get("invited", 0) + invited,
            "let_in": job.result.get("let_in", 0) + let_in,
        },
    )


def write_to_some(program: Program, now: dt.datetime) -> tuple[int, int]:
    """Let in and invite up to a piece of them. Returns how many of each."""
    waiting = list(to_let_in(program, now)[:PIECE])
    for candidate in waiting:
        _let_in(candidate, now)
    invited = list(to_invite(program, now)[: PIECE - len(waiting)])
    for customer in invited:
        invite_customer(customer=customer, program=program, actor=SYSTEM, now=now)
    return len(waiting), len(invited)


def _let_in(candidate: Candidate, now: dt.datetime) -> None:
    """They had asked, so nothing more is asked of them."""
    program, customer, merchant = candidate.program, candidate.customer, get_merchant()
    joined = join_program(
        customer=customer, program=program, source=candidate.source,
        detail=candidate.source_detail, at=now, actor=SYSTEM,
    )  # fmt: skip
    if joined.membership is None or not customer.email:
        return
    context = {
        "merchant": merchant,
        "program": program,
        "customer": customer,
        "card_number": joined.membership.card_number,
        "url": settings.SITE_URL + reverse("mypage:home"),
    }
    with translation.override(language_of(customer) or merchant.locale):
        queue_mail(
            to=customer.email,
            subject=_("You are a member of %s") % program.name,
            text=render_to_string("programs/mail/let_in.txt", context),
        )
