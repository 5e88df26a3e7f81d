"""What loyalty adds to the shells of the back-office: entries, panels, search, words of the log."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from loyalty.backoffice import pool_menu
from loyalty.backoffice.approvals import menu_badge
from loyalty.models import Program
from loyalty.search import find_by_card, find_by_order
from loyalty.selectors.balances import balances_of
from loyalty.selectors.memberships import list_memberships
from loyalty.timeline import (
    activity_events,
    membership_events,
    movement_events,
    order_events,
    request_events,
)
from members.audit import (
    TargetKind,
    register_audit_actions,
    register_audit_fields,
    register_audit_target,
)
from members.formatting import format_money, format_points
from members.models import Customer
from members.navigation import (
    NavItem,
    ProgramChoice,
    register_nav_item,
    register_program_source,
)
from members.panels import (
    CustomerAction,
    HeaderFact,
    register_customer_action,
    register_customer_header,
    register_customer_panel,
    register_home_panel,
)
from members.policy import is_allowed
from members.search import register_search_provider
from members.timeline import register_timeline_source

NAMESPACE = "loyalty_backoffice"
ITEMS = (
    NavItem(
        "programs",
        _("Programs"),
        f"{NAMESPACE}:program_list",
        "heart-handshake",
        order=30,
        permission="programs.view",
        match=(f"{NAMESPACE}:program",),
        shortcut="g p",
    ),
    NavItem(
        "imports",
        _("Imports"),
        f"{NAMESPACE}:import_list",
        "file-import",
        order=60,
        permission="imports.run",
        match=(f"{NAMESPACE}:import",),
        shortcut="g i",
    ),
    NavItem(
        "liability",
        _("Liability"),
        f"{NAMESPACE}:liability",
        "scale",
        order=10,
        permission="reports.view",
        section="insights",
        match=(f"{NAMESPACE}:liability",),
        shortcut="g l",
    ),
    NavItem(
        "breakage",
        _("Breakage"),
        f"{NAMESPACE}:breakage",
        "hourglass-off",
        order=20,
        permission="reports.view",
        section="insights",
        match=(f"{NAMESPACE}:breakage",),
    ),
    NavItem(
        "journal",
        _("Journal"),
        f"{NAMESPACE}:journal",
        "book",
        order=30,
        permission="reports.view",
        section="insights",
        match=(f"{NAMESPACE}:journal",),
    ),
    NavItem(
        "self-checks",
        _("Self-check"),
        f"{NAMESPACE}:self_check_list",
        "shield-check",
        order=40,
        permission="reports.view",
        section="insights",
        match=(f"{NAMESPACE}:self_check",),
    ),
    NavItem(
        "backtests",
        _("Backtests"),
        f"{NAMESPACE}:backtest_list",
        "flask",
        order=25,
        permission="reports.view",
        section="insights",
        match=(f"{NAMESPACE}:backtest",),
    ),
    NavItem(
        "approvals",
        _("Approvals"),
        f"{NAMESPACE}:approval_list",
        "user-check",
        order=10,
        permission="points.adjust",
        section="operations",
        match=(f"{NAMESPACE}:approval",),
        shortcut="g a",
        badge=menu_badge,
    ),
    NavItem(
        "bulk",
        _("Bulk adjustments"),
        f"{NAMESPACE}:bulk_list",
        "users-group",
        order=20,
        permission="adjustments.bulk",
        section="operations",
        match=(f"{NAMESPACE}:bulk",),
        shortcut="g b",
    ),
    NavItem(
        "activities",
        _("Activities"),
        f"{NAMESPACE}:activity_type_list",
        "star",
        order=30,
        permission="programs.edit",
        section="settings",
        match=(f"{NAMESPACE}:activity_type",),
    ),
    NavItem(
        "reasons",
        _("Adjustment reasons"),
        f"{NAMESPACE}:reason_list",
        "message-2-question",
        order=40,
        permission="limits.manage",
        section="settings",
        match=(f"{NAMESPACE}:reason",),
    ),
    NavItem(
        "limits",
        _("Limits"),
        f"{NAMESPACE}:limit_list",
        "gauge",
        order=50,
        permission="limits.manage",
        section="settings",
        match=(f"{NAMESPACE}:limit",),
    ),
)


def register() -> None:
    """Add everything; called once, when the application is ready."""
    for item in ITEMS:
        register_nav_item(item)
    register_program_source(program_choices)
    _register_panels()
    pool_menu.register()
    register_search_provider("cards", find_by_card)
    register_search_provider("orders", find_by_order)
    for source in (
        movement_events, membership_events, order_events, request_events, activity_events
    ):  # fmt: skip
        register_timeline_source(source)
    _register_words()


def program_choices(request: HttpRequest) -> Sequence[ProgramChoice]:
    """The programs of the switcher; the one whose page this is, is the current one."""
    if not is_allowed(request.user, "programs.view"):
        return ()
    from loyalty.backoffice.links import program_url

    match = request.resolver_match
    here = match.kwargs.get("code") if match and match.namespace == NAMESPACE else None
    return [
        ProgramChoice(
            label=program.name,
            url=program_url(program),
            current=program.code == here,
            badge="" if program.status == Program.Status.LIVE else program.status,
        )
        for program in Program.objects.order_by("name")
    ]


def wallet_facts(customer: Customer) -> list[HeaderFact]:
    """What can be spent, in the customer's header."""
    memberships = list_memberships(customer)
    if not memberships:
        return []
    held = balances_of(memberships, timezone.now())
    return [
        HeaderFact(
            label=capfirst(balance.wallet_type.plural),
            value=format_points(balance.spendable, balance.wallet_type.scale),
            sub=format_money(balance.worth, membership.program.currency) if balance.worth else "",
            icon="wallet",
        )
        for membership in memberships
        for balance in held.get(membership.pk, [])
    ]


def _register_panels() -> None:
    wallet, movement, lot, order = (
        f"{NAMESPACE}:{name}_panel" for name in ("wallet", "movement", "lot", "order")
    )
    register_customer_panel("wallets", _("Wallets"), wallet, 5, icon="wallet", column="side")
    register_customer_panel(
        "tier", _("Tier"), f"{NAMESPACE}:tier_panel", 6, icon="trophy", column="side"
    )
    register_customer_panel("movements", _("Movements"), movement, 20, icon="history", rows=8)
    register_customer_panel("lots", _("Lots"), lot, 25, icon="stack-2", rows=6)
    register_customer_panel("orders", _("Orders"), order, 30, icon="receipt", rows=6)
    register_customer_panel(
        "activities", _("Activities"), f"{NAMESPACE}:activity_panel", 35, icon="star", rows=4
    )
    register_customer_action(
        CustomerAction(
            "adjust", _("Adjust balance"), f"{NAMESPACE}:customer_adjust", "plus-minus", 10,
            "points.adjust", shortcut="a",
        )
    )  # fmt: skip
    register_customer_action(
        CustomerAction(
            "give", _("Give"), f"{NAMESPACE}:customer_give", "gift", 20, "gifts.make",
        )
    )  # fmt: skip
    register_customer_header("wallets", wallet_facts, 10, refresh=["wallet-changed"])
    register_home_panel(
        "attention", _("Needs your attention"), f"{NAMESPACE}:attention_panel", 10,
        icon="bell", column="side",
    )  # fmt: skip
    register_home_panel(
        "figures", _("Figures"), f"{NAMESPACE}:figures_panel", 20, icon="chart-bar", column="wide"
    )
    register_home_panel(
        "trend", _("Last 90 days"), f"{NAMESPACE}:trend_panel", 30,
        icon="chart-histogram", rows=9,
    )  # fmt: skip
    register_home_panel(
        "feed", _("Latest movements"), f"{NAMESPACE}:feed_panel", 40, icon="history", column="side",
        rows=8,
    )  # fmt: skip


def _register_words() -> None:
    register_audit_actions(
        {
            "points.adjusted": _("Adjusted points"),
            "points.adjustment_undone": _("Undid an adjustment"),
            "points.adjustment_asked": _("Asked for an adjustment"),
            "points.adjustment_approved": _("Approved an adjustment"),
            "points.adjustment_rejected": _("Rejected an adjustment"),
            "points.adjustment_withdrawn": _("Withdrew a request"),
            "bulk_adjustment.created": _("Prepared a bulk adjustment"),
            "bulk_adjustment.asked": _("Asked for a bulk adjustment"),
            "bulk_adjustment.approved": _("Approved a bulk adjustment"),
            "bulk_adjustment.rejected": _("Rejected a bulk adjustment"),
            "bulk_adjustment.withdrawn": _("Withdrew a bulk adjustment"),
            "bulk_adjustment.posted": _("Posted a bulk adjustment"),
            "bulk_adjustment.undone": _("Undid a bulk adjustment"),
            "adjustment_reason.created": _("Added an adjustment reason"),
            "adjustment_reason.changed": _("Changed an adjustment reason"),
            "adjustment_limit.created": _("Set limits for a program"),
            "adjustment_limit.changed": _("Changed limits"),
            "adjustment_limit.removed": _("Removed limits of a program"),
            "points.redemption_undone": _("Undid a redemption"),
            "activity.approved": _("Approved an activity"),
            "activity.rejected": _("Rejected an activity"),
            "activity.reversed": _("Took back an activity"),
            "occasion.reversed": _("Took back a gift for a day of the year"),
            "activity_type.created": _("Added a type of activity"),
            "activity_type.changed": _("Changed a type of activity"),
            "order.refunded": _("Recorded a refund"),
            "order.held": _("Held an order back"),
            "order.released": _("Released an order"),
            "order.confirmed": _("Confirmed an order early"),
            "lot.extended": _("Gave units more time"),
            "lot.reinstated": _("Brought expired units back"),
            "debt.write_off": _("Wrote a debt off"),
            "debt.repay": _("Settled a debt from the balance"),
            "points.given": _("Gave points"),
            "points.received": _("Was given points"),
            "points.donated": _("Gave points to a charity"),
            "points.gift_undone": _("Undid a gift"),
            "membership.enrolled": _("Enrolled a customer"),
            "tier.given": _("Gave a tier by hand"),
            "tier.ended": _("Ended a tier by hand"),
            "order.claimed": _("Assigned a guest order"),
            "order.unclaimed": _("Made an order a guest’s again"),
            "program.terms_applied": _("Applied new terms to units that exist"),
            "backtest.created": _("Tried rules on real orders"),
            "program.created": _("Created a program"),
            "program.changed": _("Changed a program"),
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
    )
    register_audit_target("loyalty.program", TargetKind(_("Program"), f"{NAMESPACE}:program_by_id"))
    register_audit_target(
        "loyalty.earningrule", TargetKind(_("Earning rule"), f"{NAMESPACE}:rule_by_id")
    )
    register_audit_target(
        "loyalty.bulkadjustment", TargetKind(_("Bulk adjustment"), f"{NAMESPACE}:bulk_page")
    )
    register_audit_target(
        "loyalty.activitytype",
        TargetKind(_("Type of activity"), f"{NAMESPACE}:activity_type_list", takes_id=False),
    )
    register_audit_target(
        "loyalty.adjustmentreason",
        TargetKind(_("Adjustment reason"), f"{NAMESPACE}:reason_list", takes_id=False),
    )
    register_audit_target(
        "loyalty.adjustmentlimit",
        TargetKind(_("Limits"), f"{NAMESPACE}:limit_list", takes_id=False),
    )
    register_audit_target(
        "loyalty.backtest", TargetKind(_("Backtest"), f"{NAMESPACE}:backtest_page")
    )
    register_audit_target("loyalty.order", TargetKind(_("Order"), f"{NAMESPACE}:order_page"))
    register_audit_fields(
        {
            "spendable": _("Can be spent"),
            "units": _("Moved"),
            "wallet_type": _("Kind of points"),
            "activity": _("Activity"),
            "charity": _("Charity"),
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
            "given": _("Given"),
            "taken": _("Taken"),
        }
    )
