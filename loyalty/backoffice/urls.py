"""The back-office screens of loyalty: of its own rooms here, of customers and programs beside."""

from __future__ import annotations

from django.urls import path

from loyalty.backoffice import (
    account_codes,
    activity_types,
    approvals,
    breakage,
    bulk,
    closing,
    customer_urls,
    enrollment_undos,
    figures,
    first_steps,
    goals,
    home,
    import_undos,
    imports,
    journal,
    liability,
    limits,
    program_urls,
    reasons,
    self_checks,
    shop_imports,
    wallet_passes,
)

app_name = "loyalty_backoffice"

urlpatterns = [
    # Imports
    path("imports/", imports.import_list, name="import_list"),
    path("imports/new/", imports.import_create, name="import_create"),
    path("imports/file/", shop_imports.import_upload, name="import_upload"),
    path("imports/file/<slug:key>/", shop_imports.import_columns, name="import_columns"),
    path("imports/file/<slug:key>/check/", shop_imports.import_check, name="import_check"),
    path(
        "imports/file/<slug:key>/errors/",
        shop_imports.import_check_errors,
        name="import_check_errors",
    ),
    path(
        "imports/dry-runs/<uuid:public_id>/",
        shop_imports.import_of_dry_run,
        name="import_of_dry_run",
    ),
    path("imports/samples/<slug:name>/", imports.import_sample, name="import_sample"),
    path("imports/<uuid:public_id>/", imports.import_page, name="import_page"),
    path("imports/<uuid:public_id>/errors/", imports.import_errors, name="import_errors"),
    path("imports/<uuid:public_id>/resume/", imports.import_resume, name="import_resume"),
    path(
        "imports/enrollments/<uuid:public_id>/undo/",
        enrollment_undos.enrollment_undo,
        name="enrollment_undo",
    ),
    path("imports/<uuid:public_id>/undo/", import_undos.import_undo, name="import_undo"),
    path(
        "imports/<uuid:public_id>/not-undone/",
        import_undos.import_undo_rest,
        name="import_undo_rest",
    ),
    path("imports/undos/<uuid:public_id>/", import_undos.import_of_undo, name="import_of_undo"),
    path("imports/<uuid:public_id>/cancel/", imports.import_cancel, name="import_cancel"),
    # Approvals and bulk adjustments
    path("approvals/", approvals.approval_list, name="approval_list"),
    path("approvals/<uuid:public_id>/", approvals.approval, name="approval"),
    path("approvals/<uuid:public_id>/reject/", approvals.approval_reject, name="approval_reject"),
    path(
        "approvals/<uuid:public_id>/withdraw/",
        approvals.approval_withdraw,
        name="approval_withdraw",
    ),
    path("bulk/", bulk.bulk_list, name="bulk_list"),
    path("bulk/new/<slug:kind>/", bulk.bulk_create, name="bulk_create"),
    path("bulk/samples/<slug:kind>/", bulk.bulk_sample, name="bulk_sample"),
    path("bulk/<uuid:public_id>/", bulk.bulk_page, name="bulk_page"),
    path("bulk/jobs/<uuid:public_id>/", bulk.bulk_of_job, name="bulk_of_job"),
    path("bulk/<uuid:public_id>/problems/", bulk.bulk_problems, name="bulk_problems"),
    path("bulk/<uuid:public_id>/post/", bulk.bulk_post, name="bulk_post"),
    path("bulk/<uuid:public_id>/approve/", bulk.bulk_approve, name="bulk_approve"),
    path("bulk/<uuid:public_id>/reject/", bulk.bulk_reject, name="bulk_reject"),
    path("bulk/<uuid:public_id>/withdraw/", bulk.bulk_withdraw, name="bulk_withdraw"),
    path("bulk/<uuid:public_id>/undo/", bulk.bulk_undo, name="bulk_undo"),
    path("bulk/<uuid:public_id>/stop/", bulk.bulk_stop, name="bulk_stop"),
    path("bulk/<uuid:public_id>/resume/", bulk.bulk_resume, name="bulk_resume"),
    # Settings
    path("activity-types/", activity_types.activity_type_list, name="activity_type_list"),
    path("activity-types/new/", activity_types.activity_type_create, name="activity_type_create"),
    path(
        "activity-types/<slug:code>/", activity_types.activity_type_edit, name="activity_type_edit"
    ),
    path("reasons/", reasons.reason_list, name="reason_list"),
    path("reasons/new/", reasons.reason_create, name="reason_create"),
    path("reasons/<int:pk>/", reasons.reason_edit, name="reason_edit"),
    path("limits/", limits.limit_list, name="limit_list"),
    path("limits/new/", limits.limit_create, name="limit_create"),
    path("limits/<int:pk>/", limits.limit_edit, name="limit_edit"),
    path("limits/<int:pk>/remove/", limits.limit_remove, name="limit_remove"),
    # Insights
    path("insights/liability/", liability.liability, name="liability"),
    path("insights/liability/file/", liability.liability_csv, name="liability_csv"),
    path("insights/liability/members/", liability.liability_members, name="liability_members"),
    path("insights/breakage/", breakage.breakage_page, name="breakage"),
    path("insights/breakage/file/", breakage.breakage_csv, name="breakage_csv"),
    path("insights/journal/", journal.journal_page, name="journal"),
    path("insights/journal/file/", journal.journal_csv, name="journal_csv"),
    path("insights/journal/discounts/", journal.discounts_csv, name="journal_discounts"),
    path("insights/journal/giving/", journal.giving_csv, name="journal_giving"),
    path(
        "insights/journal/<slug:code>/accounts/",
        account_codes.account_codes,
        name="account_codes",
    ),
    path("insights/journal/<slug:code>/close/", closing.books_close, name="books_close"),
    path("insights/journal/<slug:code>/reopen/", closing.books_reopen, name="books_reopen"),
    path("insights/self-checks/", self_checks.self_check_list, name="self_check_list"),
    path("insights/self-checks/<int:pk>/", self_checks.self_check, name="self_check"),
    # Home
    path("home/first-steps/", first_steps.first_steps_panel, name="first_steps_panel"),
    path("home/attention/", home.attention_panel, name="attention_panel"),
    path("home/goals/", goals.goals_panel, name="goals_panel"),
    path("home/figures/", figures.figures_panel, name="figures_panel"),
    path("home/trend/", figures.trend_panel, name="trend_panel"),
    path("home/movements/", home.feed_panel, name="feed_panel"),
    path(
        "settings/merchant/wallet-passes/",
        wallet_passes.wallet_pass_panel,
        name="wallet_pass_panel",
    ),
    *customer_urls.urlpatterns,
    *program_urls.urlpatterns,
]
