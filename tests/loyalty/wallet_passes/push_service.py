"""Apple's push service on this machine: HTTP/2 over TLS, which asks for the certificate of the pass
type."""

from __future__ import annotations

import json
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Thread

import h2.config
import h2.connection
import h2.events

from tests.loyalty.wallet_passes.authority import AppleFiles, issue, private_pem


@dataclass(frozen=True)
class Push:
    """What came: the path, the topic, the body, and who the certificate says has sent it."""

    path: str
    topic: str
    body: bytes
    sender: str


@dataclass
class PushService:
    """`answers`: by push token, a status and a reason; else a push is taken."""

    listening: socket.socket
    context: ssl.SSLContext
    pushes: list[Push] = field(default_factory=list)
    connections: int = 0
    answers: dict[str, tuple[int, str]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.listening.getsockname()[1]}"

    def run(self) -> None:
        with suppress(OSError):
            while True:
                near, _address = self.listening.accept()
                Thread(target=self._serve, args=(near,), daemon=True).start()

    def stop(self) -> None:
        with suppress(OSError):
            self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()

    def _serve(self, near: socket.socket) -> None:
        with suppress(OSError), self.context.wrap_socket(near, server_side=True) as line:
            self.connections += 1
            subject = dict(part[0] for part in (line.getpeercert() or {})["subject"])
            config = h2.config.H2Configuration(client_side=False, header_encoding="utf-8")
            talk = h2.connection.H2Connection(config)
            talk.initiate_connection()
            line.sendall(talk.data_to_send())
            asked: dict[int, tuple[dict[str, str], bytearray]] = {}
            while data := line.recv(65_536):
                for event in talk.receive_data(data):
                    self._take(talk, event, asked, subject["userId"])
                line.sendall(talk.data_to_send())

    def _take(
        self, talk: h2.connection.H2Connection, event: h2.events.Event,
        asked: dict[int, tuple[dict[str, str], bytearray]], sender: str,
    ) -> None:  # fmt: skip
        if isinstance(event, h2.events.RequestReceived):
            asked[event.stream_id] = dict(event.headers), bytearray()  # type: ignore[arg-type]
        elif isinstance(event, h2.events.DataReceived):
            asked[event.stream_id][1].extend(event.data)
        elif isinstance(event, h2.events.StreamEnded):
            headers, body = asked.pop(event.stream_id)
            path = headers[":path"]
            self.pushes.append(Push(path, headers["apns-topic"], bytes(body), sender))
            status, reason = self.answers.get(path.rpartition("/")[2], (200, ""))
            talk.send_headers(event.stream_id, [(":status", str(status))])
            said = json.dumps({"reason": reason}).encode() if reason else b""
            talk.send_data(event.stream_id, said, end_stream=True)


def start_push_service(files: AppleFiles) -> PushService:
    own = issue("localhost", files.root, host="localhost")
    path = files.folder / "push.pem"
    path.write_bytes(own.pem() + private_pem(own.key))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    context.set_alpn_protocols(["h2"])
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(files.path("root.pem"))
    context.load_verify_locations(files.path("wwdr.pem"))
    service = PushService(socket.create_server(("127.0.0.1", 0)), context)
    Thread(target=service.run, daemon=True).start()
    return service
