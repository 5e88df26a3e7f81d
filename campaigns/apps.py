from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    name = "campaigns"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from campaigns import demo, jobs, merging, standard_channels, standard_occasions
        from campaigns.account import menu as account_menu
        from campaigns.backoffice import menu as backoffice_menu
        from campaigns.services import tracking

        standard_channels.register()
        standard_occasions.register()
        demo.register()
        jobs.register()
        merging.register()
        tracking.register()
        account_menu.register()
        backoffice_menu.register()
