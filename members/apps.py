from django.apps import AppConfig


class MembersConfig(AppConfig):
    name = "members"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # The tasks are named wherever one is queued, not only in the worker that runs them.
        from members import condition_fields, gauges, personal_tables, tasks, words  # noqa: F401
        from members.account import (  # noqa: F401  (what happens as somebody signs in)
            landing,
            sign_in_notes,
        )
        from members.backoffice import menu, places
        from members.selectors import history, told_customers
        from members.services import (
            audit_jobs,
            forgetting,
            invitations,
            mail,
            merged_details,
            merged_segments,
            package_jobs,
            segment_jobs,
            segments,
            two_factor,  # noqa: F401  (notes when it is switched on and off)
        )

        condition_fields.register()
        gauges.register()
        words.register()
        personal_tables.register()
        menu.register()
        places.register()
        history.register()
        told_customers.register()
        invitations.register()
        mail.register()
        merged_details.register()
        merged_segments.register()
        segments.register()
        segment_jobs.register()
        audit_jobs.register()
        package_jobs.register()
        forgetting.register()
