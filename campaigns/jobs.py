"""The kinds of long work of this application (`members.jobs`)."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from campaigns.services import (
    broadcast_sending,
    campaign_clock,
    campaign_messages,
    challenge_clock,
    challenge_forecasts,
    experiment_clock,
    forgotten_browsing,
    forum_tasks,
    game_clock,
    journey_starts,
    offer_jobs,
    post_clock,
    referral_following,
    shop_histories,
    surprise_jobs,
    survey_invitations,
    told_expiry,
    told_games,
    told_trials,
    webhook_replays,
)
from members.jobs import JobKind, register_job_kind

KINDS = (
    JobKind(
        key=forgotten_browsing.KIND,
        label=_("What was looked at long ago"),
        icon="eye-off",
        description=_(
            "Forgets what members looked at in the shop when the days are over that it is kept for."
            " Runs by itself every night."
        ),
        run=forgotten_browsing.run_retention,
        find_work=forgotten_browsing.find_outdated,
        start_label=_("Forget what is over"),
        words=forgotten_browsing.retention_words,
        routine=True,
    ),
    JobKind(
        key=challenge_forecasts.KIND,
        label=_("Forecast of a challenge"),
        icon="history",
        description=_("Counts how often a challenge would have been done. Nothing is given."),
        run=challenge_forecasts.run_forecast,
        view_permission="reports.view",
        run_permission="backtests.run",
        words=challenge_forecasts.forecast_words,
    ),
    JobKind(
        key=campaign_clock.KIND,
        label=_("Campaigns that begin or end"),
        icon="calendar-event",
        description=_(
            "Begins and ends promotions at their times, and ends those whose budget of money is"
            " used up. Runs by itself every minute."
        ),
        run=campaign_clock.run_changes,
        find_work=campaign_clock.find_changes,
        start_label=_("Begin and end what is due"),
        words=campaign_clock.change_words,
        routine=True,
    ),
    JobKind(
        key=experiment_clock.KIND,
        label=_("Experiments that are looked at"),
        icon="flask",
        description=_(
            "Looks once a day whether an experiment has shown something, and ends those whose time"
            " is over. Runs by itself every ten minutes."
        ),
        run=experiment_clock.run_looks,
        find_work=experiment_clock.find_looks,
        start_label=_("Look at what is due"),
        words=experiment_clock.look_words,
        routine=True,
    ),
    JobKind(
        key=game_clock.KIND,
        label=_("Games that begin or end"),
        icon="dice",
        description=_(
            "Begins and ends games at their times and when nothing is left to win, reveals the"
            " seeds of the day before, gives back what unused plays cost, and puts back what guests"
            " did not claim in time. Runs by itself every minute."
        ),
        run=game_clock.run_changes,
        find_work=game_clock.find_changes,
        start_label=_("Begin and end what is due"),
        words=game_clock.change_words,
        routine=True,
    ),
    JobKind(
        key=told_games.KIND,
        label=_("News of games"),
        icon="dice",
        description=_(
            "Tells members that they can play, what they have won, and which plays or games end"
            " within a day. Runs by itself every five minutes."
        ),
        run=told_games.run_news,
        find_work=told_games.find_news,
        start_label=_("Tell of games"),
        words=told_games.news_words,
        routine=True,
    ),
    JobKind(
        key=challenge_clock.KIND,
        label=_("Challenges whose time is over"),
        icon="target-arrow",
        description=_(
            "Ends challenges for members who have not done them in time. Runs by itself every five"
            " minutes."
        ),
        run=challenge_clock.run_ended,
        find_work=challenge_clock.find_ended,
        start_label=_("End what is over"),
        words=challenge_clock.ended_words,
        routine=True,
    ),
    JobKind(
        key=offer_jobs.KIND,
        label=_("Personal offers"),
        icon="sparkles",
        description=_(
            "Offers members what suits them, of every promotion that makes personal offers: once a"
            " day, and as one begins. Runs by itself; who buys in between is looked at at once."
        ),
        run=offer_jobs.run_offers,
        find_work=offer_jobs.find_offers,
        start_label=_("Make offers"),
        words=offer_jobs.offer_words,
        routine=True,
    ),
    JobKind(
        key=surprise_jobs.KIND,
        label=_("Surprises"),
        icon="gift",
        description=_(
            "Draws who is surprised when the time has come, and gives it, to each once. Runs by"
            " itself every minute."
        ),
        run=surprise_jobs.run_surprises,
        find_work=surprise_jobs.find_surprises,
        start_label=_("Draw what is due"),
        words=surprise_jobs.surprise_words,
        routine=True,
    ),
    JobKind(
        key=broadcast_sending.KIND,
        label=_("Broadcasts"),
        icon="send",
        description=_(
            "Sends broadcasts when their time has come, to each member once. Runs by itself every"
            " minute."
        ),
        run=broadcast_sending.run_broadcasts,
        find_work=broadcast_sending.find_broadcasts,
        start_label=_("Send what is due"),
        words=broadcast_sending.broadcast_words,
        routine=True,
    ),
    JobKind(
        key=campaign_messages.KIND,
        label=_("Members told of promotions"),
        icon="speakerphone",
        description=_(
            "Tells members of promotions, each once: the teaser, that one has begun, its last day."
            " Runs by itself every ten minutes."
        ),
        run=campaign_messages.run_tellings,
        find_work=campaign_messages.find_tellings,
        start_label=_("Tell of promotions"),
        words=campaign_messages.telling_words,
        routine=True,
    ),
    JobKind(
        key=told_expiry.KIND,
        label=_("Warnings before units expire"),
        icon="hourglass",
        description=_(
            "Tells members 60, 30 and 7 days before what they have expires. Runs by itself"
            " every morning."
        ),
        run=told_expiry.run_warnings,
        find_work=told_expiry.find_warnings,
        start_label=_("Tell what expires"),
        words=told_expiry.warning_words,
        routine=True,
    ),
    JobKind(
        key=shop_histories.KIND,
        label=_("History of a shop"),
        icon="plug-connected",
        description=_("Brings in what happened in a shop before it was connected. Begun there."),
        run=shop_histories.run_history,
        view_permission="connections.manage",
        run_permission="connections.manage",
        words=shop_histories.history_words,
    ),
    JobKind(
        key=survey_invitations.KIND,
        label=_("Whom surveys ask"),
        icon="message-question",
        description=_(
            "Asks members by a message, each once, while a survey is asked. Runs by itself every"
            " day, and when another survey begins."
        ),
        run=survey_invitations.run_invitations,
        find_work=survey_invitations.find_invitations,
        start_label=_("Ask now"),
        words=survey_invitations.invitation_words,
        routine=True,
    ),
    JobKind(
        key=told_trials.KIND,
        label=_("Trials of plans that end soon"),
        icon="hourglass",
        description=_(
            "Tells members three days before the trial of their plan ends. Runs by itself every"
            " hour."
        ),
        run=told_trials.run_trials,
        find_work=told_trials.find_trials,
        start_label=_("Tell whose trial ends"),
        words=told_trials.trial_words,
        routine=True,
    ),
    JobKind(
        key=referral_following.KIND,
        label=_("Referrals that are due"),
        icon="user-heart",
        description=_(
            "Pays for friends whose purchase is kept, and closes referrals of friends who bought"
            " nothing in time. Runs by itself every ten minutes."
        ),
        run=referral_following.run_due,
        find_work=referral_following.find_due,
        start_label=_("Pay what is due"),
        words=referral_following.due_words,
        routine=True,
    ),
    JobKind(
        key=post_clock.KIND,
        label=_("Posts that appear"),
        icon="news",
        description=_(
            "Lets posts appear at their times, and tells members who may read one, each once. Runs"
            " by itself every minute."
        ),
        run=post_clock.run_changes,
        find_work=post_clock.find_changes,
        start_label=_("Let appear what is due"),
        words=post_clock.change_words,
        routine=True,
    ),
    JobKind(
        key=forum_tasks.KIND,
        label=_("What the forum is told"),
        icon="messages",
        description=_(
            "Tells the forum of new tiers, of who signed out and who is to be forgotten, until it"
            " has taken it. Runs by itself every minute."
        ),
        run=forum_tasks.run_tasks,
        find_work=forum_tasks.find_tasks,
        start_label=_("Tell the forum"),
        words=forum_tasks.task_words,
        routine=True,
    ),
    JobKind(
        key=journey_starts.KIND,
        label=_("Beginnings of journeys"),
        icon="route",
        description=_("Looks for members who begin a journey. Runs by itself every hour."),
        run=journey_starts.run_starts,
        find_work=journey_starts.find_starts,
        start_label=_("Look for who begins a journey"),
        words=journey_starts.start_words,
        routine=True,
    ),
    JobKind(
        key=webhook_replays.KIND,
        label=_("Webhooks again"),
        icon="webhook",
        description=_("Sends again what an endpoint has not got. Begun on its page."),
        run=webhook_replays.run_replay,
        view_permission="webhooks.manage",
        run_permission="webhooks.manage",
        words=webhook_replays.replay_words,
    ),
)


def register() -> None:
    """Make them known; called once, when the application is ready."""
    for kind in KINDS:
        register_job_kind(kind)
