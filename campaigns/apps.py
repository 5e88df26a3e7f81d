from typing import Any

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class CampaignsConfig(AppConfig):
    name = "campaigns"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # The tasks are named wherever one is queued, not only in the worker that runs them.
        from campaigns import (
            checks,
            condition_fields,
            demo,
            demo_calendar,
            demo_campaigns,
            demo_challenges,
            demo_community,
            demo_connections,
            demo_figures,
            demo_games,
            demo_journeys,
            demo_offers,
            demo_referrals,
            demo_surveys,
            demo_webhooks,
            forgetting,
            jobs,
            launch_checks,
            merging,
            merging_challenges,
            merging_community,
            merging_offers,
            program_parts,
            referral_parts,
            segment_uses,
            standard_channels,
            standard_occasions,
            tasks,  # noqa: F401
            timeline,
        )
        from campaigns.account import menu as account_menu
        from campaigns.backoffice import (
            calendar_menu,
            campaign_approvals,
            campaign_menu,
            challenge_menu,
            community_menu,
            connection_menu,
            game_menu,
            referral_approvals,
            referral_menu,
            survey_menu,
            webhook_menu,
        )
        from campaigns.backoffice import menu as backoffice_menu
        from campaigns.selectors import games, posts, surveys, telling
        from campaigns.services import (
            challenge_progress,
            code_claims,
            inbound,
            measuring,
            personal_offers,
            tracking,
            webhook_telling,
        )

        condition_fields.register()
        code_claims.register()
        standard_channels.register()
        standard_occasions.register()
        program_parts.register()
        forgetting.register()
        parts = (
            demo, demo_connections, demo_journeys, demo_figures, demo_webhooks, demo_surveys,
            demo_calendar, demo_campaigns, demo_games, demo_challenges, demo_offers,
            demo_referrals, demo_community,
        )  # fmt: skip
        for part in parts:
            part.register()
        surveys.register()
        posts.register()
        games.register()
        checks.register()
        telling.register()
        menus = (
            survey_menu, campaign_menu, calendar_menu, game_menu, challenge_menu, community_menu,
        )  # fmt: skip
        for menu in menus:
            menu.register()
        referral_parts.register()
        referral_menu.register()
        campaign_approvals.register()
        referral_approvals.register()
        jobs.register()
        merging.register()
        merging_challenges.register()
        merging_community.register()
        merging_offers.register()
        challenge_progress.register()
        personal_offers.register()
        segment_uses.register()
        launch_checks.register()
        tracking.register()
        measuring.register()
        timeline.register()
        inbound.register()
        webhook_telling.register()
        account_menu.register()
        backoffice_menu.register()
        webhook_menu.register()
        connection_menu.register()
        post_migrate.connect(_keep_wishes, sender=self)


def _keep_wishes(apps: Any = apps, **_signal: Any) -> None:
    """A later version may tell more: whoever is told everything is told that too."""
    if "webhookendpoint" not in apps.all_models["campaigns"]:
        return
    from campaigns.services.webhook_endpoints import keep_wishes

    keep_wishes()
