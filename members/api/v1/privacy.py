"""What a person may ask of who keeps data about them: a file with all of it, and to be erased."""

from __future__ import annotations

import datetime as dt
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from members.api.bodies import TEXT, Answer, Body, answer, read_body
from members.api.idempotency import idempotent
from members.api.member_views import MEMBER, MemberView
from members.api.problems import ApiError
from members.api.throttling import Allowance, take
from members.api.views import ApiView
from members.forgetting import warnings_before
from members.models import Customer, PersonalPackage
from members.selectors.customers import get_customer
from members.selectors.merges import refuse_merged
from members.selectors.personal_data import known_parts
from members.selectors.personal_packages import State, get_package, state_of
from members.services.audit import Actor
from members.services.customers import erase_customer_details
from members.services.personal_packages import (
    MOST_FETCHES,
    AskedTooOftenError,
    link_to,
    request_package,
)


class PackageAsk(Body):
    """Nothing to say: it is all that is known, but for what the team wrote."""


class DataPackageOut(Answer):
    id: UUID
    customer: UUID
    state: State = Field(
        description="`making`: look again in a few seconds; `ready`: fetch it from `url`; `failed`:"
        " ask again; `over`: its days are over, or there is a newer one."
    )
    done: int = Field(description="Tables that are read already, …")
    total: int = Field(description="… of so many.")
    asked_at: dt.datetime
    made_at: dt.datetime | None
    expires_at: dt.datetime | None = Field(description="From when on it is not there any more.")
    bytes: int = Field(description="How large the file is; 0 while it is being made.")
    url: str | None = Field(
        description="Where whoever has this link fetches the file, a ZIP archive, without a key:"
        " give it to the person alone. Null while there is nothing to fetch."
    )
    fetches_left: int = Field(description="So many times it can be fetched.")


class EraseIn(Body):
    reason: Annotated[str, Field(min_length=1, max_length=300, pattern=TEXT)] = Field(
        description="For colleagues who ask later, without any name.",
        examples=["Asked by mail on May 4"],
    )
    dry_run: bool = Field(False, description="Only say what becomes of what; nothing is erased.")


class ErasedPart(Answer):
    key: str = Field(examples=["orders"])
    title: str
    rows: int = Field(description="How much there was, or is.")
    becomes: str = Field(description="What becomes of it, in a sentence.")


class ErasureOut(Answer):
    customer: UUID
    dry_run: bool
    erased_at: dt.datetime | None = Field(description="Null where nothing was erased.")
    parts: list[ErasedPart] = Field(description="What there was, and what becomes of it.")
    warnings: list[str] = Field(description="What to know before, as units that are lost to them.")


class PrivacyView(ApiView):
    """Each such request reads or rewrites all that there is of somebody: they are counted apart
    from other requests of the key."""

    def count_request(self) -> Allowance | None:
        if self.request.method != "POST":
            return super().count_request()
        return take(f"privacy:{self.api_key.pk}", settings.PRIVACY_REQUESTS_PER_MINUTE)


class DataPackages(PrivacyView):
    scopes = {"POST": "privacy:write"}
    for_all_programs = frozenset({"POST"})

    @extend_schema(
        operation_id="askForDataPackage", request=PackageAsk, responses={202: DataPackageOut}
    )
    @idempotent()
    def post(self, request: Request, customer_id: UUID) -> HttpResponse:
        """Have all that is known of somebody made into a file, in their language. While one is
        being made, the answer is that one."""
        read_body(request, PackageAsk)
        return _asked(get_customer(customer_id), self.actor)


class OneDataPackage(PrivacyView):
    scopes = {"GET": "privacy:read"}
    for_all_programs = frozenset({"GET"})

    @extend_schema(operation_id="getDataPackage", responses={200: DataPackageOut})
    def get(self, request: Request, customer_id: UUID, package_id: UUID) -> HttpResponse:
        """Read how far a file is, and get the link to it."""
        package = get_package(get_customer(customer_id), package_id, for_staff=False)
        return answer(_package_out(package, timezone.now()))


class Erasure(PrivacyView):
    scopes = {"POST": "privacy:write"}
    for_all_programs = frozenset({"POST"})

    @extend_schema(operation_id="eraseCustomer", request=EraseIn, responses={200: ErasureOut})
    @idempotent()
    def post(self, request: Request, customer_id: UUID) -> HttpResponse:
        """Erase all that says who somebody is, for good; their number and their movements stay,
        and name nobody. With `dry_run` the answer says what would become of what. Again changes
        nothing."""
        body, now = read_body(request, EraseIn), timezone.now()
        customer = get_customer(customer_id)
        refuse_merged(customer)
        parts, warnings = _parts_of(customer), list(warnings_before(customer, now))
        if not body.dry_run:
            erase_customer_details(customer=customer, actor=self.actor, reason=body.reason)
        told = ErasureOut(
            customer=customer.public_id, dry_run=body.dry_run, parts=parts, warnings=warnings,
            erased_at=None if body.dry_run else now,
        )  # fmt: skip
        return answer(told)


class OwnDataPackages(MemberView):
    scopes = {"POST": MEMBER}

    @extend_schema(
        operation_id="askForOwnDataPackage", request=PackageAsk, responses={202: DataPackageOut}
    )
    @idempotent()
    def post(self, request: Request) -> HttpResponse:
        """Have all that is known of the member made into a file."""
        read_body(request, PackageAsk)
        return _asked(self.customer, self.actor)


class OneOwnDataPackage(MemberView):
    scopes = {"GET": MEMBER}

    @extend_schema(operation_id="getOwnDataPackage", responses={200: DataPackageOut})
    def get(self, request: Request, package_id: UUID) -> HttpResponse:
        """Read how far the file is, and get the link to it."""
        package = get_package(self.customer, package_id, for_staff=False)
        return answer(_package_out(package, timezone.now()))


def _asked(customer: Customer, actor: Actor) -> HttpResponse:
    now = timezone.now()
    try:
        package = request_package(customer=customer, actor=actor, for_staff=False, now=now)
    except AskedTooOftenError as error:
        headers = {"Retry-After": str(error.seconds)}
        raise ApiError(
            HTTPStatus.TOO_MANY_REQUESTS, error.message, code=error.code, headers=headers
        ) from error
    return answer(_package_out(package, now), HTTPStatus.ACCEPTED)


def _package_out(package: PersonalPackage, now: dt.datetime) -> DataPackageOut:
    state, job = state_of(package, now), package.job
    ready = state == State.READY and package.fetches < MOST_FETCHES
    return DataPackageOut(
        id=package.public_id, customer=package.customer.public_id, state=state,
        done=job.done if job else 0, total=job.total if job else 0,
        asked_at=package.asked_at, made_at=package.made_at, expires_at=package.expires_at,
        bytes=package.size, url=link_to(package) if ready else None,
        fetches_left=MOST_FETCHES - package.fetches if ready else 0,
    )  # fmt: skip


def _parts_of(customer: Customer) -> list[ErasedPart]:
    return [
        ErasedPart(key=part.key, title=str(part.title), rows=part.rows, becomes=str(part.erased))
        for part in known_parts(customer)
    ]
