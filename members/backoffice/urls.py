"""The back-office screens of customers, staff and settings."""

from __future__ import annotations

from django.urls import path

from members.backoffice import (
    api_keys,
    audit,
    condition_builder,
    customer_page,
    customer_tags,
    customer_tasks,
    customers,
    home,
    job_list,
    jobs,
    merchant,
    merging,
    personal_data,
    profile_questions,
    search,
    segment_files,
    segment_lists,
    segments,
    sign_in_providers,
    sign_ins,
    styleguide,
    team,
)

app_name = "backoffice"

CUSTOMER = "customers/<uuid:public_id>/"
# A word in front keeps names such as "new" free for the addresses above.
SEGMENT = "customers/segments/of/<slug:code>/"

urlpatterns = [
    path("", home.home, name="home"),
    path("home/newest-customers/", home.newest_customers, name="home_newest_customers"),
    path("home/tasks/", customer_tasks.home_tasks, name="home_tasks"),
    path("search/", search.search, name="search"),
    path("customers/", customers.customer_list, name="customer_list"),
    path("customers/new/", customers.customer_create, name="customer_create"),
    path(CUSTOMER, customer_page.customer, name="customer"),
    path(f"{CUSTOMER}header/", customer_page.header, name="customer_header"),
    path(f"{CUSTOMER}edit/", customers.customer_edit, name="customer_edit"),
    path(f"{CUSTOMER}merge/", merging.customer_merge, name="customer_merge"),
    path(f"{CUSTOMER}merge/undo/", merging.customer_merge_undo, name="customer_merge_undo"),
    path(f"{CUSTOMER}data/", personal_data.customer_data, name="customer_data"),
    path(f"{CUSTOMER}data/file/", personal_data.customer_data_file, name="customer_data_file"),
    path(f"{CUSTOMER}erase/", personal_data.customer_erase, name="customer_erase"),
    path(f"{CUSTOMER}details/", customer_page.identity, name="customer_identity"),
    path(f"{CUSTOMER}notes/", customer_page.notes, name="customer_notes"),
    path(f"{CUSTOMER}tags/", customer_tags.customer_tags, name="customer_tags"),
    path(f"{CUSTOMER}tasks/", customer_tasks.customer_tasks, name="customer_tasks"),
    path(
        f"{CUSTOMER}tasks/<int:pk>/done/",
        customer_tasks.customer_task_done,
        name="customer_task_done",
    ),
    path(
        f"{CUSTOMER}tasks/<int:pk>/take/",
        customer_tasks.customer_task_take,
        name="customer_task_take",
    ),
    path(
        f"{CUSTOMER}data/<uuid:package>/",
        personal_data.customer_data_fetch,
        name="customer_data_fetch",
    ),
    path(f"{CUSTOMER}timeline/", customer_page.timeline, name="customer_timeline"),
    path(f"{CUSTOMER}changes/", customer_page.audit, name="customer_audit"),
    path("questions/", profile_questions.question_list, name="profile_question_list"),
    path("questions/new/", profile_questions.question_create, name="profile_question_create"),
    path(
        "questions/of/<slug:code>/", profile_questions.question_edit, name="profile_question_edit"
    ),
    path("sign-ins/", sign_ins.sign_in_list, name="own_sign_ins"),
    path("sign-ins/<int:pk>/end/", sign_ins.sign_in_end, name="own_sign_in_end"),
    path("sign-ins/end/", sign_ins.sign_in_end_others, name="own_sign_ins_end"),
    path("settings/team/<int:pk>/sign-ins/", sign_ins.team_sign_ins, name="team_sign_ins"),
    path(
        "settings/team/<int:pk>/sign-ins/end/", sign_ins.team_sign_ins_end, name="team_sign_ins_end"
    ),
    path("settings/merchant/", merchant.merchant, name="merchant"),
    path("settings/merchant/preview/", merchant.preview, name="merchant_preview"),
    path("settings/team/", team.team, name="team"),
    path("settings/team/invite/", team.invite, name="team_invite"),
    path("settings/team/<int:pk>/role/", team.role, name="team_role"),
    path("settings/team/<int:pk>/phone/", team.phone, name="team_phone"),
    path("settings/team/<int:pk>/remind/", team.remind, name="team_remind"),
    path("settings/team/two-factor/", team.required_two_factor, name="team_required_two_factor"),
    path("settings/team/<int:pk>/two-factor/", team.two_factor, name="team_two_factor"),
    path("settings/team/<int:pk>/remove/", team.remove, name="team_remove"),
    path("settings/api-keys/", api_keys.api_key_list, name="api_key_list"),
    path("settings/api-keys/new/", api_keys.api_key_create, name="api_key_create"),
    path("settings/api-keys/<int:pk>/rotate/", api_keys.api_key_rotate, name="api_key_rotate"),
    path("settings/api-keys/<int:pk>/revoke/", api_keys.api_key_revoke, name="api_key_revoke"),
    path("settings/sign-in/", sign_in_providers.provider_list, name="sign_in_provider_list"),
    path(
        "settings/sign-in/new/", sign_in_providers.provider_create, name="sign_in_provider_create"
    ),
    path("settings/sign-in/of/<slug:code>/", sign_in_providers.provider, name="sign_in_provider"),
    path(
        "settings/sign-in/of/<slug:code>/remove/",
        sign_in_providers.provider_remove,
        name="sign_in_provider_remove",
    ),
    path("settings/audit-log/", audit.audit_log, name="audit_log"),
    path("settings/audit-log/file.<slug:kind>", audit.audit_export, name="audit_export"),
    path("customers/segments/", segments.segment_list, name="segment_list"),
    path("customers/segments/new/", segments.segment_create, name="segment_create"),
    path("customers/segments/preview/", segments.segment_preview, name="segment_preview"),
    path("customers/segments/<uuid:public_id>/", segments.segment_by_key, name="segment_by_key"),
    path(SEGMENT, segments.segment, name="segment"),
    path(f"{SEGMENT}edit/", segments.segment_edit, name="segment_edit"),
    path(f"{SEGMENT}refresh/", segments.segment_refresh, name="segment_refresh"),
    path(f"{SEGMENT}archive/", segments.segment_archive, name="segment_archive"),
    path(f"{SEGMENT}restore/", segments.segment_restore, name="segment_restore"),
    path(f"{SEGMENT}file/", segment_files.segment_file, name="segment_file"),
    path(f"{SEGMENT}load/", segment_lists.segment_load, name="segment_load"),
    path(f"{SEGMENT}add/", segment_lists.segment_add, name="segment_add"),
    path(
        f"{SEGMENT}customers/<uuid:public_id>/remove/",
        segment_lists.segment_remove,
        name="segment_remove",
    ),
    path(f"{CUSTOMER}segments/", segments.customer_segments, name="customer_segments"),
    path("conditions/", condition_builder.condition_builder, name="condition_builder"),
    path("conditions/values/", condition_builder.condition_values, name="condition_values"),
    path("jobs/", job_list.job_list, name="job_list"),
    path("jobs/start/<slug:key>/", job_list.start, name="job_start"),
    path("jobs/<uuid:public_id>/", jobs.job, name="job"),
    path("jobs/<uuid:public_id>/progress/", jobs.progress, name="job_progress"),
    path("jobs/<uuid:public_id>/log/", jobs.log, name="job_log"),
    path("jobs/<uuid:public_id>/cancel/", jobs.cancel, name="job_cancel"),
    path("jobs/<uuid:public_id>/retry/", jobs.retry, name="job_retry"),
    path("styleguide/", styleguide.styleguide, name="styleguide"),
    path("styleguide/dialog/", styleguide.styleguide_dialog, name="styleguide_dialog"),
    path("styleguide/panel/<slug:state>/", styleguide.styleguide_panel, name="styleguide_panel"),
]
