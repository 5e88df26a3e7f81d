"""The row beside a pool that is a company: made as its program's terms say, checked and written."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from loyalty.company_numbers import clean_registration_number, clean_vat_number
from loyalty.models import Company, Pool, PoolMember
from loyalty.pool_roles import fitting_role
from loyalty.selectors.programs import company_terms_of
from loyalty.services.pool_moves import refused
from members.models import StaffMember

LONGEST = {"external_id": 64, "legal_name": 200, "address": 500}
MOST_EMPLOYEES = 10_000_000
MOST_LIMIT = 10**12
MOST_TAGS, LONGEST_TAG = 20, 64
_TAG = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class CompanyDetails:
    """How a business is registered, who looks after it, and what its buyers spend without asking.
    Limits are in whole units; None: none."""

    external_id: str = ""
    legal_name: str = ""
    registration_number: str = ""
    vat_number: str = ""
    billing_email: str = ""
    address: str = ""
    employees: int | None = None
    tags: tuple[str, ...] = ()
    manager: StaffMember | None = None
    most_at_once: int | None = None
    most_in_period: int | None = None
    period: str = Company.Period.MONTH
    answer_days: int = 7


DETAILS = tuple(CompanyDetails.__dataclass_fields__)
LIMITS = ("most_at_once", "most_in_period", "period", "answer_days")


@dataclass(slots=True)
class _Problems:
    """What is wrong, by field; the first is raised."""

    found: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, name: str, message: str, code: str = "invalid_request") -> None:
        self.found.append((name, message, code))

    def clean(self, name: str, text: str, read: Callable[[str], str]) -> str:
        try:
            return read(text)
        except ValueError as error:
            self.add(name, str(error))
            return ""


def make_company(pool: Pool, *, now: dt.datetime, changes: Mapping[str, Any] | None = None
                 ) -> Company:  # fmt: skip
    """The row of a pool that has become a company, with the limits of its program where nothing
    else is said. Members who are no owners buy for it from now on."""
    terms = company_terms_of(pool.program)
    values = {name: getattr(terms, name) for name in LIMITS} | dict(changes or {})
    company = Company(pool=pool, program=pool.program, created_at=now)
    write_details(company, CompanyDetails(**values))
    PoolMember.objects.filter(pool=pool, role=PoolMember.Role.MEMBER).update(
        role=fitting_role(pool.kind, PoolMember.Role.MEMBER)
    )
    return company


def write_details(company: Company, details: CompanyDetails) -> None:
    """Check and save. Raises PoolRefusedError at the field."""
    values = _clean(company, details)
    for name, value in values.items():
        setattr(company, name, value)
    company.save()


def snapshot(company: Company) -> dict[str, Any]:
    """For the audit log: what is said; the account manager by name."""
    said = {name: getattr(company, name) for name in DETAILS if name != "manager"}
    said["manager"] = str(company.manager.user) if company.manager else ""
    said["tags"] = ", ".join(company.tags)
    return {name: value for name, value in said.items() if value not in ("", None)}


def _clean(company: Company, details: CompanyDetails) -> dict[str, Any]:
    problems = _Problems()
    values: dict[str, Any] = {name: getattr(details, name) for name in DETAILS}
    for name, longest in LONGEST.items():
        lines = name == "address"
        values[name] = _text(values[name], keep_lines=lines)
        if len(values[name]) > longest:
            problems.add(name, _("At most %s characters.") % longest)
    values["registration_number"] = problems.clean(
        "registration_number", details.registration_number, clean_registration_number
    )
    values["vat_number"] = problems.clean("vat_number", details.vat_number, clean_vat_number)
    values["billing_email"] = problems.clean("billing_email", details.billing_email, _email)
    values["tags"] = _tags(details, problems)
    _check_numbers(details, problems)
    _check_unique(company, values, problems)
    for name, message, code in problems.found:
        status = 409 if code == "taken" else 422
        raise refused(name, message, code=code, status=status)
    return values


def _check_numbers(details: CompanyDetails, problems: _Problems) -> None:
    for name, most in (
        ("employees", MOST_EMPLOYEES), ("most_at_once", MOST_LIMIT), ("most_in_period", MOST_LIMIT)
    ):  # fmt: skip
        value = getattr(details, name)
        if value is not None and not 0 <= value <= most:
            problems.add(name, _("Give a number from 0 on."))
    if details.period not in Company.Period.values:
        problems.add("period", _("One of: %s.") % ", ".join(Company.Period.values))
    if not 1 <= details.answer_days <= 90:
        problems.add("answer_days", _("Give a number from 1 to 90."))


def _check_unique(company: Company, values: Mapping[str, Any], problems: _Problems) -> None:
    others = Company.objects.filter(program=company.program_id).exclude(pk=company.pk)
    for name in ("external_id", "registration_number", "vat_number"):
        other = others.filter(**{name: values[name]}).select_related("pool").first()
        if values[name] and other is not None:
            problems.add(name, _("%s has this number already.") % other.pool.name, "taken")


def _tags(details: CompanyDetails, problems: _Problems) -> list[str]:
    found = sorted({"-".join(tag.lower().split()) for tag in details.tags} - {""})
    if len(found) > MOST_TAGS or any(
        len(tag) > LONGEST_TAG or not _TAG.fullmatch(tag) for tag in found
    ):
        problems.add(
            "tags",
            _("At most %s tags of letters, digits, dashes and underscores.") % MOST_TAGS,
        )
    return found


def _text(text: str, *, keep_lines: bool) -> str:
    text = text.replace("\x00", "")
    lines = (" ".join(line.split()) for line in text.splitlines())
    return ("\n" if keep_lines else " ").join(line for line in lines if line)


def _email(text: str) -> str:
    text = text.strip()
    try:
        if text:
            validate_email(text)
    except ValidationError as error:
        raise ValueError(_("This does not look like an e-mail address.")) from error
    return text
