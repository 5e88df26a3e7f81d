"""/me: what a customer says about themselves, read and changed with their own token."""

from __future__ import annotations

import datetime as dt
from typing import Annotated
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from members.api.answer_bodies import Answers
from members.api.bodies import TEXT, Answer, Body, answer, read_body, refuse_field
from members.api.member_views import MEMBER, MemberView
from members.api.v1.profile_questions import ProfileQuestionOut, questions_out
from members.errors import DomainError
from members.languages import offered_languages
from members.models import Customer
from members.services.customers import update_customer
from members.services.profile_answers import refuse_unasked

Short = Annotated[str, Field(max_length=100, pattern=TEXT)]


class MeChanges(Body):
    """The fields to change; the others stay. The e-mail address is what they are known by: the
    shop changes it."""

    given_name: Short = ""
    family_name: Short = ""
    phone: Annotated[str, Field(max_length=64, pattern=TEXT)] = ""
    birthday: dt.date | None = Field(
        None, description="Told once: whoever has told it asks the shop to correct it."
    )
    gender: Annotated[str, Field(max_length=6, pattern=TEXT)] = Field(
        "", description="female, male or other; empty: not said. Changed as they like."
    )
    locale: Annotated[str, Field(max_length=16, pattern=TEXT)] = Field(
        "", description="One of `languages`; empty: as the device is set."
    )
    answers: Answers = Field(
        {}, max_length=50,
        description="By the codes of `questions`; none: the answer is taken back. Questions that"
        " are not named keep theirs.",
    )  # fmt: skip


class MeOut(Answer):
    id: UUID
    email: str
    phone: str
    given_name: str
    family_name: str
    birthday: dt.date | None
    gender: str
    locale: str
    answers: Answers = Field(description="What they chose, by the codes of the questions.")
    questions: list[ProfileQuestionOut] = Field(description="What they are asked.")
    languages: list[str] = Field(description="In which members are written and spoken to.")


class Me(MemberView):
    scopes = {"GET": MEMBER, "PATCH": MEMBER}

    @extend_schema(operation_id="getMe", responses={200: MeOut})
    def get(self, request: Request) -> HttpResponse:
        """Read what the customer says about themselves."""
        return answer(_me_out(self.customer))

    @extend_schema(operation_id="changeMe", request=MeChanges, responses={200: MeOut})
    def patch(self, request: Request) -> HttpResponse:
        """Change name, phone, language or answers, or tell a birthday."""
        body = read_body(request, MeChanges)
        changes = {name: getattr(body, name) for name in body.model_fields_set}
        if changes.get("locale") and changes["locale"] not in offered_languages().codes:
            raise refuse_field("locale", _("This language is not spoken here."), "unknown_value")
        if changes.get("birthday") == self.customer.birthday:
            changes.pop("birthday", None)
        elif "birthday" in changes and self.customer.birthday is not None:
            # What is given for it is given once a year.
            words = _("We already have your birthday. Ask us if it is wrong.")
            raise refuse_field("birthday", words, "told_before")
        if "phone" in changes and self.customer.country:
            # A number without country code is read as one of the customer's country.
            changes["country"] = self.customer.country
        try:
            refuse_unasked(self.customer.answers, changes.get("answers", {}))
            changed = update_customer(customer=self.customer, actor=self.actor, changes=changes)
        except DomainError as error:
            if any(item.code == "taken" for item in error.errors):
                # Whose it is, or that it is anybody's, is not for a browser to learn.
                words = _("This number cannot be used here. Ask us if it is yours.")
                raise refuse_field("phone", words, "not_accepted") from error
            raise
        return answer(_me_out(changed))


def _me_out(customer: Customer) -> MeOut:
    same = (
        "email", "phone", "given_name", "family_name", "birthday", "gender", "locale", "answers",
    )  # fmt: skip
    return MeOut(
        id=customer.public_id,
        questions=questions_out(),
        languages=list(offered_languages().codes),
        **{name: getattr(customer, name) for name in same},
    )
