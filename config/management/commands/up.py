"""`manage.py up`: everything Setia needs, in one terminal. It is what `make run` calls."""

import json
import os
from argparse import ArgumentParser
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command, get_commands
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.urls import reverse

from config import metrics
from config.embedded import EmbeddedError, leased, needed_services
from config.embedded.leases import ServiceFiles
from config.embedded.locks import try_lock
from config.supervisor.stack import PARTS, STOP_ORDER, Address, Stack
from config.supervisor.supervisor import Interrupted, Supervisor
from members.services.first_visit import first_visit_token


class Command(BaseCommand):
    help = "Run the web server, the background worker and all they need; Ctrl-C stops everything."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--only",
            default="",
            metavar="PARTS",
            help=f"run some of {', '.join(PARTS)} (separated by commas), without migrating",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        parts = self.wanted_parts(options["only"])
        stack = self.build_stack(parts)
        with ExitStack() as cleanup:
            if not options["only"]:
                self.refuse_second_run(stack, cleanup)
            if "web" in parts and not stack.web.is_free():
                raise CommandError(
                    f"Port {stack.web.port} on {stack.web.host} is taken by another program. "
                    f"Choose another one: PORT={stack.web.port + 1} make run"
                )
            supervisor = Supervisor(self.say, STOP_ORDER)
            cleanup.enter_context(supervisor.signals())
            cleanup.callback(self.say, "Stopped.")
            try:
                services = self.start_services(supervisor, cleanup)
                cleanup.callback(self.stop, supervisor)
                if not options["only"]:
                    self.migrate(supervisor)
                if "web" in parts:
                    metrics.begin_anew()
                for program in stack.programs(parts):
                    if not supervisor.start(program):
                        raise CommandError(f"{program.name} does not start; {program.words}.")
                loading = not options["only"] and self.start_demo(supervisor, stack)
                begins = not loading and "web" in parts and first_visit_path()
                self.print_table(supervisor, stack, services, loading, begins or "")
                supervisor.watch()
            except Interrupted:
                pass

    def wanted_parts(self, only: str) -> tuple[str, ...]:
        if not only:
            return tuple(part for part in PARTS if part != "devmail" or uses_devmail())
        wanted = {part.strip() for part in only.split(",")}
        if unknown := wanted - set(PARTS):
            raise CommandError(
                f"There is no part {', '.join(sorted(unknown))}; choose from {', '.join(PARTS)}."
            )
        return tuple(part for part in PARTS if part in wanted)

    def build_stack(self, parts: tuple[str, ...]) -> Stack:
        host = os.environ.get("HOST", "127.0.0.1" if settings.DEVELOPMENT else "0.0.0.0")
        try:
            port = int(os.environ.get("PORT", "8000"))
        except ValueError:
            raise CommandError(f"PORT must be a number, not {os.environ['PORT']!r}.") from None
        if not 0 < port < 65536:
            raise CommandError(f"PORT must be between 1 and 65535, not {port}.")
        return Stack(
            project=settings.BASE_DIR,
            logs=settings.EMBEDDED.logs,
            mail=settings.DEVMAIL_DIR,
            web=Address(host, port),
            devmail=devmail_address(port) if "devmail" in parts else Address("127.0.0.1", 0),
            reload=settings.DEBUG,
            log_to_files=settings.DEVELOPMENT,
        )

    def refuse_second_run(self, stack: Stack, cleanup: ExitStack) -> None:
        """Hold the folder's lock for as long as this command runs, or say who has it."""
        path: Path = settings.EMBEDDED.locks / "up"
        note = path.with_suffix(".json")
        descriptor = try_lock(path)
        if descriptor is None:
            try:
                running = json.loads(note.read_text())
                where = f" (process {running['pid']}): {running['url']}"
            except (FileNotFoundError, ValueError):
                where = "."
            raise CommandError(f"Setia is already running from this folder{where}")
        cleanup.callback(os.close, descriptor)
        note.write_text(json.dumps({"pid": os.getpid(), "url": stack.web.url}))
        cleanup.callback(note.unlink, missing_ok=True)

    def start_services(self, supervisor: Supervisor, cleanup: ExitStack) -> list[ServiceFiles]:
        services = needed_services()
        if services:
            self.say(f"Starting {' and '.join(services)} …")
        try:
            cleanup.enter_context(leased(settings.EMBEDDED, services, wait_for_stop=True))
        except EmbeddedError as error:
            raise CommandError(str(error)) from error
        files = [ServiceFiles(settings.EMBEDDED, service) for service in services]
        supervisor.watchers += [news_of(each) for each in files]
        return files

    def migrate(self, supervisor: Supervisor) -> None:
        """Apply what is missing; a request to stop meanwhile waits for the migration in hand."""
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if plan:
            self.say(f"Bringing the database up to date: {len(plan)} migrations …")
            call_command("migrate", interactive=False, verbosity=0, skip_checks=True)
        # The children open connections of their own; this process needs none from here on.
        connections.close_all()
        if supervisor.stopping.is_set():
            raise Interrupted

    def start_demo(self, supervisor: Supervisor, stack: Stack) -> bool:
        """Load the demonstration beside the running server; the command skips a used database."""
        wanted = settings.DEVELOPMENT and os.environ.get("DEMO", "1") != "0"
        command = settings.SETIA_DEMO_COMMAND
        if not wanted or command not in get_commands():
            return False
        supervisor.start_job(stack.job("demo", command, "--if-empty"))
        return True

    def print_table(
        self,
        supervisor: Supervisor,
        stack: Stack,
        services: list[ServiceFiles],
        loading: bool,
        begins: str,
    ) -> None:
        rows = [
            (each.service, str(settings.EMBEDDED.sockets), each.read_state().get("pid"))
            for each in services
        ]
        where = {
            "web": stack.web.url,
            "worker": "background work",
            "beat": "schedule",
            "devmail": f"smtp://{stack.devmail.host}:{stack.devmail.port}",
        }
        rows += [
            (child.program.name, where[child.program.name], child.pid)
            for child in supervisor.children
        ]
        width = max(len(place) for _, place, _ in rows)
        lines = [f"Setia is running: {stack.web.url}", ""]
        lines += [f"  {name:<10} {place:<{width}}  process {pid}" for name, place, pid in rows]
        if begins:
            lines += ["", f"Nobody works here yet. Begin at {stack.web.url}{begins}"]
            lines += ["Whoever has this address becomes the administrator; it works once."]
        elif settings.DEVELOPMENT:
            lines += ["", "Sign in as", ""]
            lines += [
                f"  {role:<18} {email:<22} password {password}"
                for role, email, password in settings.SETIA_DEMO_LOGINS
            ]
            lines.append(f"  {'customer':<18} {settings.SETIA_DEMO_CUSTOMER} by e-mailed code, see")
            lines.append(f"  {'':<18} {stack.web.url}/dev/inbox/")
            lines.append(f"  {'the phone':<18} {stack.web.url}/dev/phone/")
            lines.append(f"  {'the shop':<18} {stack.web.url}/demo-shop/")
        if loading:
            lines += [
                "",
                f"The demonstration is loaded meanwhile: {stack.logs / 'demo.log'}",
            ]
        self.say("\n".join([*lines, "", "Ctrl-C stops everything."]))

    def stop(self, supervisor: Supervisor) -> None:
        self.say("Stopping …")
        supervisor.stop()

    def say(self, text: str) -> None:
        try:
            self.stdout.write(text)
            self.stdout.flush()
        except OSError:
            pass  # the terminal is gone; there is nobody to tell


def first_visit_path() -> str:
    """Where the first administrator begins; nothing once there is one."""
    token = first_visit_token()
    # The children open connections of their own; this process needs none from here on.
    connections.close_all()
    # By its own addresses: to look among all, this process would load every view.
    return reverse("first_visit", "members.urls", [token]) if token else ""


def uses_devmail() -> bool:
    return bool(settings.DEVELOPMENT) and not os.environ.get("EMAIL_URL")


def devmail_address(web_port: int) -> Address:
    """The port that was asked for, else one that is free: nobody counts on a certain one."""
    wanted = Address("127.0.0.1", settings.DEVMAIL_PORT)
    if "DEVMAIL_PORT" in os.environ:
        return wanted
    candidates = (Address(wanted.host, wanted.port + step) for step in range(50))
    return next((each for each in candidates if each.port != web_port and each.is_free()), wanted)


def news_of(files: ServiceFiles) -> Callable[[], str | None]:
    """A watcher that tells each thing the keeper of a service reports once."""
    told = files.read_state().get("news")

    def news() -> str | None:
        nonlocal told
        latest = files.read_state().get("news")
        if not latest or latest == told:
            return None
        told = latest
        return str(latest)

    return news
