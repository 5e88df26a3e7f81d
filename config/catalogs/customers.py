"""Which texts customers read: those of the files that make their pages, mails and reasons.

Staff read English. What is looked up while a customer's page is made and stands in none of these
files fails a test (`tests/config/test_catalogs.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from campaigns.ready_texts import ready_words
from config.catalogs.extraction import Text, Texts, texts_of

# Whole folders of theirs, and modules that put into words what both they and staff read.
FILES = [
    "*/account/*.py",
    "members/api/bodies.py",
    "members/api/member_views.py",
    "members/api/pagination.py",
    "members/api/problems.py",
    "members/api/v1/me.py",
    "members/conditions/operators.py",
    "members/conditions/sentences.py",
    "members/condition_fields.py",
    "members/phones.py",
    "members/services/customer_values.py",
    "members/services/customers.py",
    "members/services/social_sign_in.py",
    "members/states.py",
    "members/words.py",
    "loyalty/*_words.py",
    "loyalty/amount_forms.py",
    "loyalty/api/v1/own_*.py",
    "loyalty/arithmetic.py",
    "loyalty/codes_asked.py",
    "loyalty/condition_fields.py",
    "loyalty/company_fields.py",
    "loyalty/descriptions.py",
    "loyalty/errors.py",
    "loyalty/explanations.py",
    "loyalty/gift_forms.py",
    "loyalty/models/companies.py",
    "loyalty/models/ledger.py",
    "loyalty/models/lots.py",
    "loyalty/models/memberships.py",
    "loyalty/models/orders.py",
    "loyalty/models/plan_charges.py",
    "loyalty/models/plans.py",
    "loyalty/models/pools.py",
    "loyalty/models/tiers.py",
    "loyalty/models/wallet_types.py",
    "loyalty/pool_forms.py",
    "loyalty/selectors/adjustment_reasons.py",
    "loyalty/selectors/impact.py",
    "loyalty/selectors/plan_changes.py",
    "loyalty/selectors/plan_previews.py",
    "loyalty/services/gifts.py",
    "loyalty/services/join*.py",
    "loyalty/services/leaving.py",
    "loyalty/services/own_judgments.py",
    "loyalty/services/plan_c*.py",
    "loyalty/services/pool_*.py",
    "loyalty/services/pools.py",
    "loyalty/services/round_ups.py",
    "loyalty/services/spend_requests.py",
    "loyalty/services/standing_gifts.py",
    "loyalty/services/subscriptions.py",
    "loyalty/spend_forms.py",
    "loyalty/told_conditions.py",
    "loyalty/unit_input.py",
    "rewards/address_forms.py",
    "rewards/addresses.py",
    "rewards/api/v1/own_*.py",
    "rewards/models/checkouts.py",
    "rewards/models/events.py",
    "rewards/models/fulfillment.py",
    "rewards/models/redemptions.py",
    "rewards/models/rewards.py",
    "rewards/models/vouchers.py",
    "rewards/services/checkout*.py",
    "rewards/services/content.py",
    "rewards/services/eligibility.py",
    "rewards/services/event*.py",
    "rewards/services/gift_card*.py",
    "rewards/services/guesses.py",
    "rewards/services/redemptions.py",
    "rewards/services/sale_times.py",
    "rewards/services/storefront.py",
    "rewards/services/vouchers.py",
    "rewards/services/wishes.py",
    "rewards/storefront_words.py",
    "rewards/terms_panels.py",
    "rewards/till_receipts.py",
    "rewards/words.py",
    "campaigns/api/v1/own*.py",
    "campaigns/account/community.py",
    "campaigns/account/forum.py",
    "campaigns/challenge_fields.py",
    "campaigns/challenge_levels.py",
    "campaigns/challenge_words.py",
    "campaigns/game_words.py",
    "campaigns/models/surveys.py",
    "campaigns/offer_words.py",
    "campaigns/services/challenge_teams.py",
    "campaigns/services/challenges.py",
    "campaigns/services/community_names.py",
    "campaigns/services/consents.py",
    "campaigns/services/forum_members.py",
    "campaigns/services/game_draws.py",
    "campaigns/services/game_plays.py",
    "campaigns/services/game_turns.py",
    "campaigns/services/guest_plays.py",
    "campaigns/services/leaderboards.py",
    "campaigns/referral_words.py",
    "campaigns/services/referral_links.py",
    "campaigns/services/referrals.py",
    "campaigns/services/rendering.py",
    "campaigns/services/post_access.py",
    "campaigns/services/post_comments.py",
    "campaigns/services/post_readings.py",
    "campaigns/services/survey_answers.py",
    "campaigns/services/told_*.py",
    "campaigns/short_texts.py",
    "campaigns/standard_channels.py",
    "campaigns/survey_forms.py",
    "campaigns/topics.py",
    "templates/*.html",
    "templates/account/**/*",
    "templates/campaigns/account/*",
    "templates/challenges/account/*",
    "templates/community/account/*",
    "templates/community/public/*",
    "templates/components/*.html",
    "templates/games/*.html",
    "templates/games/account/*",
    "templates/games/public/*",
    "templates/giving/account/*",
    "templates/loyalty/manager_card.html",
    "templates/messages/*.html",
    "templates/messages/account/*",
    "templates/mypage/*",
    "templates/programs/**/*",
    "templates/public/*",
    "templates/referrals/*.html",
    "templates/referrals/account/*",
    "templates/rewards/*.html",
    "templates/rewards/access/windows.html",
    "templates/rewards/account/*",
    "templates/rewards/content/account_*",
    "templates/rewards/events/account_*",
    "templates/rewards/events/*.txt",
    "templates/rewards/fulfillment/parcel*",
    "templates/surveys/*.html",
    "templates/surveys/account/*",
    "templates/surveys/public/*",
]


def customers_texts() -> Texts:
    """All texts that customers may read."""
    found = texts_of(customers_files(), settings.BASE_DIR)
    for words in ready_words():
        found.add(Text((words,)), "campaigns/ready_texts.py")
    return found


def customers_files() -> Iterator[Path]:
    for pattern in FILES:
        for file in settings.BASE_DIR.glob(pattern):
            if file.is_file() and file.suffix in (".py", ".html", ".txt"):
                yield file
