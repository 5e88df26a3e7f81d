"""Addresses of programs: their terms, members, launch, tiers, rules, goals, giving, backtests."""

from __future__ import annotations

from django.urls import path

from loyalty.backoffice import (
    backtests,
    charity_payouts,
    company_terms,
    downgrades,
    enrollment_files,
    figures,
    giving,
    goals,
    join_link,
    knowledge,
    launch_checks,
    launch_dashboard,
    launches,
    line_values,
    own_partner,
    partners,
    plans,
    pledges,
    policy_changes,
    program_editing,
    program_files,
    program_members,
    program_templates,
    program_times,
    programs,
    rule_calendar,
    rule_editing,
    rule_order,
    rule_publishing,
    rules,
    tier_drafts,
    tier_sets,
    wallet_types,
    wizard,
)

CHARITY = "programs/<slug:code>/giving/charities/<slug:charity_code>"
UNITS = "programs/<slug:code>/units"
PARTNER = "programs/<slug:code>/partners/<slug:partner_code>"
SETTLEMENT = "partner-settlements/<uuid:public_id>"
PAYOUT = "charity-payouts/<uuid:public_id>"

urlpatterns = [
    # Plans, members, launch, tiers
    path("programs/<slug:code>/plans/", plans.plan_list, name="plan_list"),
    path("programs/<slug:code>/plans/new/", plans.plan_new, name="plan_new"),
    path("programs/<slug:code>/plans/<slug:plan>/edit/", plans.plan_edit, name="plan_edit"),
    path("programs/<slug:code>/subscribers/", plans.subscriber_list, name="subscriber_list"),
    path("enrollment/sample/", enrollment_files.enrollment_sample, name="enrollment_sample"),
    path("programs/<slug:code>/members/", program_members.program_members, name="program_members"),
    path("programs/<slug:code>/candidates/", program_members.candidate_list, name="candidate_list"),
    path(
        "programs/<slug:code>/enroll-file/",
        enrollment_files.enrollment_file,
        name="enrollment_file",
    ),
    path("programs/<slug:code>/link/", join_link.join_link, name="join_link"),
    *(
        path(
            f"programs/<slug:code>/link/code.{kind}",
            join_link.join_link_file,
            {"kind": kind},
            name=f"join_link_{kind}",
        )
        for kind in join_link.TYPES
    ),
    path("programs/<slug:code>/launch/", launches.launch_page, name="launch_page"),
    path("programs/<slug:code>/launch/edit/", launches.launch_edit, name="launch_edit"),
    path("programs/<slug:code>/launch/customers/", launches.launch_places, name="launch_places"),
    path("programs/<slug:code>/launch/list/", launches.launch_list, name="launch_list"),
    path("programs/<slug:code>/launch/stop/", launches.launch_stop, name="launch_stop"),
    path("programs/<slug:code>/launch/resume/", launches.launch_resume, name="launch_resume"),
    path(
        "programs/<slug:code>/launch/checklist/",
        launch_checks.launch_checklist,
        name="launch_checklist",
    ),
    path(
        "programs/<slug:code>/launch/days/",
        launch_dashboard.launch_dashboard,
        name="launch_dashboard",
    ),
    path("programs/<slug:code>/knowledge/", knowledge.knowledge, name="knowledge"),
    path("programs/<slug:code>/tiers/", tier_sets.tier_set_page, name="tier_set_page"),
    path("programs/<slug:code>/tiers/ladder/", tier_sets.tier_ladder, name="tier_ladder"),
    path("programs/<slug:code>/tiers/edit/", tier_sets.tier_set_edit, name="tier_set_edit"),
    *(
        path(
            f"programs/<slug:code>/tiers/draft/{name.replace('_', '-')}/",
            getattr(tier_drafts, f"tier_draft_{name}"),
            name=f"tier_draft_{name}",
        )
        for name in ("publish", "send_back", "discard")
    ),
    path("programs/<slug:code>/tier-falls/", downgrades.tier_falls, name="tier_falls"),
    path("programs/<slug:code>/tier-falls/file/", downgrades.tier_falls_csv, name="tier_falls_csv"),
    # Kinds of units
    path(f"{UNITS}/", wallet_types.wallet_type_list, name="wallet_type_list"),
    path(f"{UNITS}/new/", wallet_types.wallet_type_create, name="wallet_type_create"),
    path(
        f"{UNITS}/<slug:wallet_type>/edit/", wallet_types.wallet_type_edit, name="wallet_type_edit"
    ),
    path(
        f"{UNITS}/<slug:wallet_type>/remove/",
        wallet_types.wallet_type_remove,
        name="wallet_type_remove",
    ),
    path("programs/<slug:code>/new-companies/", company_terms.company_terms, name="company_terms"),
    # Programs
    path("programs/", programs.program_list, name="program_list"),
    path("program/kinds/", program_templates.template_gallery, name="template_gallery"),
    path("program/kinds/<slug:template>/", program_templates.template_page, name="template_page"),
    path("program/file/", program_files.program_from_file, name="program_from_file"),
    path("programs/<slug:code>/file/", program_files.program_file, name="program_file"),
    path("program/new/", program_editing.program_create, name="program_create"),
    path("program/wizard/", wizard.wizard_start, name="wizard_start"),
    path("program/wizard/<uuid:public_id>/discard/", wizard.wizard_discard, name="wizard_discard"),
    path(
        "program/wizard/<uuid:public_id>/backtest/", wizard.wizard_backtest, name="wizard_backtest"
    ),
    path("program/wizard/<uuid:public_id>/<slug:step>/", wizard.wizard_step, name="wizard_step"),
    path(
        "program/wizard/<uuid:public_id>/<slug:step>/preview/",
        wizard.wizard_preview,
        name="wizard_preview",
    ),
    path("program/new/code/", program_editing.program_code, name="program_code"),
    path("program/example/", program_editing.program_example, name="program_example"),
    path("program/lines/<slug:name>/add/", line_values.line_values_add, name="line_values_add"),
    path("program/lines/<slug:name>/", line_values.line_value_options, name="line_value_options"),
    path("programs/<uuid:public_id>/", programs.program_by_id, name="program_by_id"),
    path("programs/<slug:code>/", programs.program_page, name="program_page"),
    path("programs/<slug:code>/edit/", program_editing.program_edit, name="program_edit"),
    path("programs/<slug:code>/publish/", programs.program_publish, name="program_publish"),
    path("programs/<slug:code>/archive/", programs.program_archive, name="program_archive"),
    path(
        "programs/<slug:code>/units/<slug:unit>/terms/",
        policy_changes.terms_apply,
        name="terms_apply",
    ),
    path(
        "programs/<slug:code>/units/<slug:unit>/terms/effect/",
        policy_changes.terms_effect,
        name="terms_effect",
    ),
    path("programs/<slug:code>/pause/", program_times.program_pause, name="program_pause"),
    path("programs/<slug:code>/resume/", program_times.program_resume, name="program_resume"),
    path("programs/<slug:code>/end/", program_times.program_end, name="program_end"),
    path("programs/<slug:code>/go-on/", program_times.program_go_on, name="program_go_on"),
    # Goals
    path("goals/", goals.goal_list, name="goal_list"),
    path("goals/<uuid:public_id>/edit/", goals.goal_edit, name="goal_edit"),
    path("goals/<uuid:public_id>/close/", goals.goal_close, name="goal_close"),
    path("programs/<slug:code>/goals/", goals.goal_list, name="goals_of"),
    path("programs/<slug:code>/goals/new/", goals.goal_create, name="goal_create"),
    path("programs/<slug:code>/export/", programs.program_export, name="program_export"),
    path("programs/<slug:code>/figures/", figures.program_figures, name="program_figures"),
    path("programs/<slug:code>/trend/", figures.program_trend, name="program_trend"),
    # Earning rules
    path("rules/<int:pk>/", rules.rule_by_id, name="rule_by_id"),
    path("programs/<slug:code>/rules/", rules.rule_list, name="rule_list"),
    path("programs/<slug:code>/rules/order/", rule_order.rule_order, name="rule_order"),
    path("programs/<slug:code>/rules/settings/", rules.rule_settings, name="rule_settings"),
    path("programs/<slug:code>/rules/calendar/", rule_calendar.rule_calendar, name="rule_calendar"),
    path("programs/<slug:code>/rules/new/", rule_editing.rule_gallery, name="rule_gallery"),
    path(
        "programs/<slug:code>/rules/new/<slug:template>/",
        rule_editing.rule_create,
        name="rule_create",
    ),
    path(
        "programs/<slug:code>/rules/preview/<slug:kind>/",
        rule_editing.rule_preview,
        name="rule_preview",
    ),
    path("programs/<slug:code>/rule/<slug:rule>/", rules.rule_page, name="rule_page"),
    path("programs/<slug:code>/rule/<slug:rule>/edit/", rule_editing.rule_edit, name="rule_edit"),
    *(
        path(
            f"programs/<slug:code>/rule/<slug:rule>/{name.replace('_', '-')}/",
            getattr(rule_publishing, f"rule_{name}"),
            name=f"rule_{name}",
        )
        for name in ("publish", "discard", "retire", "keep", "send_back")
    ),
    path(
        "programs/<slug:code>/rule/<slug:rule>/undo/<int:number>/",
        rule_publishing.rule_undo,
        name="rule_undo",
    ),
    # Backtests
    path("backtests/", backtests.backtest_list, name="backtest_list"),
    path("backtests/new/", backtests.backtest_create, name="backtest_create"),
    path("backtests/compare/", backtests.backtest_compare, name="backtest_compare"),
    path("backtests/job/<uuid:public_id>/", backtests.backtest_of_job, name="backtest_of_job"),
    path("backtests/<uuid:public_id>/", backtests.backtest_page, name="backtest_page"),
    path("backtests/<uuid:public_id>/stop/", backtests.backtest_stop, name="backtest_stop"),
    path("backtests/<uuid:public_id>/resume/", backtests.backtest_resume, name="backtest_resume"),
    # Giving
    path("programs/<slug:code>/giving/", giving.giving, name="giving"),
    path("programs/<slug:code>/giving/new/", giving.charity_create, name="charity_create"),
    path("programs/<slug:code>/giving/pledges/new/", pledges.pledge_create, name="pledge_create"),
    path(f"{CHARITY}/", giving.charity, name="charity"),
    path(f"{CHARITY}/edit/", giving.charity_edit, name="charity_edit"),
    path(f"{CHARITY}/state/", giving.charity_state, name="charity_state"),
    path(f"{CHARITY}/pay-out/", charity_payouts.charity_payout_create, name="charity_pay_out"),
    path(f"{CHARITY}/pledges/<slug:pledge_code>/edit/", pledges.pledge_edit, name="pledge_edit"),
    path(f"{CHARITY}/pledges/<slug:pledge_code>/state/", pledges.pledge_state, name="pledge_state"),
    path(f"{PAYOUT}/", charity_payouts.charity_payout, name="charity_payout"),
    path(f"{PAYOUT}/file/", charity_payouts.charity_payout_csv, name="charity_payout_csv"),
    path(f"{PAYOUT}/paid/", charity_payouts.charity_payout_pay, name="charity_payout_pay"),
    path(
        f"{PAYOUT}/take-back/",
        charity_payouts.charity_payout_take_back,
        name="charity_payout_take_back",
    ),
    # Partners
    path("programs/<slug:code>/partners/", partners.partner_list, name="partner_list"),
    path("programs/<slug:code>/new-partner/", partners.partner_create, name="partner_create"),
    path(f"{PARTNER}/", partners.partner_page, name="partner"),
    path(f"{PARTNER}/edit/", partners.partner_edit, name="partner_edit"),
    path(f"{PARTNER}/rates/", partners.partner_rate, name="partner_rate"),
    path(f"{PARTNER}/end/", partners.partner_end, name="partner_end"),
    path(f"{PARTNER}/close/", partners.partner_close, name="partner_close"),
    path(f"{SETTLEMENT}/", partners.partner_settlement, name="partner_settlement"),
    path(f"{SETTLEMENT}/file/", partners.partner_settlement_csv, name="partner_settlement_csv"),
    path(f"{SETTLEMENT}/paid/", partners.partner_settlement_pay, name="partner_settlement_pay"),
    path("own-partner/", own_partner.own_partner, name="own_partner"),
    path(
        "own-partner/settlements/<uuid:public_id>/",
        own_partner.own_settlement,
        name="own_settlement",
    ),
    path(
        "own-partner/settlements/<uuid:public_id>/file/",
        own_partner.own_settlement_csv,
        name="own_settlement_csv",
    ),
]
