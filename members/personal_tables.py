"""What this application knows of a person."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from members.audit import target_of
from members.models import AuditEntry, Customer
from members.personal_data import (
    PersonalData,
    register_not_told,
    register_personal_data,
    table,
)
from members.program_scope import programs_in_scope


def _changes(customers: Sequence[Customer]) -> QuerySet[AuditEntry]:
    found = AuditEntry.objects.filter(target__in=[target_of(one) for one in customers])
    programs = programs_in_scope()
    if programs is not None:
        # As on their page: nothing of a program that whoever hands it out does not see.
        found = found.filter(Q(program=None) | Q(program__in=programs))
    return found


PARTS = (
    PersonalData(
        "details", _("Details"),
        (
            table(
                "members.Customer", "pk", without="merged_into tokens_from search_text",
                also=[("signed_in_at", "user__last_login")],
            ),
            table("account.EmailAddress", "user__customer"),
            table("socialaccount.SocialAccount", "user__customer"),
            table("members.SignIn", "user__customer", without="session_key"),
        ),
    ),
    PersonalData(
        "facts", _("Buying habits"),
        (table("members.CustomerFacts", "customer"),),
    ),
    PersonalData(
        "segments", _("Groups"),
        (table("members.SegmentMember", "customer", also=[("name", "segment__name")]),),
    ),
    PersonalData(
        "notes", _("Notes of the team"),
        (
            table("members.CustomerNote", "customer", for_staff=True),
            table("members.CustomerTask", "customer", for_staff=True),
        ),
    ),
    PersonalData(
        "changes", _("Changes of details"),
        (
            table(
                "members.AuditEntry", rows=_changes, for_staff=True,
                without="target target_label actor_label",
            ),
            table(
                "members.CustomerMerge", "kept", "merged", for_staff=True,
                without="record",
            ),
        ),
    ),
)  # fmt: skip
NOT_TOLD = {
    "account.EmailConfirmation": "links that were sent to confirm an address",
    "members.PersonalPackage": "files with what is told here",
    "members.PersonalPackagePart": "their content",
    "socialaccount.SocialToken": "secrets of who signs in elsewhere",
}


def register() -> None:
    """Called once, when the application is ready."""
    for place, part in enumerate(PARTS):
        # The details come first; what colleagues wrote, last.
        register_personal_data(part, 900 + place if part.key in {"notes", "changes"} else place)
    register_not_told(NOT_TOLD)
