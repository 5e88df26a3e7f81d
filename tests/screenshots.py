"""`make screenshots`: pictures of the main pages with the demonstration's data.

The README's pictures go to docs/images/, all others to var/screenshots/. To add a page, add a line
to PAGES. `ARGS="--only home"` takes those whose names contain a word, `--dark` the dark ones.

They have embedded services of their own in var/screenshots-data/, filled with the demonstration by
the first run, so that nobody's work shows in a picture; `--here` takes one's own data instead.
"""

from __future__ import annotations

import argparse
import os

from config import embedded
from tests.chromium import PROJECT
from tests.demo_subjects import Demo
from tests.pictures import PHONE, WIDE, Page, take
from tests.serving import served

DATA = PROJECT / "var" / "screenshots-data"

PAGES = (
    Page("home", ("backoffice:home",), image=WIDE),
    Page("customers", ("backoffice:customer_list",)),
    Page("customer", ("backoffice:customer", "customer")),
    Page("customer-past", ("loyalty_backoffice:customer_past", "customer")),
    Page("customer-tier", ("loyalty_backoffice:tier_panel", "customer")),
    Page("tiers", ("loyalty_backoffice:tier_set_page", "program")),
    Page("tiers-publish", ("loyalty_backoffice:tier_draft_publish", "program")),
    Page("tiers-edit", ("loyalty_backoffice:tier_set_edit", "program")),
    Page("tiers-falls", ("loyalty_backoffice:tier_falls", "program")),
    Page("customer-plan", ("loyalty_backoffice:plan_panel", "customer")),
    Page("plans", ("loyalty_backoffice:plan_list", "program")),
    Page("plan-new", ("loyalty_backoffice:plan_new", "program")),
    Page("plan-edit", ("loyalty_backoffice:plan_edit", "program", "plan")),
    Page("plan-subscribers", ("loyalty_backoffice:subscriber_list", "program")),
    Page("plan-cancel", ("loyalty_backoffice:subscription_cancel", "subscription")),
    Page("segments", ("backoffice:segment_list",)),
    Page("segment", ("backoffice:segment", "segment")),
    Page("segment-edit", ("backoffice:segment_edit", "segment")),
    Page("segment-new", ("backoffice:segment_create",)),
    Page("segment-list", ("backoffice:segment", "guests")),
    Page("customer-new", ("backoffice:customer_create",)),
    Page("merge", ("backoffice:customer_merge", "customer")),
    Page("merge-confirm", ("backoffice:customer_merge", "customer"), query=("with", "duplicate")),
    Page("order", ("loyalty_backoffice:order_page", "order")),
    Page("order-hold", ("loyalty_backoffice:order_hold", "order")),
    Page("order-refund", ("loyalty_backoffice:order_refund", "order")),
    Page("guest-order", ("loyalty_backoffice:order_page", "guest_order")),
    Page("claim", ("loyalty_backoffice:order_claim", "guest_order")),
    Page(
        "claim-confirm",
        ("loyalty_backoffice:order_claim", "guest_order"),
        query=("customer", "duplicate"),
    ),
    Page("adjust", ("loyalty_backoffice:wallet_adjust", "wallet")),
    Page("redeem", ("loyalty_backoffice:wallet_redeem", "wallet")),
    Page("pools", ("loyalty_backoffice:pool_list",)),
    Page("pool", ("loyalty_backoffice:pool_page", "pool")),
    Page("pool-new", ("loyalty_backoffice:pool_create",)),
    Page("companies", ("loyalty_backoffice:company_list",)),
    Page("company", ("loyalty_backoffice:company_page", "company")),
    Page("company-new", ("loyalty_backoffice:company_create",)),
    Page("company-edit", ("loyalty_backoffice:company_edit", "company")),
    Page("company-import", ("loyalty_backoffice:company_import",)),
    Page("give", ("loyalty_backoffice:wallet_give", "wallet")),
    Page("lot-extend", ("loyalty_backoffice:lot_extend", "lot")),
    Page("programs", ("loyalty_backoffice:program_list",)),
    Page("program", ("loyalty_backoffice:program_page", "program")),
    Page("program-pause", ("loyalty_backoffice:program_pause", "program")),
    Page("program-end", ("loyalty_backoffice:program_end", "program")),
    Page("goals", ("loyalty_backoffice:goals_of", "program")),
    Page("goal-new", ("loyalty_backoffice:goal_create", "program")),
    Page("program-edit", ("loyalty_backoffice:program_edit", "program")),
    Page("program-kinds", ("loyalty_backoffice:template_gallery",)),
    Page("program-kind", ("loyalty_backoffice:template_page", "program_kind")),
    Page("program-new", ("loyalty_backoffice:program_create",)),
    Page("wizard", ("loyalty_backoffice:wizard_start",)),
    Page("wizard-shop", ("loyalty_backoffice:wizard_step", "draft", "situation")),
    Page("wizard-kind", ("loyalty_backoffice:wizard_step", "draft", "kind")),
    Page("wizard-earning", ("loyalty_backoffice:wizard_step", "draft", "earning")),
    Page("wizard-tiers", ("loyalty_backoffice:wizard_step", "draft", "tiers")),
    Page("wizard-terms", ("loyalty_backoffice:wizard_step", "draft", "terms")),
    Page("wizard-cost", ("loyalty_backoffice:wizard_step", "draft", "cost")),
    Page("wizard-launch", ("loyalty_backoffice:wizard_step", "draft", "launch")),
    Page("wizard-review", ("loyalty_backoffice:wizard_step", "draft", "review")),
    Page("wizard-quick", ("loyalty_backoffice:wizard_step", "quick_draft", "quick_step")),
    Page("rules", ("loyalty_backoffice:rule_list", "program")),
    Page("rule-calendar", ("loyalty_backoffice:rule_calendar", "program")),
    Page("rule-gallery", ("loyalty_backoffice:rule_gallery", "program")),
    Page("rule-new", ("loyalty_backoffice:rule_create", "program", "rule_template")),
    Page("rule-cashback", ("loyalty_backoffice:rule_create", "program", "cashback")),
    Page("rule-activity", ("loyalty_backoffice:rule_create", "program", "review_bonus")),
    Page("rule-discount", ("loyalty_backoffice:rule_create", "program", "progressive_card")),
    Page("rule-discount-page", ("loyalty_backoffice:rule_page", "program", "discount")),
    Page("rule-occasion", ("loyalty_backoffice:rule_create", "program", "birthday_gift")),
    Page("rule", ("loyalty_backoffice:rule_page", "program", "rule")),
    Page("rule-edit", ("loyalty_backoffice:rule_edit", "program", "rule")),
    Page("rule-publish", ("loyalty_backoffice:rule_publish", "program", "rule")),
    Page("program-terms", ("loyalty_backoffice:terms_apply", "program", "unit")),
    Page("imports", ("loyalty_backoffice:import_list",)),
    Page("import-new", ("loyalty_backoffice:import_create",)),
    Page("import", ("loyalty_backoffice:import_page", "job")),
    Page("import-undo", ("loyalty_backoffice:import_undo", "job")),
    Page("jobs", ("backoffice:job_list",)),
    Page("job", ("backoffice:job", "job")),
    Page("approvals", ("loyalty_backoffice:approval_list",)),
    Page("approval", ("loyalty_backoffice:approval", "request")),
    Page("activity", ("loyalty_backoffice:activity", "activity")),
    Page("activity-types", ("loyalty_backoffice:activity_type_list",)),
    Page("activity-type-new", ("loyalty_backoffice:activity_type_create",)),
    Page("bulk-adjustments", ("loyalty_backoffice:bulk_list",)),
    Page("bulk-adjustment-new", ("loyalty_backoffice:bulk_create", "adjustment")),
    Page("bulk-gift-new", ("loyalty_backoffice:bulk_create", "grant")),
    Page("bulk-adjustment", ("loyalty_backoffice:bulk_page", "bulk")),
    Page("fraud-review", ("loyalty_backoffice:risk_case_list",)),
    Page("fraud-case", ("loyalty_backoffice:risk_case", "risk_case")),
    Page("fraud-hold", ("loyalty_backoffice:risk_case_hold", "risk_case")),
    Page("fraud-take-back", ("loyalty_backoffice:risk_case_claw_back", "risk_case")),
    Page("fraud-settings", ("loyalty_backoffice:risk_settings", "program")),
    Page("adjustment-reasons", ("loyalty_backoffice:reason_list",)),
    Page("adjustment-reason-new", ("loyalty_backoffice:reason_create",)),
    Page("exchange-rates", ("loyalty_backoffice:exchange_rate_list",)),
    Page("exchange-rate-new", ("loyalty_backoffice:exchange_rate_create",)),
    Page("exchange-rate-import", ("loyalty_backoffice:exchange_rate_import",)),
    Page("adjustment-limits", ("loyalty_backoffice:limit_list",)),
    Page("reward-exceptions", ("rewards_backoffice:override_limit_list",)),
    Page("adjustment-limit-new", ("loyalty_backoffice:limit_create",)),
    Page("rewards", ("rewards_backoffice:reward_list", "program")),
    Page("rewards-preview", ("rewards_backoffice:reward_preview", "program")),
    Page("reward", ("rewards_backoffice:reward_page", "program", "reward_code")),
    Page("reward-new", ("rewards_backoffice:reward_create", "program")),
    Page("storefront", ("rewards_backoffice:storefront",)),
    Page("demo-shop", ("demoshop:shop",)),
    Page("redemptions", ("rewards_backoffice:redemption_list",)),
    Page("checkouts", ("rewards_backoffice:checkout_panel", "shopper")),
    Page("checkout-cancel", ("rewards_backoffice:checkout_cancel", "checkout")),
    Page("checkout-order", ("loyalty_backoffice:order_page", "order_paid_with_units")),
    Page("gift-cards", ("rewards_backoffice:gift_card_list",)),
    Page("gift-card", ("rewards_backoffice:gift_card_page", "gift_card")),
    Page("gift-card-new", ("rewards_backoffice:gift_card_issue",)),
    Page("gift-cards-in-bulk", ("rewards_backoffice:gift_card_batch_list",)),
    Page("voucher-lists", ("rewards_backoffice:voucher_pool_list", "program")),
    Page("giving", ("loyalty_backoffice:giving", "program")),
    Page("giving-charity", ("loyalty_backoffice:charity", "program", "charity")),
    Page("giving-charity-new", ("loyalty_backoffice:charity_create", "program")),
    Page("giving-pay-out", ("loyalty_backoffice:charity_pay_out", "program", "charity")),
    Page("giving-payout", ("loyalty_backoffice:charity_payout", "payout")),
    Page("giving-pledge-new", ("loyalty_backoffice:pledge_create", "program")),
    Page("fulfillment", ("rewards_backoffice:task_list",)),
    Page("fulfillment-task", ("rewards_backoffice:task", "parcel")),
    Page("fulfillment-labels", ("rewards_backoffice:task_labels",)),
    Page("messages", ("messages_backoffice:occasion_list",)),
    Page("messages-occasion", ("messages_backoffice:occasion", "occasion")),
    Page("broadcasts", ("messages_backoffice:broadcast_list",)),
    Page("broadcast", ("messages_backoffice:broadcast", "broadcast")),
    Page("broadcast-scheduled", ("messages_backoffice:broadcast", "scheduled_broadcast")),
    Page("broadcast-edit", ("messages_backoffice:broadcast_edit", "draft_broadcast")),
    Page(
        "broadcast-words",
        ("messages_backoffice:broadcast_words", "scheduled_broadcast", "channel", "locale"),
    ),
    Page("journeys", ("messages_backoffice:journey_list",)),
    Page("journey", ("messages_backoffice:journey", "journey")),
    Page("journey-edit", ("messages_backoffice:journey_edit", "journey")),
    Page("journey-figures", ("messages_backoffice:journey_figures", "journey")),
    Page("message-figures", ("messages_backoffice:figure_list",)),
    Page("message-figures-one", ("messages_backoffice:occasion_figures", "told")),
    Page("message-measuring", ("messages_backoffice:measuring",)),
    Page("journey-people", ("messages_backoffice:journey_people", "journey")),
    Page("messages-words", ("messages_backoffice:words", "occasion", "channel", "locale")),
    Page("messages-sent", ("messages_backoffice:delivery_list",)),
    Page("messages-ways", ("messages_backoffice:way_list",)),
    Page("messages-way", ("messages_backoffice:way", "way")),
    Page("messages-policy", ("messages_backoffice:policy",)),
    Page("messages-customer", ("messages_backoffice:message_panel", "customer")),
    Page("messages-consents", ("messages_backoffice:consents", "customer")),
    Page("calendar", ("calendar_backoffice:calendar",)),
    Page("calendar-feed", ("calendar_backoffice:feed",)),
    Page("year-plan", ("calendar_backoffice:year_plan", "program")),
    Page("campaigns", ("campaigns_backoffice:campaign_list",)),
    Page("campaign-gallery", ("campaigns_backoffice:campaign_gallery",)),
    Page("campaign", ("campaigns_backoffice:campaign", "campaign"), image=WIDE),
    Page("challenges", ("challenges_backoffice:challenge_list",)),
    Page("challenge-gallery", ("challenges_backoffice:challenge_gallery",)),
    Page("challenge-levels", ("challenges_backoffice:level_list",)),
    Page("challenge-levels-edit", ("challenges_backoffice:level_edit", "program")),
    Page("challenge", ("challenges_backoffice:challenge", "challenge")),
    Page("challenge-edit", ("challenges_backoffice:challenge_edit", "draft_challenge")),
    Page("referrals", ("referrals_backoffice:referral_list",)),
    Page("referral-review", ("referrals_backoffice:referral_review",)),
    Page("referral", ("referrals_backoffice:referral", "referral")),
    Page("referral-program", ("referrals_backoffice:referral_program", "program")),
    Page("referral-edit", ("referrals_backoffice:referral_edit", "program")),
    Page("affiliates", ("referrals_backoffice:affiliate_list", "program")),
    Page("campaign-offers", ("campaigns_backoffice:campaign", "offers_campaign")),
    Page("campaign-surprise", ("campaigns_backoffice:campaign", "surprise_campaign")),
    Page("campaign-edit", ("campaigns_backoffice:campaign_edit", "draft_campaign")),
    Page("games", ("games_backoffice:game_list",)),
    Page("game-gallery", ("games_backoffice:game_gallery",)),
    Page("game", ("games_backoffice:game", "game")),
    Page("game-edit", ("games_backoffice:game_edit", "draft_game")),
    Page("surveys", ("surveys_backoffice:survey_list",)),
    Page("survey", ("surveys_backoffice:survey", "survey")),
    Page("survey-edit", ("surveys_backoffice:survey_edit", "draft_survey")),
    Page("survey-preview", ("surveys_backoffice:survey_preview", "survey")),
    Page("community", ("community_backoffice:post_list",)),
    Page("community-post", ("community_backoffice:post", "community_post")),
    Page("community-edit", ("community_backoffice:post_edit", "community_post")),
    Page("community-comments", ("community_backoffice:comment_list",)),
    Page("community-forum", ("community_backoffice:forum",)),
    Page("survey-words", ("surveys_backoffice:survey_words", "survey", "survey_question")),
    Page("events", ("rewards_backoffice:event_list", "program")),
    Page("event", ("rewards_backoffice:event_page", "program", "event_code")),
    Page("event-new", ("rewards_backoffice:event_create", "program")),
    Page("event-door", ("rewards_backoffice:event_check_in", "program", "event_code")),
    Page("library", ("rewards_backoffice:content_list", "program")),
    Page("library-new", ("rewards_backoffice:content_create", "program")),
    Page("windows", ("rewards_backoffice:window_list", "program")),
    Page("window-new", ("rewards_backoffice:window_create", "program")),
    Page("overview", ("loyalty_backoffice:overview",)),
    Page("cohorts", ("loyalty_backoffice:cohorts",)),
    Page("reviews", ("loyalty_backoffice:review_list",)),
    Page("review", ("loyalty_backoffice:review_page", "review")),
    Page("economics", ("loyalty_backoffice:economics", "program")),
    Page("liability", ("loyalty_backoffice:liability",)),
    Page("liability-members", ("loyalty_backoffice:liability_members",)),
    Page("breakage", ("loyalty_backoffice:breakage",)),
    Page("backtests", ("loyalty_backoffice:backtest_list",)),
    Page("backtest-new", ("loyalty_backoffice:backtest_create",)),
    Page("backtest", ("loyalty_backoffice:backtest_page", "backtest")),
    Page("backtest-tiers", ("loyalty_backoffice:backtest_page", "backtest_of_tiers")),
    Page(
        "backtest-compare",
        ("loyalty_backoffice:backtest_compare",),
        query=("with", "two_backtests"),
    ),
    Page("journal", ("loyalty_backoffice:journal",)),
    Page("account-codes", ("loyalty_backoffice:account_codes", "program")),
    Page("books-close", ("loyalty_backoffice:books_close", "program")),
    Page("self-checks", ("loyalty_backoffice:self_check_list",)),
    Page("self-check", ("loyalty_backoffice:self_check", "self_check")),
    Page("merchant", ("backoffice:merchant",)),
    Page("team", ("backoffice:team",)),
    Page("sign-in", ("backoffice:sign_in_provider_list",)),
    Page("api-keys", ("backoffice:api_key_list",)),
    Page("connections", ("connections:connection_list",)),
    Page("connection", ("connections:connection", "connection")),
    Page("connection-new", ("connections:connection_create",)),
    Page("connection-mapping", ("connections:connection_mapping", "mapped_connection")),
    Page("messages-in", ("connections:message_list",)),
    Page("message-in", ("connections:message", "message_in")),
    Page("webhooks", ("webhooks:endpoint_list",)),
    Page("webhook", ("webhooks:endpoint", "webhook")),
    Page("webhook-new", ("webhooks:endpoint_create",)),
    Page("webhook-deliveries", ("webhooks:delivery_list",)),
    Page("audit-log", ("backoffice:audit_log",)),
    Page("styleguide", ("backoffice:styleguide",)),
    Page("enrollment-members", ("loyalty_backoffice:program_members", "program")),
    Page("enrollment-candidates", ("loyalty_backoffice:candidate_list", "program")),
    Page("enrollment-file", ("loyalty_backoffice:enrollment_file", "program")),
    Page("enrollment-link", ("loyalty_backoffice:join_link", "program")),
    Page("enrollment-till", ("loyalty_backoffice:till",)),
    Page("enrollment-launch", ("loyalty_backoffice:launch_page", "program")),
    Page("enrollment-launch-edit", ("loyalty_backoffice:launch_edit", "program")),
    Page("enrollment-launch-list", ("loyalty_backoffice:launch_places", "program")),
    Page("enrollment-checklist", ("loyalty_backoffice:launch_checklist", "program")),
    Page("enrollment-dashboard", ("loyalty_backoffice:launch_dashboard", "program")),
    Page("enrollment-knowledge", ("loyalty_backoffice:knowledge", "program")),
    Page("enrollment-join", ("programs:program", "program"), who="nobody"),
    Page("account", ("mypage:home",), who="customer", image=PHONE),
    Page("account-profile", ("mypage:profile",), who="customer"),
    Page("account-data", ("mypage:own_data",), who="customer"),
    Page("account-sign-ins", ("mypage:sign_ins",), who="customer"),
    Page("account-leave", ("mypage:leave", "membership"), who="customer"),
    Page("account-rewards", ("rewards_account:shelf",), who="customer", image=PHONE),
    Page("account-reward", ("rewards_account:reward", "membership", "reward"), who="customer"),
    Page("account-vouchers", ("rewards_account:vouchers",), who="customer"),
    Page("account-gift-cards", ("rewards_account:credit",), who="customer"),
    Page("account-giving", ("mypage:giving",), who="customer"),
    Page("account-giving-charity", ("mypage:charity", "membership", "charity"), who="customer"),
    Page("account-events", ("rewards_account:events",), who="customer"),
    Page("account-messages", ("messages_account:inbox",), who="customer"),
    Page("account-message", ("messages_account:message", "own_message"), who="customer"),
    Page("account-devices", ("messages_account:devices",), who="customer"),
    Page("account-choices", ("messages_account:choices",), who="customer"),
    Page("account-earn", ("mypage:earn",), who="customer"),
    Page("account-challenges", ("challenges_account:challenges",), who="customer"),
    Page("account-invite", ("referrals_account:invite",), who="customer"),
    Page("account-campaigns", ("campaigns_account:campaigns",), who="customer"),
    Page("account-games", ("games_account:games",), who="customer"),
    Page("account-game", ("games_account:game", "membership", "game"), who="customer"),
    Page("game-odds", ("games:game", "game"), who="nobody"),
    Page("game-draw", ("games:draw", "game_draw"), who="nobody"),
    Page("account-surveys", ("surveys_account:surveys",), who="customer"),
    Page("account-community", ("community_account:community",), who="customer"),
    Page(
        "account-post", ("community_account:post", "membership", "community_post"), who="customer"
    ),
    Page("account-survey", ("surveys_account:survey", "membership", "survey"), who="customer"),
    Page("survey-link", ("surveys:survey", "survey_token"), who="nobody"),
    Page("stop-link", ("messages:stop", "stop_token"), who="nobody"),
    Page("account-event", ("rewards_account:event", "event"), who="customer"),
    Page("account-library", ("rewards_account:library",), who="customer"),
    Page("account-parcel", ("rewards_account:parcel", "own_parcel"), who="customer"),
    Page("account-history", ("mypage:history",), who="customer"),
    Page("account-statement", ("mypage:statement",), who="customer"),
    Page("account-purchases", ("mypage:purchases",), who="customer"),
    Page("account-purchase", ("mypage:purchase", "membership", "order"), who="customer"),
    Page("account-card", ("mypage:card",), who="customer"),
    Page("account-give", ("mypage:give",), who="customer"),
    Page("account-pool", ("mypage:pool",), who="customer"),
    Page("account-plan", ("mypage:plan",), who="customer"),
    Page("account-plan-change", ("mypage:plan_change", "membership", "other_plan"), who="customer"),
    Page("account-company", ("mypage:pool",), who="buyer"),
    Page("account-company-ask", ("mypage:spend_ask", "buyer"), who="buyer"),
    Page("account-company-approver", ("mypage:pool",), who="approver"),
    Page("account-company-decide", ("mypage:spend_decide", "approver", "spending"), who="approver"),
    Page("sign-in", ("account_login",), who="nobody"),
    Page("sign-in-code", ("account_request_login_code",), who="nobody"),
    Page("api", ("api:reference",), who="nobody"),
    Page("phone", ("devphone:phone",), who="nobody"),
    Page("inbox", ("devmail:inbox_list",), who="nobody"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="pages whose name contains this")
    parser.add_argument("--dark", action="store_true", help="with dark colors, var/ only")
    parser.add_argument("--here", action="store_true", help="of one's own data")
    options = parser.parse_args()
    if not options.here:
        os.environ["SETIA_VAR"] = str(DATA)
        for name in ("DATABASE_URL", "REDIS_URL"):
            os.environ.pop(name, None)
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    # Playwright's event loop is no reason not to use the database in this thread.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with embedded.leased(embedded.layout(), embedded.needed_services()):
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        call_command("load_demo", "--if-empty")
        if not options.here:
            deliver_outbox()
        demo = Demo()
        try:
            with served("config.wsgi:application", workers=1) as port:
                wanted = [page for page in PAGES if options.only in page.name]
                take(wanted, demo, f"http://127.0.0.1:{port}", dark=options.dark)
        finally:
            demo.close()


def deliver_outbox() -> None:
    """What a worker would do meanwhile: the daily totals follow what was imported."""
    from members.services.outbox import deliver_waiting

    while deliver_waiting():
        pass


if __name__ == "__main__":
    main()
