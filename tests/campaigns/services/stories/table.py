"""Every story, with the types of events that it must be told of."""

from tests.campaigns.services.stories.of_campaigns import (
    broadcasts,
    consenting,
    experimenting,
    friends,
    games,
    leading,
    offers_and_surprises,
    opinions,
    promotions,
    quests,
    reading,
    shares,
    writing,
)
from tests.campaigns.services.stories.of_members import (
    activities,
    debts,
    goals,
    movements,
    people,
    plans,
    reviews,
    shared,
    tiers,
)
from tests.campaigns.services.stories.of_rewards import (
    cards_and_credit,
    parcels,
    seats,
    shopping,
    taken,
)

# What each story must be told of, at least.
STORIES = {
    games: {"game.started", "game.ended", "game.play_granted", "game.played", "game.won",
            "game.claimed"},
    people: {
        "customer.created", "customer.changed", "customer.merged", "customer.merge_undone",
        "customer.erased",
        "membership.joined", "membership.suspended", "membership.resumed", "membership.left",
        "membership.merged", "points.merged",
    },
    movements: {
        "points.earned", "points.taken_back", "points.spent", "points.returned", "points.adjusted",
        "points.expired", "points.reinstated", "points.gifted", "points.donated",
        "points.debt_written_off", "order.recorded", "order.changed", "refund.recorded",
        "balance.changed",
    },
    debts: {"points.taken_back", "points.debt_settled"},
    shared: {"points.pooled"},
    tiers: {"tier.changed"},
    activities: {
        "activity.recorded", "activity.approved", "activity.rejected", "activity.reversed",
    },
    plans: {
        "plan.started", "plan.renewed", "plan.past_due", "plan.cancellation_changed", "plan.ended",
    },
    reviews: {
        "risk_case.opened", "risk_case.held", "risk_case.released", "risk_case.clawed_back",
    },
    goals: {"goal.reached", "goal.missed", "goal.given_up"},
    taken: {
        "redemption.reserved", "redemption.issued", "redemption.used", "redemption.reopened",
        "redemption.cancelled", "redemption.refunded", "redemption.expired", "voucher.issued",
        "voucher.used", "voucher.reopened", "voucher.void", "voucher.expired",
    },
    parcels: {
        "fulfillment.awaited", "fulfillment.to_do", "fulfillment.packed", "fulfillment.sent",
        "fulfillment.returned", "fulfillment.canceled",
    },
    shopping: {
        "checkout.reserved", "checkout.committed", "checkout.cancelled", "checkout.expired",
    },
    cards_and_credit: {
        "gift_card.issued", "gift_card.activated", "gift_card.blocked", "gift_card.replaced",
        "gift_card.cancelled", "gift_card.balance_changed", "points.paid_in",
    },
    seats: {"event.seat_offered", "event.canceled"},
    opinions: {"survey.answered"},
    shares: {"referral.share_paid", "referral.share_taken_back"},
    writing: {
        "message.sent", "message.failed", "message.uncertain", "message.suppressed",
        "message.delivered", "message.opened", "message.clicked", "message.unsubscribed",
    },
    broadcasts: {"broadcast.begun", "broadcast.sent", "broadcast.stopped"},
    consenting: {"consent.changed"},
    leading: {"journey.entered", "journey.left"},
    reading: {"post.published", "post.archived", "post.commented"},
    promotions: {"campaign.started", "campaign.ended"},
    experimenting: {"experiment.decided"},
    offers_and_surprises: {"offer.made", "offer.seen", "offer.taken", "surprise.given"},
    quests: {
        "challenge.started", "challenge.progressed", "challenge.nearly_there", "challenge.won",
        "challenge.undone", "challenge.ended",
    },
    friends: {
        "referral.joined", "referral.pending", "referral.in_review", "referral.paid",
        "referral.refused", "referral.lapsed", "referral.taken_back",
    },
}  # fmt: skip
