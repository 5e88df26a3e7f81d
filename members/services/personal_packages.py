"""Handing out what is known of a person, to them or by a colleague who was asked for it: the file
is asked for, made by a job, and fetched while it is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import IO, TypeVar

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from members.errors import ConflictError, DomainError
from members.jobs import job_kind
from members.languages import language_of, offered_languages
from members.models import Customer, Job, PersonalPackage, PersonalPackagePart
from members.personal_files import write_package
from members.program_scope import limited_to, programs_in_scope
from members.selectors.merges import refuse_merged
from members.selectors.personal_data import count_tables, tables_of
from members.selectors.personal_packages import State, state_of
from members.services.audit import SYSTEM, Actor, record_audit
from members.services.job_runs import queue_job
from members.services.jobs import JobProgress, claim_job, running, start_or_resume_job

KIND = "personal_package"
# So long a file is there, and so often it is fetched.
KEPT_FOR = timedelta(days=7)
MOST_FETCHES = 10
# Of one person, in a day: each reads all that there is.
MOST_A_DAY = 5
REMEMBERED_FOR = timedelta(days=30)
PIECE = 1024 * 1024
_SALT = "members.personal_packages"
T = TypeVar("T")


class AskedTooOftenError(DomainError):
    """`seconds`: until one can be asked for again."""

    code = "asked_too_often"
    status = HTTPStatus.TOO_MANY_REQUESTS
    seconds: int = 0


@transaction.atomic
def request_package(
    *, customer: Customer, actor: Actor, for_staff: bool, now: datetime
) -> PersonalPackage:
    """Have all of it made into a file, in the person's language; while one is being made, asking
    again is asking for that one. That it was asked for, and by whom, is in the audit log.
    `for_staff`: also what colleagues wrote about them."""
    refuse_merged(customer)
    Customer.objects.select_for_update(of=("self",)).get(pk=customer.pk)
    own = PersonalPackage.objects.filter(customer=customer)
    package = own.filter(for_staff=for_staff, made_at=None).first()
    if package is None:
        _refuse_too_often(customer, now)
        package = PersonalPackage.objects.create(
            customer=customer, for_staff=for_staff, asked_by=actor.user, asked_at=now
        )
        record_audit(
            actor=actor, action="customer.exported", target=customer,
            after={"own": not for_staff},
        )  # fmt: skip
    if state_of(package, now) != State.MAKING:
        _begin(package)
    return package


def run_package(job_id: int) -> Job | None:
    """Make the file; None when another run is at it. Killed, it begins anew: nothing is written
    before the end."""
    job = claim_job(job_id)
    if job is None:
        return None
    with running(job) as progress:
        job.result = _make(job, progress)
        job.done = job.total
    return job


@transaction.atomic
def fetch_package(*, package: PersonalPackage, actor: Actor, now: datetime) -> Iterator[bytes]:
    """The file in pieces. That it was fetched is in the audit log. Raises ConflictError for one
    that is not made yet, or not there any more."""
    row = PersonalPackage.objects.select_for_update(of=("self",)).get(pk=package.pk)
    if state_of(row, now) in (State.MAKING, State.FAILED):
        raise ConflictError(_("The file is not made yet."), code="not_ready")
    if state_of(row, now) == State.OVER or row.fetches >= MOST_FETCHES:
        message = _("The file is not there any more. Ask for another one.")
        raise ConflictError(message, code="not_there", status=HTTPStatus.GONE)
    row.fetches += 1
    row.save(update_fields=["fetches"])
    record_audit(
        actor=actor, action="customer.data_fetched", target=row.customer,
        after={"own": not row.for_staff},
    )  # fmt: skip
    numbers = row.parts.order_by("number").values_list("number", flat=True)
    return _pieces(row.pk, list(numbers))


def link_to(package: PersonalPackage) -> str:
    """Where the file is fetched without signing in. It cannot be made up, and works for as long as
    the file is there."""
    token = signing.Signer(salt=_SALT).sign(package.public_id.hex)
    return f"{settings.SITE_URL}{reverse('members:data_package', args=[token])}"


def package_of_link(token: str) -> PersonalPackage | None:
    try:
        public_id = signing.Signer(salt=_SALT).unsign(token)
    except signing.BadSignature:
        return None
    return PersonalPackage.objects.filter(public_id=public_id).first()


def prune_packages(*, now: datetime) -> int:
    """Drop the content of files that are over, and forget that they were there some weeks later.
    Returns how many were forgotten."""
    PersonalPackagePart.objects.filter(package__expires_at__lte=now).delete()
    old = PersonalPackage.objects.filter(asked_at__lt=now - REMEMBERED_FOR)
    return old.filter(expires_at__lte=now).delete()[1].get("members.PersonalPackage", 0)


def _refuse_too_often(customer: Customer, now: datetime) -> None:
    lately = PersonalPackage.objects.filter(
        customer=customer, asked_at__gt=now - timedelta(days=1)
    ).order_by("asked_at")
    times = list(lately.values_list("asked_at", flat=True))
    if len(times) < MOST_A_DAY:
        return
    message = _("This was asked for %s times in a day. Use the last file, or ask tomorrow.")
    error = AskedTooOftenError(message % MOST_A_DAY)
    error.seconds = int((times[-MOST_A_DAY] + timedelta(days=1) - now).total_seconds()) + 1
    raise error


def _begin(package: PersonalPackage) -> None:
    # Jobs are seen by colleagues, and stay when somebody is erased: they name nobody. The file has
    # what whoever asks may see.
    params = {"package": package.pk, "programs": sorted(programs_in_scope() or ())}
    job = start_or_resume_job(
        kind=KIND, label=str(job_kind(KIND).label), fingerprint=str(package.pk),
        params=params, actor=SYSTEM, total=count_tables(package.for_staff),
    )  # fmt: skip
    package.job = job
    package.save(update_fields=["job"])
    transaction.on_commit(partial(queue_job, job))


def _make(job: Job, progress: JobProgress) -> dict[str, int]:
    open_ones = PersonalPackage.objects.filter(pk=job.params["package"], made_at=None)
    package = open_ones.select_related("customer").first()
    if package is None:
        return {}
    customer = package.customer
    tables = tables_of(customer, for_staff=package.for_staff)
    language = language_of(customer) or offered_languages().default
    with translation.override(language), limited_to(job.params["programs"]):
        counted = _counted(tables, progress.update)
        content = write_package(customer, counted, timezone.now())
    with transaction.atomic():
        # Who was erased or merged meanwhile has none any more.
        row = open_ones.select_for_update(of=("self",)).first()
        return {"bytes": _keep(row, content, timezone.now())} if row is not None else {}


def _counted(items: Iterator[T], tell: Callable[[int], None]) -> Iterator[T]:
    for number, item in enumerate(items):
        tell(number)
        yield item


def _keep(row: PersonalPackage, content: IO[bytes], now: datetime) -> int:
    """The newest is the one that is there."""
    former = PersonalPackage.objects.filter(customer=row.customer, for_staff=row.for_staff)
    former = former.exclude(pk=row.pk).filter(expires_at__gt=now)
    PersonalPackagePart.objects.filter(package__in=former).delete()
    former.update(expires_at=now)
    number = size = 0
    while piece := content.read(PIECE):
        PersonalPackagePart.objects.create(package=row, number=number, content=piece)
        number, size = number + 1, size + len(piece)
    row.made_at, row.expires_at, row.size = now, now + KEPT_FOR, size
    row.save(update_fields=["made_at", "expires_at", "size"])
    return size


def _pieces(package_id: int, numbers: list[int]) -> Iterator[bytes]:
    for number in numbers:
        part = PersonalPackagePart.objects.filter(package=package_id, number=number).first()
        if part is None:
            return  # It was erased while it was sent.
        yield bytes(part.content)
