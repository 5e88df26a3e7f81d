"""The Celery application: `celery -A config worker` and `celery -A config beat`."""

import os
from typing import Any

from celery import Celery, Task
from celery.schedules import crontab
from celery.signals import worker_init

from config import start_up
from members.origins import JOB, coming_by
from members.program_scope import of_all_programs

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Celery runs Django's checks in each worker and in beat, and looks at none of what they say. They
# take half as long as the start itself.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")


class NamedTask(Task):  # type: ignore[type-arg]
    """What a task writes down came by it, and it sees all programs, whoever had it run."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with of_all_programs(), coming_by(JOB, self.name.rpartition(".")[2]):
            return super().__call__(*args, **kwargs)


@worker_init.connect
def load_views(**_about: Any) -> None:
    """Letters have links. Once, before a worker's processes are forked from it, and share it."""
    start_up.load_views()


app = Celery("setia", task_cls=NamedTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = {
    "deliver-outbox": {"task": "members.tasks.deliver_outbox", "schedule": 5.0},
    "deliver-webhooks": {"task": "campaigns.tasks.deliver_webhooks", "schedule": 5.0},
    "link-parked-refunds": {"task": "loyalty.tasks.link_parked_refunds", "schedule": 60.0},
    "link-payments": {"task": "loyalty.tasks.link_payments", "schedule": 60.0},
    "tell-passes": {"task": "loyalty.tasks.tell_passes", "schedule": 15.0},
    "look-over-passes": {
        "task": "loyalty.tasks.look_over_passes",
        "schedule": crontab(minute="40"),
    },
    "expire-adjustment-requests": {
        "task": "loyalty.tasks.expire_adjustment_requests",
        "schedule": crontab(minute="5"),
    },
    "forget-join-requests": {
        "task": "loyalty.tasks.forget_join_requests",
        "schedule": crontab(minute="45"),
    },
    "expire-spend-requests": {
        "task": "loyalty.tasks.expire_spend_requests",
        "schedule": crontab(minute="15"),
    },
    "fold-tallies": {
        "task": "loyalty.tasks.fold_tallies",
        "schedule": crontab(minute="25"),
    },
    "prune-outbox": {
        "task": "members.tasks.prune_outbox",
        "schedule": crontab(hour="3", minute="20"),
    },
    "prune-webhooks": {
        "task": "campaigns.tasks.prune_webhooks",
        "schedule": crontab(hour="3", minute="30"),
    },
    "prune-messages-in": {
        "task": "campaigns.tasks.prune_messages_in",
        "schedule": crontab(hour="3", minute="40"),
    },
    "prune-clicks": {
        "task": "campaigns.tasks.prune_clicks",
        "schedule": crontab(hour="3", minute="50"),
    },
    "prune-referral-asks": {
        "task": "campaigns.tasks.prune_referral_asks",
        "schedule": crontab(minute="45"),
    },
    "sum-up-referral-visits": {
        "task": "campaigns.tasks.sum_up_referral_visits",
        "schedule": crontab(hour="3", minute="55"),
    },
    "prune-idempotency-records": {
        "task": "members.tasks.prune_idempotency_records",
        "schedule": crontab(minute="35"),
    },
    "prune-packages": {
        "task": "members.tasks.prune_packages",
        "schedule": crontab(minute="50"),
    },
    "prune-sign-ins": {
        "task": "members.tasks.prune_sign_ins",
        "schedule": crontab(hour="3", minute="25"),
    },
    "send-messages": {"task": "campaigns.tasks.send_messages", "schedule": 15.0},
    "go-on-with-journeys": {"task": "campaigns.tasks.go_on_with_journeys", "schedule": 20.0},
    "resume-stale-jobs": {"task": "members.tasks.resume_stale_jobs", "schedule": 30.0},
    "prune-jobs": {"task": "members.tasks.prune_jobs", "schedule": crontab(hour="3", minute="40")},
    "discard-old-files": {
        "task": "loyalty.tasks.discard_old_files",
        "schedule": crontab(hour="3", minute="50"),
    },
    # Jobs: each has a line that names its kind (docs/development.md).
    "expiry": {
        "task": "members.tasks.run_scheduled",
        "args": ["expiry"],
        "schedule": crontab(minute="*/10"),
    },
    "risk-scores": {
        "task": "members.tasks.run_scheduled",
        "args": ["risk_scores"],
        "schedule": crontab(minute="7-59/10"),
    },
    "standing-gifts": {
        "task": "members.tasks.run_scheduled",
        "args": ["standing_gifts"],
        "schedule": crontab(minute="*/10"),
    },
    "pledge-counts": {
        "task": "members.tasks.run_scheduled",
        "args": ["pledge_counts"],
        "schedule": crontab(minute="3-59/10"),
    },
    "program-endings": {
        "task": "members.tasks.run_scheduled",
        "args": ["program_endings"],
        "schedule": crontab(minute="5,35"),
    },
    "ending-conversions": {
        "task": "members.tasks.run_scheduled",
        "args": ["ending_conversions"],
        "schedule": crontab(minute="10,40"),
    },
    # After the days of all time zones are over that have goals, and again in the morning.
    "goal-points": {
        "task": "members.tasks.run_scheduled",
        "args": ["goal_points"],
        "schedule": crontab(hour="2,9,16", minute="50"),
    },
    # Each looks at all of a month, so once a night; yesterday is over nearly everywhere by then.
    "insight-points": {
        "task": "members.tasks.run_scheduled",
        "args": ["insight_points"],
        "schedule": crontab(hour="7", minute="20"),
    },
    # After the figures of the last day of a quarter; there is work on few mornings.
    "program-reviews": {
        "task": "members.tasks.run_scheduled",
        "args": ["program_reviews"],
        "schedule": crontab(hour="8", minute="40"),
    },
    # There is work in the first days of a month.
    "partner-settlements": {
        "task": "members.tasks.run_scheduled",
        "args": ["partner_settlements"],
        "schedule": crontab(hour="9", minute="10"),
    },
    "reward-timeouts": {
        "task": "members.tasks.run_scheduled",
        "args": ["reward_timeouts"],
        "schedule": 60.0,
    },
    # Before the morning in most places; whoever still sleeps is written to later.
    "expiry-warnings": {
        "task": "members.tasks.run_scheduled",
        "args": ["expiry_warnings"],
        "schedule": crontab(hour="5", minute="50"),
    },
    # At an hour when few look at anything; days are those of the merchant.
    "browsing-retention": {
        "task": "members.tasks.run_scheduled",
        "args": ["browsing_retention"],
        "schedule": crontab(hour="3", minute="25"),
    },
    "survey-invitations": {
        "task": "members.tasks.run_scheduled",
        "args": ["survey_invitations"],
        "schedule": crontab(minute="*/10"),
    },
    "referrals": {
        "task": "members.tasks.run_scheduled",
        "args": ["referrals"],
        "schedule": crontab(minute="*/10"),
    },
    "campaign-messages": {
        "task": "members.tasks.run_scheduled",
        "args": ["campaign_messages"],
        "schedule": crontab(minute="*/10"),
    },
    "personal-offers": {
        "task": "members.tasks.run_scheduled",
        "args": ["personal_offers"],
        "schedule": crontab(minute="4-59/10"),
    },
    "broadcasts": {
        "task": "members.tasks.run_scheduled",
        "args": ["broadcasts"],
        "schedule": crontab(minute="*"),
    },
    "surprises": {
        "task": "members.tasks.run_scheduled",
        "args": ["surprises"],
        "schedule": crontab(minute="*"),
    },
    "campaigns": {
        "task": "members.tasks.run_scheduled",
        "args": ["campaigns"],
        "schedule": crontab(minute="*"),
    },
    "experiments": {
        "task": "members.tasks.run_scheduled",
        "args": ["experiments"],
        "schedule": crontab(minute="6-59/10"),
    },
    "games": {
        "task": "members.tasks.run_scheduled",
        "args": ["games"],
        "schedule": crontab(minute="*"),
    },
    "challenges": {
        "task": "members.tasks.run_scheduled",
        "args": ["challenges"],
        "schedule": crontab(minute="*/5"),
    },
    "posts": {
        "task": "members.tasks.run_scheduled",
        "args": ["posts"],
        "schedule": crontab(minute="*"),
    },
    "forum": {
        "task": "members.tasks.run_scheduled",
        "args": ["forum"],
        "schedule": crontab(minute="*"),
    },
    "told-games": {
        "task": "members.tasks.run_scheduled",
        "args": ["told_games"],
        "schedule": crontab(minute="*/5"),
    },
    "plan-trials": {
        "task": "members.tasks.run_scheduled",
        "args": ["plan_trials"],
        "schedule": crontab(minute="55"),
    },
    # After what is given for days of the year, so that a message about it finds it.
    "journey-starts": {
        "task": "members.tasks.run_scheduled",
        "args": ["journey_starts"],
        "schedule": crontab(minute="55"),
    },
    "gift-card-codes": {
        "task": "members.tasks.run_scheduled",
        "args": ["gift_card_codes"],
        "schedule": crontab(hour="3", minute="5"),
    },
    "auto-takes": {
        "task": "members.tasks.run_scheduled",
        "args": ["auto_takes"],
        "schedule": 60.0,
    },
    "reward-tallies": {
        "task": "members.tasks.run_scheduled",
        "args": ["reward_tallies"],
        "schedule": crontab(minute="*/10"),
    },
    "seat-offers": {
        "task": "members.tasks.run_scheduled",
        "args": ["seat_offers"],
        "schedule": 60.0,
    },
    # Every hour: in some time zone a new day has begun.
    "gift-days": {
        "task": "members.tasks.run_scheduled",
        "args": ["gift_days"],
        "schedule": crontab(minute="25"),
    },
    "occasions": {
        "task": "members.tasks.run_scheduled",
        "args": ["occasions"],
        "schedule": crontab(minute="15"),
    },
    "founding-bonus": {
        "task": "members.tasks.run_scheduled",
        "args": ["founding_bonus"],
        "schedule": crontab(minute="*/15"),
    },
    "launch-invitations": {
        "task": "members.tasks.run_scheduled",
        "args": ["launch_invitations"],
        "schedule": crontab(minute="*/10"),
    },
    "tiers": {
        "task": "members.tasks.run_scheduled",
        "args": ["tiers"],
        "schedule": crontab(minute="20"),
    },
    "plans": {
        "task": "members.tasks.run_scheduled",
        "args": ["plans"],
        "schedule": crontab(minute="*/15"),
    },
    "confirmation": {
        "task": "members.tasks.run_scheduled",
        "args": ["confirmation"],
        "schedule": crontab(hour="1", minute="10"),
    },
    "audit-seals": {
        "task": "members.tasks.run_scheduled",
        "args": ["audit_seals"],
        "schedule": crontab(minute="7-59/10"),
    },
    "audit-check": {
        "task": "members.tasks.run_scheduled",
        "args": ["audit_check"],
        "schedule": crontab(hour="2", minute="35"),
    },
    # Before the totals are rebuilt, so that what had drifted is known and not only mended.
    "self-check": {
        "task": "members.tasks.run_scheduled",
        "args": ["self_check"],
        "schedule": crontab(hour="1", minute="40"),
    },
    "customer-facts": {
        "task": "members.tasks.run_scheduled",
        "args": ["customer_facts"],
        "schedule": crontab(hour="2", minute="25"),
    },
    # Soon after the merchant's midnight, wherever that is, and when a condition is new.
    "segments": {
        "task": "members.tasks.run_scheduled",
        "args": ["segments"],
        "schedule": crontab(minute="*/10"),
    },
    "daily-totals": {
        "task": "members.tasks.run_scheduled",
        "args": ["daily_totals"],
        "schedule": crontab(hour="2", minute="10"),
    },
}
