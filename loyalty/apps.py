from django.apps import AppConfig


class LoyaltyConfig(AppConfig):
    name = "loyalty"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from loyalty import jobs
        from loyalty.account import menu as account_menu
        from loyalty.backoffice import menu as backoffice_menu
        from loyalty.services.totals import follow_postings
        from members.outbox import register_consumer

        register_consumer("ledger.posted", follow_postings)
        jobs.register()
        account_menu.register()
        backoffice_menu.register()
