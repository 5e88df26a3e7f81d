from typing import Any

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class LoyaltyConfig(AppConfig):
    name = "loyalty"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from loyalty import (
            condition_fields,
            forgetting,
            gauges,
            jobs,
            merging,
            partner_terms,
            personal_tables,
            program_ways,
            segment_uses,
            slow_figures,
        )
        from loyalty.account import joining_elsewhere
        from loyalty.account import menu as account_menu
        from loyalty.api.v1 import import_lines, order_texts
        from loyalty.backoffice import menu as backoffice_menu
        from loyalty.selectors import joining_value, review_uses, telling, touchpoints

        program_ways.register()
        _follow_events()
        condition_fields.register()
        gauges.register()
        segment_uses.register()
        jobs.register()
        account_menu.register()
        joining_elsewhere.register()
        backoffice_menu.register()
        merging.register()
        forgetting.register()
        personal_tables.register()
        telling.register()
        order_texts.register()
        partner_terms.register()
        import_lines.register()
        slow_figures.register()
        review_uses.register()
        touchpoints.register()
        joining_value.register()
        post_migrate.connect(_provide_rows, sender=self)


def _follow_events() -> None:
    """Which services hear of what happens here and in the applications below."""
    from loyalty.services import risk_policies, risk_scores
    from loyalty.services.facts import follow_changes
    from loyalty.services.founding import follow_enrollments
    from loyalty.services.memberships import JOINED
    from loyalty.services.own_activities import follow_profiles, follow_sign_ups
    from loyalty.services.pledge_events import follow_events, follow_members
    from loyalty.services.registrations import follow_registrations
    from loyalty.services.tier_changes import CHANGED as TIER_CHANGED
    from loyalty.services.totals import follow_postings
    from loyalty.services.wallet_passes import (
        follow_customers,
        follow_memberships,
        follow_tiers,
        follow_transfers,
    )
    from members.models.changes import CHANGED
    from members.outbox import register_consumer
    from members.services.customers import REGISTERED

    register_consumer("ledger.posted", follow_postings)
    register_consumer(CHANGED, follow_changes)
    register_consumer(JOINED, follow_enrollments)
    register_consumer(JOINED, follow_members)
    register_consumer(JOINED, follow_sign_ups)
    register_consumer(CHANGED, follow_events)
    register_consumer(CHANGED, follow_profiles)
    register_consumer(REGISTERED, follow_registrations)
    register_consumer(CHANGED, risk_scores.follow_customers)
    register_consumer(JOINED, risk_scores.follow_members)
    register_consumer(risk_policies.WRITTEN, risk_policies.follow_policies)
    register_consumer(CHANGED, follow_customers)
    register_consumer(TIER_CHANGED, follow_tiers)
    register_consumer("told.memberships", follow_memberships)
    register_consumer("told.transfers", follow_transfers)


def _provide_rows(apps: Any = apps, **_signal: Any) -> None:
    """What every installation begins with, once its tables are there; an emptied one too."""
    try:
        apps.get_model("loyalty", "AdjustmentLimit")
    except LookupError:
        return
    from loyalty.services.adjustment_limits import provide_limits
    from loyalty.services.adjustment_reasons import provide_reasons

    provide_reasons()
    provide_limits()
