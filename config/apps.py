from django.apps import AppConfig


class ProjectConfig(AppConfig):
    """Makes the project an application, so that it may hold management commands and checks."""

    name = "config"
    verbose_name = "Setia"

    def ready(self) -> None:
        # Shared tasks bind to the application that is current when they are first called, so it
        # must exist in every process that may queue one, not only in the worker.
        from config import celery  # noqa: F401
        from config.backups import jobs

        jobs.register()
