"""What a customer may take, and what they took."""

from __future__ import annotations

from django.urls import path

from rewards.account import credit, shelf, vouchers, wishes

app_name = "rewards_account"

urlpatterns = [
    path("rewards/", shelf.shelf, name="shelf"),
    path("vouchers/", vouchers.vouchers, name="vouchers"),
    path("vouchers/<uuid:voucher_id>/", vouchers.voucher, name="voucher"),
    path("credit/", credit.credit, name="credit"),
    path("gift-cards/<uuid:card_id>/", credit.gift_card, name="gift_card"),
    path("<uuid:public_id>/credit/", credit.credit, name="credit_of"),
    path("<uuid:public_id>/credit/add/", credit.add_card, name="credit_add"),
    path("vouchers/<uuid:voucher_id>/expiry.ics", vouchers.voucher_expiry, name="voucher_expiry"),
    path("<uuid:public_id>/rewards/", shelf.shelf, name="shelf_of"),
    path("<uuid:public_id>/rewards/<uuid:reward_id>/", shelf.reward, name="reward"),
    path("<uuid:public_id>/rewards/<uuid:reward_id>/goal/", wishes.reward_goal, name="reward_goal"),
    path("<uuid:public_id>/rewards/<uuid:reward_id>/auto/", wishes.reward_auto, name="reward_auto"),
    path("<uuid:public_id>/vouchers/", vouchers.vouchers, name="vouchers_of"),
]
