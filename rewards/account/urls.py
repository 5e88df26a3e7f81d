"""What a customer may take, and what they took."""

from __future__ import annotations

from django.urls import path

from rewards.account import content, credit, events, parcels, shelf, vouchers, wishes

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
    path("library/", content.content_list, name="library"),
    path("library/<uuid:content_id>/", content.content, name="content"),
    path("library/<uuid:content_id>/file/", content.content_file, name="content_file"),
    path("library/link/<str:token>/", content.content_link, name="content_link"),
    path("<uuid:public_id>/library/", content.content_list, name="library_of"),
    path("events/", events.event_list, name="events"),
    path("events/<uuid:event_id>/", events.event, name="event"),
    path("events/<uuid:event_id>/calendar/", events.event_calendar, name="event_calendar"),
    path("events/<uuid:event_id>/act/", events.event_act, name="event_act"),
    path("<uuid:public_id>/events/", events.event_list, name="events_of"),
    path("parcels/<uuid:parcel_id>/", parcels.parcel, name="parcel"),
    path("<uuid:public_id>/rewards/", shelf.shelf, name="shelf_of"),
    path("<uuid:public_id>/rewards/<uuid:reward_id>/", shelf.reward, name="reward"),
    path("<uuid:public_id>/rewards/<uuid:reward_id>/goal/", wishes.reward_goal, name="reward_goal"),
    path("<uuid:public_id>/rewards/<uuid:reward_id>/auto/", wishes.reward_auto, name="reward_auto"),
    path("<uuid:public_id>/vouchers/", vouchers.vouchers, name="vouchers_of"),
]
