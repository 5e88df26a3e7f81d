"""The kinds of long work of this application (`members.jobs`)."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from loyalty import file_jobs
from loyalty.services import (
    backtest_runs,
    backtests,
    bulk_adjustments,
    bulk_checking,
    bulk_posting,
    ending_conversions,
    expiry,
    fact_rebuilds,
    founding,
    goal_points,
    insight_points,
    launch_invitations,
    member_tiers,
    occasions,
    partner_settlements,
    plan_renewals,
    pledge_events,
    policy_change_jobs,
    program_endings,
    program_reviews,
    risk_scores,
    self_checks,
    standing_gifts,
    total_rebuilds,
)
from members.jobs import JobKind, register_job_kind

KINDS = (
    JobKind(
        key=backtests.KIND,
        label=_("Backtest"),
        icon="history",
        description=_("Replays real orders under a draft of the rules. Nothing is posted."),
        run=backtest_runs.run_backtest,
        view_permission="reports.view",
        run_permission="backtests.run",
        page="loyalty_backoffice:backtest_of_job",
        words=backtests.backtest_words,
    ),
    JobKind(
        key=bulk_checking.CHECK,
        label=_("Check of a bulk adjustment"),
        icon="list-check",
        description=_("Looks at every row before anybody decides on it."),
        run=bulk_checking.run_check,
        view_permission="adjustments.view",
        run_permission="adjustments.bulk",
        page="loyalty_backoffice:bulk_of_job",
        words=bulk_adjustments.bulk_words,
    ),
    JobKind(
        key=bulk_posting.POST,
        label=_("Bulk adjustment"),
        icon="users-group",
        description=_("Moves the units of many members at once."),
        run=bulk_posting.run_posting,
        view_permission="adjustments.view",
        run_permission="adjustments.bulk",
        page="loyalty_backoffice:bulk_of_job",
        words=bulk_adjustments.bulk_words,
    ),
    JobKind(
        key=bulk_posting.UNDO,
        label=_("Undo of a bulk adjustment"),
        icon="arrow-back-up",
        description=_("Takes a bulk adjustment back as a whole."),
        run=bulk_posting.run_undoing,
        view_permission="adjustments.view",
        run_permission="adjustments.bulk",
        page="loyalty_backoffice:bulk_of_job",
        words=bulk_adjustments.bulk_words,
    ),
    JobKind(
        key=policy_change_jobs.KIND,
        label=_("New terms"),
        icon="calendar-repeat",
        description=_("Gives units that exist the terms that a program has for new ones."),
        run=policy_change_jobs.run_policy_change,
        view_permission="programs.view",
        run_permission="programs.edit",
        words=policy_change_jobs.policy_change_words,
    ),
    JobKind(
        key=program_endings.KIND,
        label=_("Programs that end"),
        icon="flag",
        description=_(
            "Gives the units of a program that ends its last day, once nothing is earned in it. "
            "Nothing can be spent afterwards anyway; they expire like all others then."
        ),
        run=program_endings.run_endings,
        find_work=program_endings.find_endings,
        start_label=_("Let units end with their program"),
        run_permission="jobs.maintain",
        words=program_endings.ending_job_words,
        routine=True,
    ),
    JobKind(
        key=ending_conversions.KIND,
        label=_("Units that go on"),
        icon="transform",
        description=_(
            "Once the last day to spend of a program is over, what is left becomes units of "
            "another program, where its end was planned like that."
        ),
        run=ending_conversions.run_conversions,
        find_work=ending_conversions.find_conversions,
        start_label=_("Let units go on"),
        run_permission="jobs.maintain",
        words=ending_conversions.conversion_job_words,
        routine=True,
    ),
    JobKind(
        key=expiry.EXPIRY,
        label=_("Expiry"),
        icon="hourglass-off",
        description=_(
            "Writes down what has expired. It cannot be spent anyway, from the moment on at which "
            "it expired; this is for the history and the accounts."
        ),
        run=expiry.run_expiry,
        find_work=expiry.find_expired,
        start_label=_("Write down what has expired"),
        run_permission="jobs.maintain",
        words=expiry.expiry_words,
        routine=True,
    ),
    JobKind(
        key=expiry.CONFIRMATION,
        label=_("Matured units"),
        icon="clock-check",
        description=_(
            "Brings stored balances up to date where units matured or expired. Balances are right "
            "without it, and read a little faster with it."
        ),
        run=expiry.run_confirmation,
        find_work=expiry.find_stale,
        start_label=_("Bring balances up to date"),
        run_permission="jobs.maintain",
        words=expiry.confirmation_words,
        routine=True,
    ),
    JobKind(
        key=occasions.KIND,
        label=_("Birthdays and anniversaries"),
        icon="cake",
        description=_(
            "Gives what rules give for birthdays and anniversaries, also for days of the last month"
            " that were missed. Runs by itself every hour."
        ),
        run=occasions.run_occasions,
        find_work=occasions.find_occasions,
        start_label=_("Give for birthdays and anniversaries"),
        run_permission="jobs.run",
        words=occasions.occasion_words,
        routine=True,
    ),
    JobKind(
        key=founding.KIND,
        label=_("Founding bonus"),
        icon="rocket",
        description=_(
            "Gives founding members their bonus. It follows each enrollment within seconds; this is"
            " for what was missed."
        ),
        run=founding.run_founding,
        find_work=founding.find_founders,
        start_label=_("Give the founding bonus"),
        run_permission="jobs.run",
        words=founding.founding_words,
        routine=True,
    ),
    JobKind(
        key=launch_invitations.KIND,
        label=_("Invitations of a launch"),
        icon="mail",
        description=_(
            "Invites those whom the phase of a launch takes in, and lets in who waited for it. Who"
            " may join does not depend on it."
        ),
        run=launch_invitations.run_invitations,
        find_work=launch_invitations.find_invitations,
        start_label=_("Send invitations of launches"),
        run_permission="jobs.run",
        words=launch_invitations.invitation_words,
        routine=True,
    ),
    JobKind(
        key=member_tiers.KIND,
        label=_("Tiers"),
        icon="trophy",
        description=_(
            "Writes down whose tier has changed by the passing of time. Tiers are right without "
            "it, wherever one member's is read; lists and segments follow with it."
        ),
        run=member_tiers.run_tiers,
        find_work=member_tiers.find_tiers,
        start_label=_("Bring tiers up to date"),
        run_permission="jobs.maintain",
        words=member_tiers.tier_words,
        routine=True,
    ),
    JobKind(
        key=goal_points.KIND,
        label=_("Goals day by day"),
        icon="target-arrow",
        description=_(
            "Measures what goals were at the end of each day, and the last days again, about which "
            "orders and returns may have come late. Runs by itself every night."
        ),
        run=goal_points.run_points,
        find_work=goal_points.find_points,
        start_label=_("Measure goals"),
        run_permission="jobs.maintain",
        words=goal_points.point_words,
        routine=True,
    ),
    JobKind(
        key=insight_points.KIND,
        label=_("Figures month by month"),
        icon="chart-histogram",
        description=_(
            "Measures the key figures of programs, of the month that runs and of one that ended "
            "lately, and what cohorts did. Runs by itself every night."
        ),
        run=insight_points.run_points,
        find_work=insight_points.find_points,
        start_label=_("Measure figures"),
        run_permission="jobs.maintain",
        words=insight_points.point_words,
        routine=True,
    ),
    JobKind(
        key=program_reviews.KIND,
        label=_("Program reviews"),
        icon="report-analytics",
        description=_(
            "Says of each program what worked in the quarter that is over, what nobody used, what "
            "cost too much and what members said. Runs by itself every morning."
        ),
        run=program_reviews.run_reviews,
        find_work=program_reviews.find_reviews,
        start_label=_("Review programs"),
        run_permission="jobs.maintain",
        words=program_reviews.review_words,
        routine=True,
    ),
    JobKind(
        key=partner_settlements.KIND,
        label=_("Settlements with partners"),
        icon="scale",
        description=_(
            "Closes months of partners some days after they are over: who owes whom for units that "
            "were earned and spent there."
        ),
        run=partner_settlements.run_settlements,
        find_work=partner_settlements.find_settlements,
        start_label=_("Close months of partners"),
        run_permission="jobs.maintain",
        words=partner_settlements.settlement_words,
        routine=True,
    ),
    JobKind(
        key=plan_renewals.KIND,
        label=_("Paid plans"),
        icon="credit-card",
        description=_(
            "Renews paid plans, tries payments again, gives the units that come with plans, and "
            "ends what was not paid. Runs by itself every quarter of an hour."
        ),
        run=plan_renewals.run_renewals,
        find_work=plan_renewals.find_renewals,
        start_label=_("Renew paid plans"),
        run_permission="jobs.run",
        words=plan_renewals.renewal_words,
        routine=True,
    ),
    JobKind(
        key=total_rebuilds.KIND,
        label=_("Daily totals"),
        icon="calendar-stats",
        description=_(
            "Compares the figures of every day with the movements and puts right what differs. "
            "Runs by itself every night."
        ),
        run=total_rebuilds.run_rebuild,
        find_work=total_rebuilds.find_rebuild,
        start_label=_("Rebuild daily totals"),
        run_permission="jobs.maintain",
        words=total_rebuilds.rebuild_words,
        routine=True,
    ),
    JobKind(
        key=pledge_events.KIND,
        label=_("Pledges"),
        icon="heart",
        description=_(
            "Counts what had happened before a pledge was put live or changed. Runs by itself"
            " every ten minutes."
        ),
        run=pledge_events.run_uncounted,
        find_work=pledge_events.find_uncounted,
        start_label=_("Count what happened before"),
        words=pledge_events.uncounted_words,
        routine=True,
    ),
    JobKind(
        key=standing_gifts.KIND,
        label=_("Standing gifts"),
        icon="heart",
        description=_(
            "Gives to charities what members have said to give of what they earn, once it can be"
            " spent. Runs by itself every ten minutes."
        ),
        run=standing_gifts.run_standing_gifts,
        find_work=standing_gifts.find_standing_gifts,
        start_label=_("Give what is due"),
        words=standing_gifts.standing_words,
        routine=True,
    ),
    JobKind(
        key=risk_scores.KIND,
        label=_("Fraud signals"),
        icon="shield-search",
        description=_(
            "Looks at members about whom something has changed for signs of misuse, and opens a"
            " case where somebody has to look. Runs by itself every ten minutes."
        ),
        run=risk_scores.run_risks,
        find_work=risk_scores.find_risks,
        start_label=_("Look for signs of misuse"),
        view_permission="risk.view",
        run_permission="jobs.maintain",
        words=risk_scores.risk_job_words,
        routine=True,
    ),
    JobKind(
        key=self_checks.KIND,
        label=_("Self-check"),
        icon="shield-check",
        description=_(
            "Looks at whether lots, movements, balances and totals agree, and changes nothing. "
            "Runs by itself every night."
        ),
        run=self_checks.run_self_check,
        find_work=self_checks.find_self_check,
        start_label=_("Check the books"),
        view_permission="reports.view",
        run_permission="jobs.run",
        words=self_checks.self_check_words,
        routine=True,
    ),
    JobKind(
        key=fact_rebuilds.KIND,
        label=_("Facts about customers"),
        icon="user-search",
        description=_(
            "Works out anew what customers bought and gave back, and who spends more than whom. "
            "Changed customers follow by themselves; this runs every night."
        ),
        run=fact_rebuilds.run_rebuild,
        find_work=fact_rebuilds.find_rebuild,
        start_label=_("Work out the facts about customers"),
        run_permission="jobs.maintain",
        words=fact_rebuilds.rebuild_words,
        routine=True,
    ),
)


def register() -> None:
    """Add the kinds; called once, when the application is ready."""
    for kind in (*file_jobs.KINDS, *KINDS):
        register_job_kind(kind)
