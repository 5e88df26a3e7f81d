"""`manage.py simulate_ledger`: a random shop with several workers that die, and what the books say
then."""

import random
import signal
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

import psycopg
from django.core.management import BaseCommand, CommandError, call_command

from config.database.scratch import (
    ScratchBusyError,
    connect_apart,
    scratch_database,
    working_in,
)
from config.simulation import BrokenError
from config.simulation.run import simulate

SUFFIX = "_simulation"


def at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is too few; write 1 or more")
    return int(text)


class Command(BaseCommand):
    help = (
        "Run a random shop in a scratch database: workers at once, messages that come twice and in "
        "any order, processes and connections that are killed. Exit 0 only if then everybody has "
        "what they must."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--seed", type=int, help="the same seed is the same shop (default: any)"
        )
        parser.add_argument(
            "--steps", type=at_least_one, default=1000,
            help="how much happens (default: %(default)s)",
        )  # fmt: skip
        parser.add_argument(
            "--workers", type=at_least_one, default=4,
            help="how many work at once (default: %(default)s)",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = options["seed"]
        seed = random.randrange(1_000_000) if chosen is None else chosen
        again = f"--seed {seed} --steps {options['steps']} --workers {options['workers']}"
        # An ordinary kill ends the command as Ctrl-C does: cleaning up behind itself.
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            shown = self.run_in_scratch(seed, options["steps"], options["workers"])
        except BrokenError as error:
            raise CommandError(f"NOT TRUE: {error}\nTo see it again: {again}") from error
        except ScratchBusyError as error:
            raise CommandError("Another simulation is under way.") from error
        except psycopg.errors.InsufficientPrivilege as error:
            raise CommandError(
                "A simulation needs a scratch database, and this role may not create one: "
                "ALTER ROLE … CREATEDB lets it."
            ) from error
        except KeyboardInterrupt:
            raise CommandError(
                f"Interrupted ({again}); the scratch database is gone.", returncode=130
            ) from None
        finally:
            signal.signal(signal.SIGTERM, before)
        self.stdout.write(f"{shown} ({again})")

    def run_in_scratch(self, seed: int, steps: int, workers: int) -> str:
        self.stdout.write(f"Seed {seed}: preparing a database of its own …")
        with (
            connect_apart() as keeper,
            scratch_database(keeper, SUFFIX) as scratch,
            working_in(scratch),
            connect_apart(scratch) as watcher,
        ):
            call_command("migrate", interactive=False, verbosity=0, skip_checks=True)
            return simulate(
                seed=seed, steps=steps, workers=workers, keeper=watcher, say=self.stdout.write
            )
