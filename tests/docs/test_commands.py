"""docs/commands.md is written from the commands."""

from config.documents.command_reference import NAME, PAGE, command_reference, own_commands
from config.documents.parts import part_of


def test_the_page_is_in_step() -> None:
    assert part_of(PAGE, NAME) == command_reference().strip(), "run: manage.py command_reference"


def test_it_has_the_project_s_commands_and_no_others() -> None:
    names = {name for _app, name in own_commands()}
    assert {"backup", "verify_ledger", "load_demo", "create_administrator"} <= names
    assert not names & {"migrate", "test", "shell"}
