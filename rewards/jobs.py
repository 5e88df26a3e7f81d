"""The kinds of long work of this application (`members.jobs`)."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from members.jobs import JobKind, register_job_kind
from rewards.services import (
    auto_takes,
    event_jobs,
    generated_vouchers,
    gift_card_batches,
    gift_days,
    gifts_for_many,
    tallies,
    timeouts,
    voucher_files,
)

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
    JobKind(
        key=auto_takes.KIND,
        label=_("Rewards that are taken by itself"),
        icon="gift",
        description=_(
            "Takes rewards for members who asked for it, whenever their balance comes to so much."
            " Runs by itself every minute."
        ),
        run=auto_takes.run_auto_takes,
        find_work=auto_takes.find_auto_takes,
        start_label=_("Take what is due"),
        words=auto_takes.auto_take_words,
        routine=True,
    ),
    JobKind(
        key=voucher_files.KIND,
        label=_("Codes from a file"),
        icon="file-import",
        description=_("Adds the codes of a file to a list."),
        run=voucher_files.run_voucher_import,
        view_permission="programs.edit",
        run_permission="programs.edit",
        words=voucher_files.import_words,
    ),
    JobKind(
        key=generated_vouchers.KIND,
        label=_("Codes that are made"),
        icon="ticket",
        description=_("Makes codes that nobody can guess and adds them to a list."),
        run=generated_vouchers.run_generation,
        view_permission="programs.edit",
        run_permission="programs.edit",
        words=generated_vouchers.generation_words,
    ),
    JobKind(
        key=event_jobs.OFFERS,
        label=_("Seats that were offered"),
        icon="armchair",
        description=_(
            "Offers a seat to the next in the waiting list when nobody answered in time. Runs by"
            " itself every minute."
        ),
        run=event_jobs.run_lapsed_offers,
        find_work=event_jobs.find_lapsed_offers,
        start_label=_("Pass seats on"),
        words=event_jobs.lapsed_words,
        routine=True,
    ),
    JobKind(
        key=tallies.KIND,
        label=_("Figures of rewards"),
        icon="chart-bar",
        description=_(
            "Brings together, by day, how often rewards were taken and used. What is shown does not"
            " wait for it. Runs by itself every ten minutes."
        ),
        run=tallies.run_tallies,
        find_work=tallies.find_tallies,
        start_label=_("Bring figures together"),
        words=tallies.tally_words,
        routine=True,
    ),
    JobKind(
        key=event_jobs.CALLED_OFF,
        label=_("Events that are called off"),
        icon="calendar-x",
        description=_("Gives everybody's units back who had booked."),
        run=event_jobs.run_called_off,
        words=event_jobs.called_off_words,
    ),
)


def register() -> None:
    """Make them known; called once, when the application is ready."""
    for kind in KINDS:
        register_job_kind(kind)
