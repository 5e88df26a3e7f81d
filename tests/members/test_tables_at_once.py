"""New installations begin with whole tables, older ones went there step by step: to the same."""

from __future__ import annotations

from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

OURS = ("members", "loyalty", "rewards", "campaigns")


class StepByStep(MigrationLoader):
    """As if nothing stood for several steps at once."""

    def load_disk(self) -> None:
        super().load_disk()
        self.disk_migrations = {
            name: migration
            for name, migration in self.disk_migrations.items()
            if not migration.replaces
        }


def columns(state: ProjectState) -> dict[tuple[str, str], list[str]]:
    """In their order, which is that of the table."""
    return {key: list(model.fields) for key, model in state.models.items()}


def test_all_steps_lead_to_the_tables_that_are_made_at_once() -> None:
    at_once = MigrationLoader(None)
    assert {app for app, _name in at_once.replacements} == set(OURS)
    stepwise, whole = StepByStep(None).project_state(), at_once.project_state()
    assert columns(whole) == columns(stepwise)
    for before, after in ((stepwise, whole), (whole, stepwise)):
        found = MigrationAutodetector(before, after)._detect_changes()
        assert {app: [each.operations for each in steps] for app, steps in found.items()} == {}
    assert triggers(whole) == triggers(stepwise)


def triggers(state: ProjectState) -> dict[tuple[str, str], dict[str, str]]:
    return {
        key: {trigger.name: trigger.install_sql for trigger in model.options.get("triggers", ())}
        for key, model in state.models.items()
    }
