from typing import Any

from django.apps import AppConfig

from config import start_up


class ProjectConfig(AppConfig):
    """Makes the project an application, so that it may hold management commands and checks."""

    name = "config"
    verbose_name = "Setia"

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        # The models of all applications are loaded next.
        start_up.begin()

    def ready(self) -> None:
        # Shared tasks bind to the application that is current when they are first called, so it
        # must exist in every process that may queue one, not only in the worker.
        from config import celery  # noqa: F401
        from config.backups import jobs

        jobs.register()
        start_up.end()
