from django.apps import AppConfig


class RewardsConfig(AppConfig):
    name = "rewards"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from rewards import (
            checks,
            demo,
            forgetting,
            jobs,
            launch_checks,
            merging,
            own_signs,
            personal_tables,
            program_parts,
            program_ways,
            reviews,
            segment_uses,
            terms_panels,
            timeline,
        )
        from rewards.account import menu as account_menu
        from rewards.backoffice import menu as backoffice_menu
        from rewards.selectors import access_windows, telling
        from rewards.services import called_off, card_balances

        program_ways.register()
        called_off.register()
        card_balances.register()
        checks.register()
        launch_checks.register()
        demo.register()
        forgetting.register()
        own_signs.register()
        personal_tables.register()
        jobs.register()
        merging.register()
        program_parts.register()
        reviews.register()
        segment_uses.register()
        terms_panels.register()
        timeline.register()
        account_menu.register()
        backoffice_menu.register()
        access_windows.register()
        telling.register()
