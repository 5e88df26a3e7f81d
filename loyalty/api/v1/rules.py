"""/programs/{code}/rules: every rule of a program with every wording that it has had, has or will
have."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.models import EarningRule, EarningRuleVersion
from loyalty.rules.bodies import RuleBody, parse_body
from loyalty.selectors.programs import get_program
from loyalty.selectors.rule_sentences import version_sentences
from loyalty.selectors.rules import RuleRow, rule_rows, state_of
from members.api.bodies import Answer, answer
from members.api.views import ApiView

State = Literal["draft", "waiting", "scheduled", "live", "ended"]


class RuleVersionOut(Answer):
    """One wording of a rule; it counts for orders placed in [starts_at, ends_at)."""

    number: int
    state: State = Field(
        description="A draft counts for nothing; one that waits has to be published by a second"
        " person."
    )
    starts_at: dt.datetime | None = Field(description="Null: from the beginning, or a draft.")
    ends_at: dt.datetime | None = Field(description="Null: without an end.")
    published_at: dt.datetime | None
    body: RuleBody
    in_words: list[str]


class RuleOut(Answer):
    """A rule; `state` is that of the wording that speaks for it."""

    code: str
    name: str
    wallet_type: str | None = Field(description="What it awards. Null: a discount.")
    state: State
    versions: list[RuleVersionOut] = Field(description="The newest first.")


class RuleList(Answer):
    results: list[RuleOut] = Field(
        description="In their order of evaluation, which discounts have by themselves."
    )


class ProgramRules(ApiView):
    scopes = {"GET": "programs:read"}

    @extend_schema(operation_id="listRules", responses={200: RuleList})
    def get(self, request: Request, code: str) -> HttpResponse:
        """List the rules of a program with all their versions, drafts among them, in words and as
        data."""
        now = timezone.now()
        rows = rule_rows(get_program(code), now)
        return answer(RuleList(results=[_rule(row, now) for row in rows]))


def _rule(row: RuleRow, now: dt.datetime) -> RuleOut:
    return RuleOut(
        code=row.rule.code,
        name=row.rule.name,
        wallet_type=None if row.body.kind == "discount" else row.rule.wallet_type.code,
        state=row.state,
        versions=[_version(row.rule, version, now) for version in row.versions],
    )


def _version(rule: EarningRule, version: EarningRuleVersion, now: dt.datetime) -> RuleVersionOut:
    return RuleVersionOut(
        number=version.number,
        state=state_of(version, now),
        starts_at=version.starts_at,
        ends_at=version.ends_at,
        published_at=version.published_at,
        body=parse_body(version.body),
        in_words=version_sentences(version, rule.wallet_type, rule.program.currency),
    )
