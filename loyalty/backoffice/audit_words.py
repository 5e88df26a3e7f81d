"""What the audit log calls what people do, what they do it to, and what is kept of it."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from loyalty.risk_signals import risk_signals
from members.audit import (
    TargetKind,
    register_audit_actions,
    register_audit_fields,
    register_audit_target,
)

NAMESPACE = "loyalty_backoffice"
Words = Mapping[str, Promise | str]

RISK: Words = {
    "risk.opened": _("Opened a fraud case"),
    "risk.held": _("Held a member"),
    "risk.released": _("Released a fraud case"),
    "risk.clawed_back": _("Took back what came from misuse"),
    "risk.policy_written": _("Changed what is suspicious"),
}
POINTS: Words = {
    "points.adjusted": _("Adjusted points"),
    "points.adjustment_undone": _("Undid an adjustment"),
    "points.adjustment_asked": _("Asked for an adjustment"),
    "points.adjustment_approved": _("Approved an adjustment"),
    "points.adjustment_rejected": _("Rejected an adjustment"),
    "points.adjustment_withdrawn": _("Withdrew a request"),
    "points.redeemed": _("Redeemed for a member"),
    "points.redemption_undone": _("Undid a redemption"),
    "lot.extended": _("Gave units more time"),
    "lot.reinstated": _("Brought expired units back"),
    "debt.write_off": _("Wrote a debt off"),
    "debt.repay": _("Settled a debt from the balance"),
    "points.given": _("Gave points"),
    "points.received": _("Was given points"),
    "points.donated": _("Gave points to a charity"),
    "points.gift_undone": _("Undid a gift"),
    "standing_gift.set": _("Began a standing gift"),
    "standing_gift.ended": _("Ended a standing gift"),
    "charity.created": _("Added a charity"),
    "charity.changed": _("Changed a charity"),
    "charity_payout.made": _("Made a payout to a charity"),
    "charity_payout.paid": _("Marked a payout as paid"),
    "charity_payout.taken_back": _("Took a payout back"),
    "partner.created": _("Added a partner"),
    "partner.changed": _("Changed a partner"),
    "partner_settlement.closed": _("Closed a month of a partner"),
    "partner_settlement.paid": _("Marked a settlement as paid"),
    "pledge.created": _("Made a pledge"),
    "pledge.changed": _("Changed a pledge"),
    "membership.enrolled": _("Enrolled a customer"),
    "membership.suspended": _("Suspended a member"),
    "membership.card_replaced": _("Replaced a card"),
    "membership.resumed": _("Let a suspended member take part again"),
    "membership.left": _("Left the program"),
    "candidate.invited": _("Invited a customer"),
    "candidate.waiting": _("Put a customer on the waiting list"),
    "candidate.declined": _("Declined an invitation"),
    "tier.given": _("Gave a tier by hand"),
    "tier.ended": _("Ended a tier by hand"),
    "tiers.drafted": _("Wrote a draft of the tiers"),
    "tiers.discarded": _("Discarded a draft of the tiers"),
    "tiers.asked": _("Asked for tiers to be published"),
    "tiers.taken_back": _("No longer asks for tiers to be published"),
    "tiers.sent_back": _("Sent tiers back"),
    "tiers.published": _("Published tiers"),
}
BULK: Words = {
    "bulk_adjustment.created": _("Prepared a bulk adjustment"),
    "bulk_adjustment.asked": _("Asked for a bulk adjustment"),
    "bulk_adjustment.approved": _("Approved a bulk adjustment"),
    "bulk_adjustment.rejected": _("Rejected a bulk adjustment"),
    "bulk_adjustment.withdrawn": _("Withdrew a bulk adjustment"),
    "bulk_adjustment.posted": _("Posted a bulk adjustment"),
    "bulk_adjustment.undone": _("Undid a bulk adjustment"),
    "import.undone": _("Undid an import"),
    "balances.imported": _("Booked balances of a file"),
    "balances.exported": _("Exported balances"),
    "balances.fetched": _("Fetched a file of balances"),
}
SETTINGS: Words = {
    "adjustment_reason.created": _("Added an adjustment reason"),
    "adjustment_reason.changed": _("Changed an adjustment reason"),
    "adjustment_limit.created": _("Set limits for a program"),
    "adjustment_limit.changed": _("Changed limits"),
    "adjustment_limit.removed": _("Removed limits of a program"),
    "exchange_rate.created": _("Added an exchange rate"),
    "exchange_rate.changed": _("Changed an exchange rate"),
    "exchange_rate.deleted": _("Deleted an exchange rate"),
}
ACTIVITIES: Words = {
    "activity.approved": _("Approved an activity"),
    "activity.rejected": _("Rejected an activity"),
    "activity.reversed": _("Took back an activity"),
    "occasion.reversed": _("Took back a gift for a day of the year"),
    "activity_type.created": _("Added a type of activity"),
    "activity_type.changed": _("Changed a type of activity"),
}
PLANS: Words = {
    "plan.subscribed": _("Asked for a paid plan"),
    "plan.canceled": _("Canceled a paid plan"),
    "plan.resumed": _("Took a paid plan up again"),
    "plan.change_asked": _("Asked for another paid plan"),
    "plan.changed": _("Took another paid plan at once"),
    "plan.change_refused": _("The payment for another paid plan was refused"),
    "plan.ended": _("A paid plan ended"),
    "plan.paid": _("An invoice of a plan was paid"),
    "plan.paid_late": _("An invoice was paid after its plan had ended"),
    "plan.refund_asked": _("Asked the payment provider to give the payment of a plan back"),
    "plan.refund_refused": _("The payment provider refused to give a payment back"),
    "plan.refunded": _("Gave the payment of a plan back"),
    "plan.refund_failed": _("The payment provider could not give a payment back"),
    "plan.refund_retried": _("Had a payment given back that had failed"),
}
ORDERS: Words = {
    "order.refunded": _("Recorded a refund"),
    "order.held": _("Held an order back"),
    "order.released": _("Released an order"),
    "order.confirmed": _("Confirmed an order early"),
    "order.claimed": _("Assigned a guest order"),
    "order.unclaimed": _("Made an order a guest’s again"),
}
PROGRAMS: Words = {
    "program.terms_applied": _("Applied new terms to units that exist"),
    "backtest.created": _("Tried rules on real orders"),
    "program.created": _("Created a program"),
    "program.launched": _("Made a program of the wizard’s answers"),
    "program.changed": _("Changed a program"),
    "program.paused": _("Paused a program"),
    "program.resumed": _("Resumed a program"),
    "program.ending_planned": _("Planned the end of a program"),
    "program.ending_called_off": _("Called off the end of a program"),
    "goal.set": _("Set a goal"),
    "goal.changed": _("Changed a goal"),
    "goal.closed": _("Closed a goal"),
    "target_band.set": _("Set the band of a figure"),
    "program_review.made": _("Made the review of a program"),
    "review_finding.decided": _("Said what became of a finding of a review"),
    "economics.assumed": _("Kept assumptions of a program’s economics"),
    "economics.saved": _("Saved a scenario of a program’s economics"),
    "economics.removed": _("Removed a scenario of a program’s economics"),
    "launch.stopped": _("Stopped a launch"),
    "launch.resumed": _("Resumed a launch"),
    "launch.listed": _("Drew up the list of a launch"),
    "program.read": _("Confirmed to have read a program"),
}
RULES: Words = {
    "rule.drafted": _("Wrote a draft of a rule"),
    "rule.renamed": _("Renamed a rule"),
    "rule.discarded": _("Discarded a draft of a rule"),
    "rule.asked": _("Asked for a rule to be published"),
    "rule.taken_back": _("No longer asks for a rule to be published"),
    "rule.sent_back": _("Sent a rule back"),
    "rule.published": _("Published a rule"),
    "rule.scheduled": _("Scheduled a rule"),
    "rule.unscheduled": _("Undid the schedule of a rule"),
    "rule.retired": _("Retired a rule"),
    "rule.kept": _("Called off that a rule retires"),
    "rule.ordered": _("Put rules in another order"),
}
TARGETS: Mapping[str, TargetKind] = {
    "loyalty.program": TargetKind(_("Program"), f"{NAMESPACE}:program_by_id"),
    "loyalty.earningrule": TargetKind(_("Earning rule"), f"{NAMESPACE}:rule_by_id"),
    "loyalty.bulkadjustment": TargetKind(_("Bulk adjustment"), f"{NAMESPACE}:bulk_page"),
    "loyalty.activitytype": TargetKind(
        _("Type of activity"), f"{NAMESPACE}:activity_type_list", takes_id=False
    ),
    "loyalty.adjustmentreason": TargetKind(
        _("Adjustment reason"), f"{NAMESPACE}:reason_list", takes_id=False
    ),
    "loyalty.adjustmentlimit": TargetKind(_("Limits"), f"{NAMESPACE}:limit_list", takes_id=False),
    "loyalty.exchangerate": TargetKind(
        _("Exchange rate"), f"{NAMESPACE}:exchange_rate_list", takes_id=False
    ),
    "loyalty.backtest": TargetKind(_("Backtest"), f"{NAMESPACE}:backtest_page"),
    "loyalty.order": TargetKind(_("Order"), f"{NAMESPACE}:order_page"),
}
FIELDS: Words = {
    "plan": _("Plan"),
    "invoice": _("Invoice"),
    "refunded": _("Given back"),
    "to": _("To"),
    "spendable": _("Can be spent"),
    "units": _("Moved"),
    "wallet_type": _("Kind of points"),
    "activity": _("Activity"),
    "charity": _("Charity"),
    "partner": _("Partner"),
    "pledge": _("Pledge"),
    "share": _("Share"),
    "number": _("Number"),
    "reference": _("Reference"),
    "paid_on": _("Paid on"),
    "budget": _("Budget"),
    "event": _("For each"),
    "least": _("Only orders from"),
    "things": _("Things"),
    "activity_type": _("Activity"),
    "starts_at": _("From"),
    "ends_at": _("Until"),
    "when": _("For whom"),
    # The movement's row number says nothing to people; it is kept with the entry.
    "transfer": "",
    "amount": _("How many"),
    "until": _("Usable until"),
    "order": _("Order"),
    "refund": _("Refund"),
    "money": _("Given back"),
    "program": _("Program"),
    "card_number": _("Card number"),
    "changes": _("Changes"),
    "rule": _("Rule"),
    "rules": _("Rules"),
    "version": _("Version"),
    "from": _("From"),
    "written_by": _("Written by"),
    "asked_by": _("Asked by"),
    "source_name": _("Rows from"),
    "row_count": _("Rows"),
    "member_count": _("Members"),
    "source": _("How they joined"),
    "customers": _("Customers"),
    "spend_without": _("Spend without the program"),
    "margin": _("Margin"),
    "administration": _("Administration per member"),
    "platform_fee": _("Platform fee"),
    "support": _("Support, on top"),
    "messaging": _("Messaging, on top"),
    "risk_points": _("Points"),
    "risk_days": _("Days that are looked at"),
    "risk_medium": _("Medium risk from"),
    "risk_high": _("High risk from"),
    "risk_review": _("Somebody has to look from"),
    "risk_hold": _("Held by itself"),
    "risk_hold_from": _("Held from"),
    "given": _("Given"),
    "taken": _("Taken"),
}


def register() -> None:
    """Called once, when the application is ready."""
    for actions in (POINTS, RISK, BULK, SETTINGS, ACTIVITIES, ORDERS, PLANS, PROGRAMS, RULES):
        register_audit_actions(dict(actions))
    for name, kind in TARGETS.items():
        register_audit_target(name, kind)
    register_audit_fields(dict(FIELDS))
    register_audit_fields({f"risk_{signal.key}": signal.label for signal in risk_signals()})
