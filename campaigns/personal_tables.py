"""What this application knows of a person."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from campaigns.models import ReferralPayment
from loyalty.personal_tables import of_member
from members.models import Customer
from members.personal_data import (
    PersonalData,
    register_not_told,
    register_personal_data,
    table,
)


def _own_payments(customers: Sequence[Customer]) -> QuerySet[ReferralPayment]:
    """What they were given for a friend, or as one; the other side's is the other's."""
    payments, side = ReferralPayment.objects.all(), ReferralPayment.Side
    as_friend = payments.filter(side=side.FRIEND, referral__friend__in=customers)
    as_advocate = payments.filter(
        side=side.ADVOCATE, referral__link__membership__customer__in=customers
    )
    return payments.filter(Q(pk__in=as_friend.values("pk")) | Q(pk__in=as_advocate.values("pk")))


PARTS = (
    PersonalData(
        "consents", _("Consent"),
        (
            table("campaigns.Consent", "customer"),
            table("campaigns.ConsentChange", "customer", without="actor_label"),
            table("campaigns.ContactPreference", "customer"),
        ),
    ),
    PersonalData(
        "browsing", _("Looked at in the shop"),
        (
            table("campaigns.BrowsingEvent", "customer"),
            table("campaigns.BrowsingDay", "customer"),
            table("campaigns.CartLine", "customer"),
        ),
    ),
    PersonalData(
        "addresses", _("Addresses for messages"),
        (table("campaigns.ContactAddress", "customer", without="code_at code_tries"),),
    ),
    PersonalData(
        "messages", _("Messages"),
        (
            table("campaigns.Message", "customer", without="values facts"),
            table("campaigns.Delivery", "message__customer", without="reference priority attempts"),
            table("campaigns.BroadcastRecipient", "customer"),
            of_member("campaigns.Passage"),
            of_member("campaigns.PassageStep", "passage__membership"),
        ),
    ),
    PersonalData(
        "offers", _("Offers and surprises"),
        (
            of_member("campaigns.CampaignMember"),
            of_member("campaigns.ExperimentMember"),
            of_member("campaigns.PersonalOffer", without="score"),
            of_member("campaigns.PromoCodeUse", without="own_slot holder"),
            of_member("campaigns.SurpriseTicket"),
        ),
    ),
    PersonalData(
        "challenge_teams", _("Challenges"),
        (
            of_member("campaigns.ChallengeEntry"),
            of_member("campaigns.ChallengeWin", "entry__membership"),
        ),
    ),
    PersonalData(
        "leaderboards", _("Leaderboards"),
        (
            of_member("campaigns.BoardName", without="program"),
            of_member("campaigns.BoardScore", without="program"),
        ),
    ),
    PersonalData(
        "games", _("Games"),
        (
            of_member("campaigns.GamePlay"),
            of_member("campaigns.GameDraw", without="passed number guest cost"),
        ),
    ),
    PersonalData(
        "referrals", _("Friends"),
        (
            of_member("campaigns.ReferralLink"),
            table(
                "campaigns.Referral", "friend", name="came_by",
                without="terms link reasons cleared refusal note",
            ),
            table(
                "campaigns.Referral", "link__membership__customer", name="brought",
                without="terms order reasons cleared refusal note",
            ),
            table("campaigns.ReferralPayment", rows=_own_payments, without="order missed"),
        ),
    ),
    PersonalData(
        "referral_traces", _("Devices"),
        (table("campaigns.ReferralTrace", "customer", for_staff=True),),
    ),
    PersonalData(
        "surveys", _("Surveys"),
        (
            of_member("campaigns.SurveyResponse"),
            of_member("campaigns.SurveyAnswer", "response__membership"),
        ),
    ),
    PersonalData(
        "community", _("Comments"),
        (
            of_member("campaigns.CommunityName", without="program folded"),
            of_member("campaigns.PostComment", without="form decided_by"),
            of_member("campaigns.CommentReport"),
            of_member("campaigns.PostReading"),
        ),
    ),
    PersonalData(
        "readers", _("Links clicked in messages"),
        (
            table("campaigns.DeliveryClick", "delivery__message__customer"),
            table("campaigns.ShortLink", "delivery__message__customer"),
        ),
    ),
    PersonalData(
        "forum", _("Forum"),
        (of_member("campaigns.ForumMember"),),
    ),
)  # fmt: skip
NOT_TOLD = {
    "campaigns.JourneyDue": "when a journey is to be looked at again",
    "campaigns.ReferralAsk": "about who was invited, not about who did so",
    "campaigns.ReferralVisit": "about who visited, not about who sent the link",
}


def register() -> None:
    """Called once, when the application is ready."""
    for place, part in enumerate(PARTS):
        register_personal_data(part, 300 + place)
    register_not_told(NOT_TOLD)
