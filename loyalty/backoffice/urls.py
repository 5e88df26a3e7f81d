"""The back-office screens of programs, wallets, orders and imports."""

from __future__ import annotations

from django.urls import path

from loyalty.backoffice import adjustments, customers, memberships, orders, reversals

app_name = "loyalty_backoffice"

urlpatterns = [
    path("customers/<uuid:public_id>/wallets/", customers.wallet_panel, name="wallet_panel"),
    path("customers/<uuid:public_id>/movements/", customers.movement_panel, name="movement_panel"),
    path("customers/<uuid:public_id>/orders/", customers.order_panel, name="order_panel"),
    path("customers/<uuid:public_id>/enroll/", memberships.enroll, name="enroll"),
    path("orders/<int:pk>/", orders.order_page, name="order_page"),
    path("wallets/<int:pk>/adjust/", adjustments.wallet_adjust, name="wallet_adjust"),
    path(
        "wallets/<int:pk>/adjust/preview/",
        adjustments.wallet_adjust_preview,
        name="wallet_adjust_preview",
    ),
    path("movements/<int:pk>/undo/", reversals.transfer_undo, name="transfer_undo"),
]
