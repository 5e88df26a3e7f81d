"""The programs that make up a running installation, besides the embedded services."""

import http.client
import os
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config.supervisor.children import Program

# In the order they start: the first page is what somebody waits for. They stop with the worker near
# the end, so that whatever a request or the schedule has queued is still taken.
PARTS = ("web", "devmail", "worker", "beat")
STOP_ORDER = ("web", "beat", "demo", "worker", "devmail")
SCHEDULE = {"DJANGO_SETTINGS_MODULE": "config.schedule_settings"}


@dataclass(frozen=True)
class Address:
    """Where the web server listens."""

    host: str
    port: int

    @property
    def url(self) -> str:
        shown = "localhost" if self.host in {"127.0.0.1", "0.0.0.0", "::"} else self.host
        return f"http://{shown}:{self.port}"

    def is_free(self) -> bool:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
            except OSError:
                return False
        return True

    def accepts(self) -> bool:
        """Whether anybody listens there."""
        try:
            socket.create_connection((self.host, self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def answers(self) -> bool:
        """Whether the web server there says that it is alive."""
        host = "127.0.0.1" if self.host == "0.0.0.0" else self.host
        connection = http.client.HTTPConnection(host, self.port, timeout=2)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


@dataclass(frozen=True)
class Stack:
    """Builds the programs of one installation."""

    project: Path
    logs: Path
    mail: Path
    web: Address
    devmail: Address
    reload: bool
    # On somebody's machine the terminal is for the web server's words; in a container all of it is
    # collected from there.
    log_to_files: bool

    def programs(self, parts: tuple[str, ...]) -> list[Program]:
        builders = {
            "web": self.web_program,
            "worker": self.worker_program,
            "beat": self.beat_program,
            "devmail": self.devmail_program,
        }
        return [builders[part]() for part in parts]

    def web_program(self) -> Program:
        workers = os.environ.get("WEB_WORKERS", "2")
        threads = os.environ.get("WEB_THREADS", "4")
        command = [
            *python_module("config.web", "--interface", "wsgi", "config.wsgi:application"),
            *("--host", self.web.host, "--port", str(self.web.port)),
            *("--workers", workers, "--blocking-threads", threads),
            *("--no-ws", "--log-level", "warning"),
            *("--respawn-failed-workers", "--workers-kill-timeout", "10"),
        ]
        if self.reload:
            command.append("--reload")
        return self._program("web", command, {}, ready=self.web.answers)

    def worker_program(self) -> Program:
        concurrency = os.environ.get("WORKER_CONCURRENCY", "2")
        command = [
            *python_module("celery", "-q", "-A", "config.celery", "worker"),
            *("--concurrency", concurrency, "--loglevel", "WARNING"),
            *("--without-gossip", "--without-mingle"),
        ]
        # A warm stop: the tasks in hand are finished first, within reason.
        return self._program("worker", command, {}, stop_seconds=30.0)

    def beat_program(self) -> Program:
        command = [
            *python_module("celery", "-q", "-A", "config.celery", "beat"),
            *("--pidfile=", "--max-interval", "5", "--loglevel", "WARNING"),
        ]
        return self._program("beat", command, SCHEDULE)

    def devmail_program(self) -> Program:
        command = python_module("config.devmail.server", str(self.devmail.port), str(self.mail))
        return self._program("devmail", command, {}, ready=self.devmail.accepts)

    def job(self, name: str, *arguments: str) -> Program:
        """A management command that ends by itself; what it prints goes to a log."""
        return self._program(name, self.manage(*arguments), {}, log=self.logs / f"{name}.log")

    def manage(self, *arguments: str) -> list[str]:
        return [sys.executable, str(self.project / "manage.py"), *arguments]

    def _program(
        self,
        name: str,
        command: list[str],
        environment: Mapping[str, str],
        **options: object,
    ) -> Program:
        if self.log_to_files and name != "web":
            options.setdefault("log", self.logs / f"{name}.log")
        ports = {"PORT": str(self.web.port)}
        if self.devmail.port:
            ports["DEVMAIL_PORT"] = str(self.devmail.port)
        if self.log_to_files:
            ports |= phone_addresses(self.web)
        return Program(
            name=name,
            command=command,
            environment={**os.environ, **ports, **environment},
            folder=self.project,
            stop_signal=signal.SIGTERM,
            **options,  # type: ignore[arg-type]
        )


def phone_addresses(web: Address) -> dict[str, str]:
    """Where text messages go in development, unless somebody says otherwise: to its own phone."""
    own = {
        f"{channel.upper()}_URL": f"json://127.0.0.1:{web.port}/dev/phone/to/{channel}/?:to={{to}}"
        for channel in ("sms", "whatsapp", "push")
    }
    return {name: url for name, url in own.items() if name not in os.environ}


def python_module(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", name, *arguments]
