"""What answering a survey brings, as far as rules promise it to everybody."""

from __future__ import annotations

import datetime as dt

from campaigns.models import Survey, SurveyResponse
from loyalty.models import ActivityAward, WalletType
from loyalty.rules.bodies import ActivityBody
from loyalty.selectors.rulebooks import fresh_terms
from members.formatting import format_units


def brings(survey: Survey, now: dt.datetime) -> str:
    """In words, as "50 Beans"; empty: nothing, or nothing that is certain."""
    if survey.activity_type is None:
        return ""
    terms = next((x for x in fresh_terms().programs if x.id == survey.program_id), None)
    if terms is None:
        return ""
    units: dict[int, int] = {}
    for version in terms.rulebook.others_in_force(now):
        body = version.body
        mine = isinstance(body, ActivityBody) and body.activity == survey.activity_type.code
        if mine and isinstance(body, ActivityBody) and not body.times and version.when is None:
            amount = int(body.units * 10**version.scale)
            units[version.wallet_type_id] = units.get(version.wallet_type_id, 0) + amount
    types = WalletType.objects.in_bulk(units)
    return " + ".join(format_units(amount, types[pk]) for pk, amount in units.items() if amount)


def brought(response: SurveyResponse) -> str:
    """What an answer has brought, in words; empty: nothing so far."""
    if response.activity_id is None:
        return ""
    given = ActivityAward.objects.filter(
        activity=response.activity_id, units__gt=0,
        membership__program=response.survey.program_id,
    ).select_related("rule_version__rule__wallet_type")  # fmt: skip
    return " + ".join(
        format_units(item.units, item.rule_version.rule.wallet_type) for item in given
    )
