"""The tables of an application made at once, as the first migration of a new installation does.

Step by step, Django works out anew with each step what all models look like that a changed one is
related to: nine tenths of the minute and more that a hundred migrations take. Here the models are
worked out once, when all of them are known. Nothing else differs: the tables, indexes, constraints
and triggers are those that the steps would have made, name by name.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations import CreateModel
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState


class CreateTables(Operation):
    """Models that are related to each other in any order, with the triggers in their options."""

    serialization_expand_args = ["operations"]

    def __init__(self, operations: list[CreateModel]) -> None:
        self.operations = operations

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        # What has been worked out so far would be worked out again for each of them.
        state.__dict__.pop("apps", None)
        for operation in self.operations:
            operation.state_forwards(app_label, state)

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        # The function of a trigger may name a table that comes later.
        schema_editor.execute("SET LOCAL check_function_bodies = off")
        for operation in self.operations:
            operation.database_forwards(app_label, schema_editor, from_state, to_state)
            # What stands for a table of another application brings triggers and nothing else.
            if operation.options.get("proxy"):
                for trigger in operation.options.get("triggers", ()):
                    schema_editor.execute(trigger.install_sql, params=None)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        for operation in reversed(self.operations):
            operation.database_backwards(app_label, schema_editor, from_state, to_state)

    def references_model(self, name: str, app_label: str) -> bool:
        return any(operation.references_model(name, app_label) for operation in self.operations)

    def describe(self) -> str:
        return f"Create {len(self.operations)} tables"

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__name__, [], {"operations": self.operations}
