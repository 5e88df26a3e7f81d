"""The back-office screens of programs, wallets, orders and imports."""

from __future__ import annotations

from django.urls import path

from loyalty.backoffice import (
    adjustments,
    customers,
    figures,
    home,
    imports,
    line_values,
    memberships,
    orders,
    past,
    program_editing,
    programs,
    reversals,
)

app_name = "loyalty_backoffice"

urlpatterns = [
    # The customer page
    path("customers/<uuid:public_id>/wallets/", customers.wallet_panel, name="wallet_panel"),
    path("customers/<uuid:public_id>/movements/", customers.movement_panel, name="movement_panel"),
    path("customers/<uuid:public_id>/orders/", customers.order_panel, name="order_panel"),
    path("customers/<uuid:public_id>/past/", past.customer_past, name="customer_past"),
    path("customers/<uuid:public_id>/enroll/", memberships.enroll, name="enroll"),
    path("customers/<uuid:public_id>/adjust/", adjustments.customer_adjust, name="customer_adjust"),
    path("orders/<int:pk>/", orders.order_page, name="order_page"),
    path("wallets/<int:pk>/lots/", past.wallet_lots, name="wallet_lots"),
    path("wallets/<int:pk>/adjust/", adjustments.wallet_adjust, name="wallet_adjust"),
    path(
        "wallets/<int:pk>/adjust/preview/",
        adjustments.wallet_adjust_preview,
        name="wallet_adjust_preview",
    ),
    path("movements/<int:pk>/undo/", reversals.transfer_undo, name="transfer_undo"),
    # Programs
    path("programs/", programs.program_list, name="program_list"),
    path("program/new/", program_editing.program_create, name="program_create"),
    path("program/new/code/", program_editing.program_code, name="program_code"),
    path("program/example/", program_editing.program_example, name="program_example"),
    path("program/lines/<slug:name>/add/", line_values.line_values_add, name="line_values_add"),
    path("program/lines/<slug:name>/", line_values.line_value_options, name="line_value_options"),
    path("programs/<uuid:public_id>/", programs.program_by_id, name="program_by_id"),
    path("programs/<slug:code>/", programs.program_page, name="program_page"),
    path("programs/<slug:code>/edit/", program_editing.program_edit, name="program_edit"),
    path("programs/<slug:code>/publish/", programs.program_publish, name="program_publish"),
    path("programs/<slug:code>/archive/", programs.program_archive, name="program_archive"),
    path("programs/<slug:code>/export/", programs.program_export, name="program_export"),
    path("programs/<slug:code>/figures/", figures.program_figures, name="program_figures"),
    path("programs/<slug:code>/trend/", figures.program_trend, name="program_trend"),
    # Imports
    path("imports/", imports.import_list, name="import_list"),
    path("imports/new/", imports.import_create, name="import_create"),
    path("imports/samples/<slug:name>/", imports.import_sample, name="import_sample"),
    path("imports/<uuid:public_id>/", imports.import_page, name="import_page"),
    path("imports/<uuid:public_id>/errors/", imports.import_errors, name="import_errors"),
    path("imports/<uuid:public_id>/resume/", imports.import_resume, name="import_resume"),
    path("imports/<uuid:public_id>/cancel/", imports.import_cancel, name="import_cancel"),
    # Home
    path("home/attention/", home.attention_panel, name="attention_panel"),
    path("home/figures/", figures.figures_panel, name="figures_panel"),
    path("home/trend/", figures.trend_panel, name="trend_panel"),
    path("home/movements/", home.feed_panel, name="feed_panel"),
]
