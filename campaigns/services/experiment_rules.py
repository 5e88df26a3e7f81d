"""What an arm has given for a while, made permanent: as ordinary drafts of rules, which nobody
publishes but people."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.campaign_rules import rules_of_campaign
from campaigns.models import Experiment
from campaigns.services.experiment_rows import locked
from loyalty.models import EarningRule
from loyalty.rule_definitions import CAMPAIGN_RULES, DiscountRuleDefinition, EarningRuleDefinition
from loyalty.services.campaign_rules import CampaignRule
from loyalty.services.rules import create_rule
from members.errors import ConflictError
from members.models import AuditEntry
from members.services.audit import Actor, record_audit, target_of

_MADE = "experiment.made_permanent"


@transaction.atomic
def draft_winner(*, experiment: Experiment, actor: Actor, now: dt.datetime) -> list[EarningRule]:
    """The rules of the arm that is better, for all members whom the experiment was for. What they
    were limited to for its time is left to whoever publishes them."""
    row = locked(experiment)
    if row.status != Experiment.Status.ENDED or row.winner is None:
        raise ConflictError(_("No arm has been found to be better."), code="experiment_state")
    campaign = row.arms.all()[row.winner].campaign
    if campaign is None:
        message = _("As it is was better: there is nothing to make permanent.")
        raise ConflictError(message, code="nothing_to_draft")
    if made := _made_already(row):
        message = _("It was made permanent already: as %s.") % ", ".join(made)
        raise ConflictError(message, code="already_drafted")
    # It is not saved: its rules are read as they are without the lot and without its budget.
    campaign.audience, campaign.budget_units, campaign.budget_money = row.audience, None, None
    drafted = [
        create_rule(program=row.program, definition=_definition(rule), actor=actor, now=now)
        for rule in rules_of_campaign(campaign)
    ]
    record_audit(
        actor=actor, action=_MADE, target=row,
        after={"name": row.name, "rules": [rule.code for rule in drafted]},
    )  # fmt: skip
    return drafted


def _made_already(row: Experiment) -> list[str]:
    """The rules that were drafted before, and were not thrown away since."""
    entries = AuditEntry.objects.filter(action=_MADE, target=target_of(row))
    codes = {code for entry in entries for code in (entry.after or {})["rules"]}
    rules = EarningRule.objects.filter(program=row.program_id, code__in=codes)
    return list(rules.order_by("code").values_list("code", flat=True))


def _definition(rule: CampaignRule) -> EarningRuleDefinition | DiscountRuleDefinition:
    said = rule.body.model_dump(mode="json", exclude_defaults=True) | {
        "kind": rule.body.kind, "code": rule.code.removeprefix(CAMPAIGN_RULES), "name": rule.name,
    }  # fmt: skip
    # A member's limit in the time of a promotion would be one for life.
    said.pop("caps", None)
    if rule.body.kind == "discount":
        return DiscountRuleDefinition.model_validate(said)
    if rule.expiry is not None:
        said["expiry"] = rule.expiry.model_dump(mode="json")
    return EarningRuleDefinition.model_validate(said | {"wallet_type": rule.unit.code})
