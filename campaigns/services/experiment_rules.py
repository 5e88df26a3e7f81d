"""What an arm has given for a while, made permanent: as ordinary drafts of rules, which nobody
publishes but people."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.campaign_rules import rules_of_campaign
from campaigns.models import Experiment
from campaigns.services.experiments import locked
from loyalty.models import EarningRule
from loyalty.rule_definitions import CAMPAIGN_RULES, DiscountRuleDefinition, EarningRuleDefinition
from loyalty.services.campaign_rules import CampaignRule
from loyalty.services.rules import create_rule
from members.errors import ConflictError
from members.services.audit import Actor, record_audit


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
    # It is not saved: its rules are read as they are without the lot and without its budget.
    campaign.audience, campaign.budget_units, campaign.budget_money = row.audience, None, None
    drafted = [
        create_rule(program=row.program, definition=_definition(rule), actor=actor, now=now)
        for rule in rules_of_campaign(campaign)
    ]
    record_audit(
        actor=actor, action="experiment.made_permanent", target=row,
        after={"name": row.name, "rules": [rule.code for rule in drafted]},
    )  # fmt: skip
    return drafted


def _definition(rule: CampaignRule) -> EarningRuleDefinition | DiscountRuleDefinition:
    said = rule.body.model_dump(mode="json", exclude_defaults=True) | {
        "kind": rule.body.kind, "code": rule.code.removeprefix(CAMPAIGN_RULES), "name": rule.name,
    }  # fmt: skip
    if rule.body.kind == "discount":
        return DiscountRuleDefinition.model_validate(said)
    return EarningRuleDefinition.model_validate(said | {"wallet_type": rule.unit.code})
