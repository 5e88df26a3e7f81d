"""What loyalty adds to the shells of the back-office: entries, panels, search, words of the log."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from loyalty.backoffice import audit_words, home_places, pool_menu
from loyalty.backoffice.approvals import menu_badge
from loyalty.backoffice.order_places import find_orders
from loyalty.backoffice.program_places import find_programs
from loyalty.backoffice.risk import risk_facts
from loyalty.models import Membership, Program
from loyalty.occasion_verdicts import anything_given, register_occasion_verdicts
from loyalty.search import find_by_card, find_by_order
from loyalty.selectors.balances import Balance, balances_of
from loyalty.selectors.member_tiers import tiers_now
from loyalty.selectors.memberships import list_memberships
from loyalty.selectors.occasion_reasons import has_occasion_rules, occasion_verdicts
from loyalty.selectors.program_times import program_states
from loyalty.timeline import (
    activity_events,
    membership_events,
    movement_events,
    order_events,
    request_events,
)
from members.formatting import format_money, format_points
from members.models import Customer
from members.navigation import (
    NavItem,
    ProgramChoice,
    ProgramLink,
    register_nav_item,
    register_program_link,
    register_program_source,
)
from members.panels import (
    CustomerAction,
    HeaderFact,
    register_customer_action,
    register_customer_header,
    register_customer_panel,
    register_merchant_panel,
)
from members.places import register_place_finder
from members.policy import is_allowed
from members.prepared import KeptQuery
from members.search import register_search_provider
from members.timeline import register_timeline_source

NAMESPACE = "loyalty_backoffice"
ITEMS = (
    NavItem(
        "own-partner",
        _("Your brand"),
        f"{NAMESPACE}:own_partner",
        "building-store",
        order=5,
        permission="own_partner.view",
        match=(f"{NAMESPACE}:own_partner", f"{NAMESPACE}:own_settlement"),
    ),
    NavItem(
        "orders",
        _("Orders"),
        f"{NAMESPACE}:order_list",
        "receipt",
        order=21,
        permission="customers.view",
        match=(f"{NAMESPACE}:order_list",),
    ),
    NavItem(
        "programs",
        _("Programs"),
        f"{NAMESPACE}:program_list",
        "heart-handshake",
        order=30,
        permission="programs.view",
        match=tuple(
            f"{NAMESPACE}:{name}"
            for name in ("program", "launch", "candidate", "join_link", "enrollment", "knowledge")
        ),
        shortcut="g p",
    ),
    NavItem(
        "till",
        _("Till"),
        f"{NAMESPACE}:till",
        "building-store",
        order=35,
        permission="customers.edit",
        shortcut="g t",
    ),
    NavItem(
        "imports",
        _("Imports"),
        f"{NAMESPACE}:import_list",
        "file-import",
        order=60,
        permission="imports.view",
        match=(f"{NAMESPACE}:import",),
        shortcut="g i",
    ),
    NavItem(
        "overview",
        _("Overview"),
        f"{NAMESPACE}:overview",
        "layout-dashboard",
        order=1,
        permission="reports.view",
        section="insights",
        match=(f"{NAMESPACE}:overview", f"{NAMESPACE}:band_edit", f"{NAMESPACE}:tier_band_edit"),
        shortcut="g n",
    ),
    NavItem(
        "cohorts",
        _("Cohorts"),
        f"{NAMESPACE}:cohorts",
        "chart-dots",
        order=3,
        permission="reports.view",
        section="insights",
        match=(f"{NAMESPACE}:cohorts",),
    ),
    NavItem(
        "goals",
        _("Goals"),
        f"{NAMESPACE}:goal_list",
        "target-arrow",
        order=5,
        permission="programs.view",
        section="insights",
        match=(f"{NAMESPACE}:goal",),
    ),
    NavItem(
        "reviews",
        _("Program review"),
        f"{NAMESPACE}:review_list",
        "report-analytics",
        order=6,
        permission="reports.view",
        section="insights",
        match=(f"{NAMESPACE}:review", f"{NAMESPACE}:finding"),
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
        "economics",
        _("Economics"),
        f"{NAMESPACE}:economics_start",
        "calculator",
        order=7,
        permission="reports.view",
        section="insights",
        match=(f"{NAMESPACE}:economics", f"{NAMESPACE}:scenario", f"{NAMESPACE}:assumptions"),
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
        permission="approvals.view",
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
        permission="adjustments.view",
        section="operations",
        match=(f"{NAMESPACE}:bulk",),
        shortcut="g b",
    ),
    NavItem(
        "risk",
        _("Fraud review"),
        f"{NAMESPACE}:risk_case_list",
        "shield-search",
        order=28,
        permission="risk.view",
        section="operations",
        match=(f"{NAMESPACE}:risk_case", f"{NAMESPACE}:risk_settings"),
    ),
    NavItem(
        "activities",
        _("Activities"),
        f"{NAMESPACE}:activity_type_list",
        "star",
        order=30,
        permission="activity_types.edit",
        section="settings",
        match=(f"{NAMESPACE}:activity_type",),
    ),
    NavItem(
        "reasons",
        _("Adjustment reasons"),
        f"{NAMESPACE}:reason_list",
        "message-2-question",
        order=40,
        permission="limits.view",
        section="settings",
        match=(f"{NAMESPACE}:reason",),
    ),
    NavItem(
        "limits",
        _("Limits"),
        f"{NAMESPACE}:limit_list",
        "gauge",
        order=50,
        permission="limits.view",
        section="settings",
        match=(f"{NAMESPACE}:limit",),
    ),
    NavItem(
        "exchange_rates",
        _("Exchange rates"),
        f"{NAMESPACE}:exchange_rate_list",
        "arrows-exchange",
        order=55,
        permission="limits.view",
        section="settings",
        match=(f"{NAMESPACE}:exchange_rate",),
    ),
)


# The tabs of a program's pages; higher applications add theirs between them.
PROGRAM_PAGES = (
    ProgramLink(_("Overview"), f"{NAMESPACE}:program_page", "layout-dashboard", 0),
    ProgramLink(_("Earning rules"), f"{NAMESPACE}:rule_list", "coins", 10, shortcut="r"),
    ProgramLink(_("Kinds of units"), f"{NAMESPACE}:wallet_type_list", "wallet", 15),
    ProgramLink(_("Tiers"), f"{NAMESPACE}:tier_set_page", "trophy", 20),
    ProgramLink(_("Giving"), f"{NAMESPACE}:giving", "heart", 35),
    ProgramLink(_("Partners"), f"{NAMESPACE}:partner_list", "building-store", 37),
    ProgramLink(_("Paid plans"), f"{NAMESPACE}:plan_list", "credit-card", 40),
    ProgramLink(_("Members"), f"{NAMESPACE}:program_members", "users", 50),
    ProgramLink(
        _("Launch"), f"{NAMESPACE}:launch_page", "rocket", 60,
        also=(f"{NAMESPACE}:launch_checklist", f"{NAMESPACE}:launch_dashboard"),
    ),
    ProgramLink(_("Goals"), f"{NAMESPACE}:goals_of", "target-arrow", 70),
)  # fmt: skip


def register() -> None:
    """Add everything; called once, when the application is ready."""
    for item in ITEMS:
        register_nav_item(item)
    register_program_source(program_choices)
    for link in PROGRAM_PAGES:
        register_program_link(link)
    _register_panels()
    pool_menu.register()
    register_place_finder("programs", find_programs)
    register_place_finder("orders", find_orders)
    register_search_provider("cards", find_by_card)
    register_search_provider("orders", find_by_order)
    register_timeline_source(movement_events, "units")
    register_timeline_source(request_events, "units")
    register_timeline_source(membership_events, "membership")
    register_timeline_source(order_events, "orders")
    register_timeline_source(activity_events, "activities")
    audit_words.register()


_by_name: KeptQuery[Program] = KeptQuery(lambda: Program.objects.order_by("name"))


def program_choices(request: HttpRequest) -> Sequence[ProgramChoice]:
    """The programs of the switcher; the one whose page this is, is the current one."""
    if not is_allowed(request.user, "programs.view"):
        return ()
    from loyalty.backoffice.links import program_url

    match = request.resolver_match
    here = match.kwargs.get("code") if match and match.namespace == NAMESPACE else None
    programs = _by_name.rows()
    states = program_states(programs, timezone.now())
    return [
        ProgramChoice(
            label=program.name,
            url=program_url(program),
            current=program.code == here,
            badge="" if states[program.pk].state == "live" else states[program.pk].state,
        )
        for program in programs
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
            sub=_said_of(balance, membership, several=len(memberships) > 1),
            icon="wallet",
        )
        for membership in memberships
        for balance in held.get(membership.pk, [])
    ]


def _said_of(balance: Balance, membership: Membership, *, several: bool) -> str:
    """What it is worth, and whose it is: two programs may call their units alike."""
    worth = format_money(balance.worth, membership.program.currency) if balance.worth else ""
    return " · ".join(part for part in (worth, membership.program.name if several else "") if part)


def tier_facts(customer: Customer) -> list[HeaderFact]:
    """Where they stand, in the customer's header."""
    memberships = list_memberships(customer)
    tiers = tiers_now(memberships, timezone.now())
    return [
        HeaderFact(
            label=_("Tier"),
            value=tiers[membership.pk].name,
            sub=membership.program.name if len(tiers) > 1 else "",
            icon=tiers[membership.pk].icon,
        )
        for membership in memberships
        if membership.pk in tiers
    ]


def _register_panels() -> None:
    wallet, movement, lot, order = (
        f"{NAMESPACE}:{name}_panel" for name in ("wallet", "movement", "lot", "order")
    )
    register_customer_panel("wallets", _("Wallets"), wallet, 5, icon="wallet", column="side")
    register_customer_panel(
        "tier", _("Tier"), f"{NAMESPACE}:tier_panel", 6, icon="trophy", column="side"
    )
    register_customer_panel(
        "plan", _("Paid plan"), f"{NAMESPACE}:plan_panel", 7, icon="credit-card", column="side"
    )
    register_customer_panel(
        "giving", _("Giving"), f"{NAMESPACE}:giving_panel", 8, icon="heart", column="side"
    )
    register_customer_panel(
        "risk", _("Risk"), f"{NAMESPACE}:risk_panel", 10, "risk.view", icon="shield-search",
        column="side", rows=3,
    )  # fmt: skip
    register_occasion_verdicts("rules", occasion_verdicts, has_occasion_rules)
    register_customer_panel(
        "occasions", _("Birthday and anniversaries"), f"{NAMESPACE}:occasion_panel", 9,
        icon="cake", column="side", rows=3, needed=anything_given,
    )  # fmt: skip
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
    register_customer_header("tiers", tier_facts, 20, refresh=["wallet-changed"])
    register_customer_header("risk", risk_facts, 90, refresh=["wallet-changed"])
    _register_home()


def _register_home() -> None:
    register_merchant_panel(
        "wallet-passes", _("Cards in the wallets of phones"), f"{NAMESPACE}:wallet_pass_panel",
        icon="device-mobile",
    )  # fmt: skip
    home_places.register()
