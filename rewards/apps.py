from django.apps import AppConfig


class RewardsConfig(AppConfig):
    name = "rewards"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from rewards import demo, demo_cards, demo_checkouts, jobs, merging
        from rewards.account import menu as account_menu
        from rewards.backoffice import menu as backoffice_menu
        from rewards.services import called_off

        called_off.register()
        demo.register()
        demo_checkouts.register()
        demo_cards.register()
        jobs.register()
        merging.register()
        account_menu.register()
        backoffice_menu.register()
