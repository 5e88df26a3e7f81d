from django.apps import AppConfig


class RewardsConfig(AppConfig):
    name = "rewards"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from rewards import demo, jobs
        from rewards.account import menu as account_menu
        from rewards.backoffice import menu as backoffice_menu

        demo.register()
        jobs.register()
        account_menu.register()
        backoffice_menu.register()
