"""What messages said to a customer who is erased, and where they were sent: that they were written
stays, not their words."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import F, OuterRef, Subquery
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.channels import SHOP, sending_channels
from campaigns.models import (
    BoardName,
    BoardScore,
    ChallengeEntry,
    ChallengeTeam,
    CommunityName,
    Consent,
    ConsentChange,
    ContactAddress,
    Delivery,
    ForumMember,
    GamePlay,
    Message,
    PostComment,
)
from campaigns.services.consents import set_consents
from campaigns.services.forgotten_browsing import forget_browsing
from campaigns.services.forum_members import leave_forum
from campaigns.topics import LEARNED, choosable_topics
from members.forgetting import register_erased, register_forgetting
from members.models import Customer
from members.services.audit import SYSTEM

ERASED = {
    "consents": _("Every yes becomes a no. When they said what stays as proof."),
    "addresses": _("Deleted."),
    "browsing": _("Deleted."),
    "messages": _("That they were sent stays, not their words."),
    "offers": _("They stay, and name nobody."),
    "challenge_teams": _("They stay. A team that they named is called by its code."),
    "leaderboards": _("Deleted."),
    "games": _("What was drawn stays as proof, and names nobody. They play no more."),
    "referrals": _("Who brought whom stays by number alone."),
    "referral_traces": _("Deleted."),
    "surveys": _("Answers stay, without a name."),
    "community": _("Words and name are deleted."),
    "readers": _("Deleted."),
    "forum": _("The forum is told to make them anonymous."),
}


def forget_words(customers: Sequence[Customer]) -> list[str]:
    """What still waits goes nowhere, also by a way that asks for no address."""
    found = Message.objects.filter(customer__in=customers)
    told = Delivery.objects.filter(message__in=found)
    told.filter(state=Delivery.State.QUEUED).update(
        state=Delivery.State.SUPPRESSED, reason="no_address"
    )
    told.update(subject="", text="", detail="")
    found.update(values={})
    return []


def withdraw_consents(customers: Sequence[Customer]) -> list[str]:
    """What they said yes to is a no."""
    channels = [*(channel.key for channel in sending_channels()), SHOP.key]
    topics = [*(topic.code for topic in choosable_topics()), *LEARNED]
    for customer in customers:
        said = Consent.objects.filter(customer=customer, channel__in=channels, topic__in=topics)
        yes = said.exclude(state=Consent.State.DENIED).values_list("channel", "topic")
        if customer.merged_into_id is None:
            set_consents(
                customer=customer, wanted=dict.fromkeys(yes, False), actor=SYSTEM,
                source=ConsentChange.Source.STAFF, now=timezone.now(),
            )  # fmt: skip
    return []


def forget_addresses(customers: Sequence[Customer]) -> list[str]:
    """Nothing is sent to their devices and numbers any more."""
    ContactAddress.objects.filter(customer__in=[one.pk for one in customers]).delete()
    return []


def forget_looks(customers: Sequence[Customer]) -> list[str]:
    """What they looked at in the shop; nothing more is kept, since their yes is a no."""
    forget_browsing([one.pk for one in customers])
    return []


def end_plays(customers: Sequence[Customer]) -> list[str]:
    """They play no more. What they have drawn names nobody, and stays."""
    rows = GamePlay.objects.filter(membership__customer__in=customers, used_at=None)
    rows.filter(withdrawn_at=None).update(withdrawn_at=timezone.now())
    return []


def forget_board_names(customers: Sequence[Customer]) -> list[str]:
    """They are on no leaderboard any more."""
    people = [one.pk for one in customers]
    BoardScore.objects.filter(membership__customer__in=people).delete()
    BoardName.objects.filter(membership__customer__in=people).delete()
    return []


def forget_team_names(customers: Sequence[Customer]) -> list[str]:
    """A team that they made is called by its code; it stays that of the others."""
    entries = ChallengeEntry.objects.filter(team=OuterRef("pk")).order_by("created_at", "pk")
    people = [one.pk for one in customers]
    theirs = ChallengeTeam.objects.filter(entries__membership__customer__in=people).annotate(
        maker=Subquery(entries.values("membership__customer")[:1])
    )
    made = [team.pk for team in theirs if team.maker in people]
    ChallengeTeam.objects.filter(pk__in=made).update(name=F("code"))
    return []


def forget_words_of_community(customers: Sequence[Customer]) -> list[str]:
    """What they said to posts, and the name under which they did."""
    people = [one.pk for one in customers]
    PostComment.objects.filter(membership__customer__in=people).update(
        state=PostComment.State.WITHDRAWN, text=""
    )
    CommunityName.objects.filter(membership__customer__in=people).delete()
    return []


def leave_the_forum(customers: Sequence[Customer]) -> list[str]:
    """The forum is told to make them anonymous, until it has done so."""
    people = [one.pk for one in customers]
    for found in ForumMember.objects.filter(membership__customer__in=people, left_at=None):
        leave_forum(found, timezone.now())
    return []


def register() -> None:
    """Called once, when the application is ready."""
    register_forgetting("games", end_plays)
    register_forgetting("community", forget_words_of_community)
    register_forgetting("forum", leave_the_forum)
    register_forgetting("challenge_teams", forget_team_names)
    register_forgetting("leaderboards", forget_board_names)
    register_forgetting("addresses", forget_addresses)
    register_forgetting("consents", withdraw_consents)
    register_forgetting("browsing", forget_looks)
    register_forgetting("messages", forget_words)
    register_erased(ERASED)
