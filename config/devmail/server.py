"""An SMTP server that accepts whatever it is sent and delivers into a folder.

Run as `python -m config.devmail.server PORT FOLDER`; `manage.py up` does so in development.
"""

import os
import signal
import sys
import threading
import time
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class Delivery:
    """Keeps each message as a file; the name orders them by arrival."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def handle_DATA(  # noqa: N802 (aiosmtpd calls it so)
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        content = envelope.original_content or b""
        name = f"{time.time_ns()}-{os.urandom(4).hex()}"
        # A reader never sees half a message.
        fresh = self.folder / f".{name}"
        fresh.write_bytes(content)
        fresh.rename(self.folder / f"{name}.eml")
        return "250 Kept for the development inbox"


def serve(port: int, folder: Path) -> None:
    """Receive mail on the loopback interface until asked to stop."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    controller = Controller(Delivery(folder), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        stop.wait()
    finally:
        controller.stop()


if __name__ == "__main__":
    serve(int(sys.argv[1]), Path(sys.argv[2]))
