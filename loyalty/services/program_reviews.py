"""Reviews of programs: made at the end of each quarter, or when somebody asks, and what becomes of
their findings. Nothing that a review proposes is done by itself."""

from __future__ import annotations

import datetime as dt
import logging

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.models import Program, ProgramReview, ReviewFinding, ReviewReading
from loyalty.quarters import Quarter, quarter_named, quarter_of
from loyalty.review_findings import Finding, findings_of
from loyalty.review_sentences import finding_title, quarter_label, review_title
from loyalty.selectors.goals import today_of
from loyalty.selectors.insights import is_measured_at
from loyalty.selectors.program_reviews import facts_of, quarters_to_review
from loyalty.selectors.review_uses import last_day
from loyalty.services.insight_points import measured_programs
from members.errors import DomainError, FieldError, NotFoundError
from members.formatting import format_number
from members.jobs import Work
from members.models import Job, User
from members.read_once import reading_once
from members.services.audit import SYSTEM, Actor, record_audit
from members.services.interruptions import is_interruption
from members.services.job_logs import Level, log_line
from members.services.job_runs import Step, checkpoint_in_list, place_in_list, run_in_chunks
from members.services.jobs import start_or_resume_job
from members.services.transactions import is_lost_race, run_atomically

logger = logging.getLogger(__name__)

KIND = "program_reviews"
# The last night of a quarter measures its figures; if it could not, it is reviewed all the same.
PATIENCE = dt.timedelta(days=3)
State = ReviewFinding.State
# What a review says of a finding; the rest is what somebody made of it.
FOUND = ("rule", "part", "tone", "position", "facts", "place", "place_key")


def find_reviews(now: dt.datetime) -> Work | None:
    """Programs whose last quarter is over and has no review."""
    due = [
        (program.pk, quarter_of(today_of(program, now)).before.name)
        for program in measured_programs()
        if is_due(program, now)
    ]
    return Work(_("Program reviews"), params={"reviews": due}, total=len(due)) if due else None


def start_review(*, program: Program, quarter: Quarter, actor: Actor, now: dt.datetime) -> Job:
    """A job that makes the review of a quarter, to be handed to a worker; the same again, while it
    runs, is the one that there is. Raises DomainError where it cannot be made."""
    _check(program, quarter, now)
    return start_or_resume_job(
        kind=KIND, label=_("Review of %s") % program.name,
        fingerprint=f"{program.code}:{quarter.name}",
        params={"reviews": [(program.pk, quarter.name)]}, actor=actor, total=1,
    )  # fmt: skip


def open_review_job(program: Program) -> Job | None:
    """The work that makes one of its reviews and is not done."""
    return Job.objects.filter(
        kind=KIND, state__in=[Job.State.QUEUED, Job.State.RUNNING],
        fingerprint__startswith=f"{program.code}:",
    ).order_by("-pk").first()  # fmt: skip


def is_due(program: Program, now: dt.datetime) -> bool:
    """Whether the quarter before this one is to be reviewed, and its figures are there."""
    today = today_of(program, now)
    quarter = quarter_of(today).before
    if program.status != Program.Status.LIVE or quarter not in quarters_to_review(program, now):
        return False
    rows = ProgramReview.objects.filter(program=program, quarter=quarter.first, is_over=True)
    if rows.exists():
        return False
    return is_measured_at(program, quarter.last) or today > quarter.last + PATIENCE


def run_reviews(job_id: int) -> Job | None:
    """Make review after review; None when another run has it."""
    return run_in_chunks(job_id, _next_review)


def review_words(job: Job) -> str:
    made, failed = job.result.get("made", 0), job.result.get("failed", 0)
    words = ngettext("%s program was reviewed.", "%s programs were reviewed.", made)
    said = words % format_number(made)
    if not failed:
        return said
    missed = ngettext(
        "%s could not be: the log says why.", "%s could not be: the log says why of each.", failed
    )
    return f"{said} {missed % format_number(failed)}"


def make_review(
    *, program: Program, quarter: Quarter, actor: Actor, now: dt.datetime
) -> tuple[ProgramReview, bool]:
    """The review of a quarter, and whether it was made now: of one that is over there is one, and
    it stays; of the one that runs it is made anew, and what somebody made of a finding stays with
    it. Raises DomainError."""

    _check(program, quarter, now)
    kept = _kept(program, quarter)
    if kept is not None and kept.is_over:
        return kept, False
    day = last_day(program, quarter, now)
    # It takes a while, and members join meanwhile: nothing is held for it.
    with reading_once():
        found = findings_of(facts_of(program, quarter, day, now))

    def write() -> tuple[ProgramReview, bool]:
        held = Program.objects.select_for_update(no_key=True).get(pk=program.pk)
        _check(held, quarter, now)
        known = _kept(held, quarter)
        if known is not None and known.is_over:
            return known, False
        review = known or ProgramReview(program=held, quarter=quarter.first)
        review.day, review.made_at, review.made_by = day, now, actor.user
        review.save()
        _keep(review, found)
        if today_of(held, now) > quarter.last:
            review.is_over = True
            review.save(update_fields=["is_over"])
        record_audit(
            actor=actor, action="program_review.made", target=held,
            after={"review": review_title(review), "day": day.isoformat()},
        )  # fmt: skip
        return review, True

    return run_atomically(write)


def decide_finding(
    *, finding: ReviewFinding, state: str, note: str, actor: Actor, now: dt.datetime
) -> ReviewFinding:
    """Say what became of it: done, dismissed (which says why), or open again. Raises DomainError,
    NotFoundError where the review was made anew without it."""

    def write() -> ReviewFinding:
        found = ReviewFinding.objects.select_for_update(of=("self",)).select_related(
            "review__program"
        ).filter(pk=finding.pk).first()  # fmt: skip
        if found is None:
            raise NotFoundError(_("The review was made anew, and this no longer holds."))
        kept = "" if state == State.OPEN else note.strip()
        if state == State.DISMISSED and not kept:
            raise DomainError(
                _("Say why it is dismissed."),
                errors=[FieldError("note", _("Say why it is dismissed."))],
            )
        if (found.state, found.note) == (state, kept):
            return found
        before = {"state": found.get_state_display(), "note": found.note}
        found.state, found.note = state, kept
        is_open = state == State.OPEN
        found.decided_at, found.decided_by = (None, None) if is_open else (now, actor.user)
        found.save(update_fields=["state", "note", "decided_at", "decided_by"])
        program = found.review.program
        record_audit(
            actor=actor, action="review_finding.decided", target=program, before=before,
            after={"finding": finding_title(found, program), "state": found.get_state_display(),
                   "note": kept},
            reason=kept,
        )  # fmt: skip
        return found

    return run_atomically(write)


def note_reading(*, review: ProgramReview, user: User) -> None:
    """That somebody has opened it; again, it is as it was."""
    ReviewReading.objects.update_or_create(
        review=review, user=user, defaults={"made_at": review.made_at}
    )


def _check(program: Program, quarter: Quarter, now: dt.datetime) -> None:
    if quarter not in quarters_to_review(program, now):
        raise DomainError(
            _("This quarter cannot be reviewed."),
            errors=[FieldError("quarter", _("Choose this one or one of the last four, since the "
                                            "first member joined."))],
        )  # fmt: skip


def _kept(program: Program, quarter: Quarter) -> ProgramReview | None:
    return ProgramReview.objects.filter(program=program, quarter=quarter.first).first()


def _keep(review: ProgramReview, found: list[Finding]) -> None:
    """What somebody made of a finding stays with it as long as it is found again."""
    known = {item.key: item for item in review.findings.all()}
    review.findings.exclude(key__in=[item.key for item in found]).delete()
    for position, item in enumerate(found):
        row = known.get(item.key) or ReviewFinding(review=review, key=item.key)
        row.rule, row.part, row.tone, row.position = item.rule, item.part, item.tone, position
        row.facts, row.place, row.place_key = dict(item.facts), item.place, item.place_key
        # Somebody may be deciding on one that is known.
        row.save(update_fields=FOUND if item.key in known else None)


def _next_review(job: Job) -> Step | None:
    place, reviews = place_in_list(job), job.params["reviews"]
    if place >= len(reviews):
        return None
    pk, name = reviews[place]
    result = {"made": 0, "failed": 0, **(job.result if place else {})}
    program, quarter = Program.objects.filter(pk=pk).first(), quarter_named(name)
    if program is not None and quarter is not None:
        made = _made(job, program, quarter)
        result["made"] += bool(made)
        result["failed"] += made is None
    return Step(
        checkpoint=checkpoint_in_list(job, place + 1), done=place + 1, total=len(reviews),
        result=result,
    )  # fmt: skip


def _made(job: Job, program: Program, quarter: Quarter) -> bool | None:
    """None: it cannot be made. That holds up no other program, and is tried again the next
    morning."""
    actor = Actor.of_user(job.created_by) if job.created_by else SYSTEM
    try:
        with transaction.atomic():
            return make_review(program=program, quarter=quarter, actor=actor, now=timezone.now())[1]
    except Exception as error:
        if is_interruption(error) or is_lost_race(error):
            raise
        kind = type(error).__name__
        logger.error("Review %s of program %s: %s", quarter.name, program.pk, kind)
        said = {"program": program.name, "quarter": quarter_label(quarter), "error": kind}
        words = _("%(program)s cannot be reviewed for %(quarter)s (%(error)s).") % said
        log_line(job, words, level=Level.WARNING)
        return None
