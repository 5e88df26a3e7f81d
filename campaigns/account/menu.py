"""What messages add to the customer's own pages."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from campaigns.account.campaigns import campaign_card, campaign_earn_card
from campaigns.account.challenges import challenge_cards
from campaigns.account.games import game_card, game_earn_card
from campaigns.account.personal_offers import offer_shelf
from campaigns.account.referrals import referral_card, referral_earn_card
from campaigns.account.surveys import survey_card
from loyalty.account.earn_cards import register_earn_card
from loyalty.account.home_cards import register_home_card
from members.navigation import NavItem, register_mypage_tool

NAMESPACE = "messages_account"
TOOLS = (
    NavItem("campaigns", _("On now"), "campaigns_account:campaigns", "speakerphone", order=25),
    NavItem("challenges", _("Challenges"), "challenges_account:challenges", "target-arrow",
            order=26),
    NavItem("games", _("Games"), "games_account:games", "dice", order=27),
    NavItem("invite", _("Invite a friend"), "referrals_account:invite", "user-heart", order=28),
    NavItem("community", _("Community"), "community_account:community", "messages", order=29),
    NavItem("messages", _("Messages"), f"{NAMESPACE}:inbox", "mail", order=10),
    NavItem("choices", _("What you are told"), f"{NAMESPACE}:choices", "checklist", order=20),
    NavItem("surveys", _("Your opinion"), "surveys_account:surveys", "message-question", order=30),
)  # fmt: skip


def register() -> None:
    """Add them; called once, when the application is ready."""
    for tool in TOOLS:
        register_mypage_tool(tool)
    register_home_card("campaigns", campaign_card)
    register_home_card("games", game_card)
    register_earn_card("offers", offer_shelf, order=5)
    register_earn_card("campaigns", campaign_earn_card, order=10)
    register_earn_card("challenges", challenge_cards, order=20)
    register_earn_card("games", game_earn_card, order=30)
    register_earn_card("referrals", referral_earn_card, order=40)
    register_home_card("referrals", referral_card)
    register_home_card("survey", survey_card)
