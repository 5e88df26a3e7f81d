"""One request to an endpoint: to an address that was judged, with a limit for everything, and no
step further than the first answer. Nothing here touches the database."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from functools import cache

from campaigns.webhook_addresses import RefusedAddressError, Target, resolve

CONNECT_SECONDS = 5.0
# Between two parts of an answer, and for all of it.
READ_SECONDS = 15.0
TOTAL_SECONDS = 20.0
KEPT_OF_BODY = 1000
# Without an answer: what was wrong, in words that are in the documents.
REFUSED = "refused_address"
UNKNOWN_HOST = "unknown_host"
TIMED_OUT = "timed_out"
NO_TLS = "tls_failed"
BROKEN = "connection_failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a request. `status`: None without an answer; then `error` says why."""

    took_ms: int
    status: int | None = None
    error: str = ""
    body: str = ""

    @property
    def succeeded(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        return self.status == 410


def post(url: str, body: bytes, headers: dict[str, str]) -> Outcome:
    """Send it and say what came of it; nothing is raised for what is the other side's doing."""
    return send("POST", url, body, headers)


def send(
    method: str, url: str, body: bytes, headers: dict[str, str], *, longest: int = KEPT_OF_BODY
) -> Outcome:
    """The same in any way, with so much of the answer."""
    began = time.monotonic()
    try:
        target = resolve(url)
        sent = {
            "Content-Type": "application/json", "Content-Length": str(len(body)),
            "User-Agent": "Setia-Webhooks/1", **headers,
        }  # fmt: skip
        status, _headers, answer = exchange(target, method, sent, body, longest=longest)
    except RefusedAddressError:
        return Outcome(_since(began), error=REFUSED)
    except (socket.gaierror, UnicodeError):
        return Outcome(_since(began), error=UNKNOWN_HOST)
    except TimeoutError:
        return Outcome(_since(began), error=TIMED_OUT)
    except ssl.SSLError as error:
        return Outcome(_since(began), error=f"{NO_TLS}: {error.reason or type(error).__name__}")
    except (OSError, http.client.HTTPException, ValueError) as error:
        late = time.monotonic() - began >= TOTAL_SECONDS
        told = TIMED_OUT if late else f"{BROKEN}: {type(error).__name__}"
        return Outcome(_since(began), error=told)
    return Outcome(_since(began), status=status, body=_text(answer))


def exchange(
    target: Target,
    method: str,
    headers: dict[str, str],
    body: bytes = b"",
    *,
    longest: int,
    seconds: float | None = None,
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """One request to a target that was judged: status, headers and so much of the answer."""
    connection = _connected(target)
    # Whoever answers drop by drop is cut off.
    watch = threading.Timer(seconds or TOTAL_SECONDS, _cut, [connection.sock])
    watch.daemon = True
    watch.start()
    try:
        if isinstance(connection.sock, ssl.SSLSocket):
            connection.sock.do_handshake()
        connection.putrequest(method, target.path, skip_host=True, skip_accept_encoding=True)
        for name, value in {
            "Host": target.host_header, "Connection": "close", **headers
        }.items():  # fmt: skip
            connection.putheader(name, value)
        connection.endheaders(body or None)
        response = connection.getresponse()
        return response.status, response.headers, response.read(longest)
    finally:
        watch.cancel()
        connection.close()


def _connected(target: Target) -> http.client.HTTPConnection:
    """A connection whose socket leads to an address that was judged, and to no other."""
    connection = http.client.HTTPConnection(target.host, target.port, timeout=READ_SECONDS)
    connection.sock = _socket(target)
    return connection


def _socket(target: Target) -> socket.socket:
    plain = _reach(target)
    try:
        plain.settimeout(READ_SECONDS)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not target.secure:
            return plain
        return _tls().wrap_socket(plain, server_hostname=target.host, do_handshake_on_connect=False)
    except BaseException:
        plain.close()
        raise


def _reach(target: Target) -> socket.socket:
    """The first of its addresses that answers; two at most are tried."""
    *others, last = target.addresses[:2]
    for address in others:
        try:
            return socket.create_connection((address, target.port), timeout=CONNECT_SECONDS)
        except OSError:
            continue
    return socket.create_connection((last, target.port), timeout=CONNECT_SECONDS)


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _cut(sock: socket.socket) -> None:
    try:
        # Of the socket beneath an encrypted one, which another thread is reading.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
    except OSError:
        pass


def _since(began: float) -> int:
    return int((time.monotonic() - began) * 1000)


def _text(answer: bytes) -> str:
    return answer.decode("utf-8", "replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")
