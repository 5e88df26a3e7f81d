from importlib import import_module
from typing import Any

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate

# What lower applications are told of this one by: the `register()` of each, in this order.
PARTS = (
    "program_ways", "models.tally_triggers",
    "condition_fields", "services.code_claims", "standard_channels", "standard_occasions",
    "services.broadcast_occasion",
    "program_parts", "ready_activities", "forgetting", "own_signs", "personal_tables", "demo",
    "selectors.surveys", "selectors.posts", "selectors.games", "checks", "selectors.telling",
    "backoffice.survey_menu", "backoffice.campaign_menu", "backoffice.calendar_menu",
    "backoffice.game_menu", "backoffice.challenge_menu", "backoffice.community_menu",
    "referral_parts", "backoffice.referral_menu", "backoffice.campaign_approvals",
    "backoffice.referral_approvals", "backoffice.experiment_menu",
    "backoffice.experiment_approvals", "jobs", "merging", "merging_browsing",
    "merging_challenges", "merging_community", "merging_offers", "services.challenge_progress",
    "services.personal_offers", "segment_uses",
    "insights", "reviews", "launch_checks", "holdouts", "risk_signals", "team_panels",
    "services.tracking", "services.consent_doors",
    "services.measuring", "timeline", "customer_timeline", "browsing_timeline", "services.inbound",
    "services.webhook_telling", "slow_figures", "gauges", "account.menu", "account.joined_for",
    "backoffice.menu", "backoffice.webhook_menu", "backoffice.connection_menu",
    "backoffice.browsing_menu",
)  # fmt: skip


class CampaignsConfig(AppConfig):
    name = "campaigns"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # The tasks are named wherever one is queued, not only in the worker that runs them.
        import_module("campaigns.tasks")
        for part in [import_module(f"campaigns.{name}") for name in PARTS]:
            part.register()
        post_migrate.connect(_keep_wishes, sender=self)


def _keep_wishes(apps: Any = apps, **_signal: Any) -> None:
    """A later version may tell more: whoever is told everything is told that too."""
    try:
        apps.get_model("campaigns", "WebhookEndpoint")
    except LookupError:
        return
    from campaigns.services.webhook_endpoints import keep_wishes

    keep_wishes()
