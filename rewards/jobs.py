"""The kinds of long work of this application (`members.jobs`)."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from members.jobs import JobKind, register_job_kind
from rewards.services import gift_card_batches, gift_days, gifts_for_many, timeouts

KINDS = (
    JobKind(
        key=timeouts.KIND,
        label=_("Reservations and vouchers that ran out"),
        icon="hourglass-off",
        description=_(
            "Gives back what carts and reservations held that nobody came for, and writes down"
            " which vouchers ran out. Runs by itself every minute."
        ),
        run=timeouts.run_timeouts,
        find_work=timeouts.find_timeouts,
        start_label=_("End what ran out"),
        words=timeouts.timeout_words,
        routine=True,
    ),
    JobKind(
        key=gift_days.KIND,
        label=_("Rewards for birthdays and anniversaries"),
        icon="cake",
        description=_(
            "Gives the rewards that members have on birthdays and anniversaries, also for days of"
            " the last month that were missed. Runs by itself every hour."
        ),
        run=gift_days.run_gift_days,
        find_work=gift_days.find_gift_days,
        start_label=_("Give rewards for birthdays and anniversaries"),
        words=gift_days.gift_day_words,
        routine=True,
    ),
    JobKind(
        key=gifts_for_many.KIND,
        label=_("A reward for many"),
        icon="gift",
        description=_("Gives a reward to everybody in a segment."),
        run=gifts_for_many.run_gift_for_many,
        words=gifts_for_many.gift_for_many_words,
    ),
    JobKind(
        key=gift_card_batches.KIND,
        label=_("Gift cards in bulk"),
        icon="gift-card",
        description=_("Makes all cards of a batch. Begun on the page of batches."),
        run=gift_card_batches.run_batch,
        run_permission="gift_cards.issue",
        words=gift_card_batches.batch_words,
    ),
    JobKind(
        key=gift_card_batches.FORGETTING,
        label=_("Codes of gift cards that were told"),
        icon="eye-off",
        description=_("Forgets the codes of gift cards after 90 days. Runs by itself every night."),
        run=gift_card_batches.run_forgetting,
        find_work=gift_card_batches.find_forgetting,
        start_label=_("Forget old codes"),
        words=gift_card_batches.forgetting_words,
        routine=True,
    ),
)


def register() -> None:
    """Make them known; called once, when the application is ready."""
    for kind in KINDS:
        register_job_kind(kind)
