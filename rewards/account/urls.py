"""What a customer may take, and what they took."""

from __future__ import annotations

from django.urls import path

from rewards.account import shelf, vouchers

app_name = "rewards_account"

urlpatterns = [
    path("rewards/", shelf.shelf, name="shelf"),
    path("vouchers/", vouchers.vouchers, name="vouchers"),
    path("vouchers/<uuid:voucher_id>/", vouchers.voucher, name="voucher"),
    path("<uuid:public_id>/rewards/", shelf.shelf, name="shelf_of"),
    path("<uuid:public_id>/rewards/<uuid:reward_id>/", shelf.reward, name="reward"),
    path("<uuid:public_id>/vouchers/", vouchers.vouchers, name="vouchers_of"),
]
