"""The customer's own pages, about the membership in the address or the one chosen before."""

from __future__ import annotations

from django.urls import path

from loyalty.account import (
    charities,
    companies,
    earn,
    giving,
    leaving,
    own_data,
    plan_changes,
    plans,
    pools,
    profile,
    purchases,
    sign_ins,
    statements,
    views,
    wallet_passes,
)

app_name = "mypage"

urlpatterns = [
    path("", views.home, name="home"),
    path("history/", views.history, name="history"),
    path("history/<int:pk>/", views.movement, name="history_movement"),
    path("purchases/", purchases.purchases, name="purchases"),
    path("statement/", statements.statement, name="statement"),
    path("earn/", earn.earn, name="earn"),
    path("card/", views.card, name="card"),
    path("give/", giving.give, name="give"),
    path("giving/", charities.giving, name="giving"),
    path("pool/", pools.pool, name="pool"),
    path("plan/", plans.plan, name="plan"),
    path("profile/", profile.profile, name="profile"),
    path("profile/data/", own_data.own_data, name="own_data"),
    path("profile/sign-ins/", sign_ins.sign_ins, name="sign_ins"),
    path("profile/sign-ins/end/", sign_ins.sign_ins_end, name="sign_ins_end"),
    path("profile/sign-ins/<int:pk>/end/", sign_ins.sign_in_end, name="sign_in_end"),
    path("profile/data/<uuid:package>/", own_data.own_data_file, name="own_data_file"),
    path("<uuid:public_id>/", views.home, name="home_of"),
    path("<uuid:public_id>/history/", views.history, name="history_of"),
    path("<uuid:public_id>/purchases/", purchases.purchases, name="purchases_of"),
    path("<uuid:public_id>/purchases/<int:pk>/", purchases.purchase, name="purchase"),
    path("<uuid:public_id>/statement/", statements.statement, name="statement_of"),
    path(
        "<uuid:public_id>/statement/<str:period>.pdf",
        statements.statement_file,
        name="statement_file",
    ),
    path("<uuid:public_id>/earn/", earn.earn, name="earn_of"),
    path("<uuid:public_id>/card/", views.card, name="card_of"),
    path("<uuid:public_id>/card/apple-wallet/", wallet_passes.apple_wallet, name="apple_wallet"),
    path("<uuid:public_id>/card/google-wallet/", wallet_passes.google_wallet, name="google_wallet"),
    path("<uuid:public_id>/give/", giving.give, name="give_of"),
    path("<uuid:public_id>/leave/", leaving.leave, name="leave"),
    path("<uuid:public_id>/giving/", charities.giving, name="giving_of"),
    path("<uuid:public_id>/giving/<slug:code>/", charities.charity, name="charity"),
    path(
        "<uuid:public_id>/standing-gifts/<slug:wallet_type>/",
        charities.standing_gift,
        name="standing_gift",
    ),
    path("<uuid:public_id>/plan/", plans.plan, name="plan_of"),
    path("<uuid:public_id>/plan/cancel/", plans.plan_cancel, name="plan_cancel"),
    path("<uuid:public_id>/plan/resume/", plans.plan_resume, name="plan_resume"),
    path("<uuid:public_id>/plan/change/<slug:code>/", plan_changes.plan_change, name="plan_change"),
    path("<uuid:public_id>/plan/payment/", plans.plan_payment, name="plan_payment"),
    path("<uuid:public_id>/plan/take/<slug:code>/", plans.plan_join, name="plan_join"),
    path("<uuid:public_id>/pool/", pools.pool, name="pool_of"),
    path("<uuid:public_id>/pool/sharing/", pools.pool_sharing, name="pool_sharing"),
    path("<uuid:public_id>/pool/move/", pools.pool_move, name="pool_move"),
    path("<uuid:public_id>/pool/leave/", pools.pool_leave, name="pool_leave"),
    path("<uuid:public_id>/pool/ask/", companies.spend_ask, name="spend_ask"),
    path(
        "<uuid:public_id>/pool/requests/<uuid:request_id>/",
        companies.spend_decide,
        name="spend_decide",
    ),
    path(
        "<uuid:public_id>/pool/requests/<uuid:request_id>/withdraw/",
        companies.spend_withdraw,
        name="spend_withdraw",
    ),
]
