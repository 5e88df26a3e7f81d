"""Walking through pages as people do: by the links, filters, sortings and next pages of those that
were found before, and by the panels that they load; so each is about something that there is."""

from __future__ import annotations

import re
import statistics
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import resolve
from django.urls.exceptions import Resolver404

from members.models import User
from tests.bench.figures import say

# A query that takes so many seconds is ended, and a page that does is asked for once.
LONGEST = 10
# So many things are tried for an address that no link leads to.
MOST_TRIED = 40
# Progress is shown after so many pages.
STEP = 50
WORDS = ("anna", "nobody at all", "+99900000000017")
_LINK = re.compile(r'(?:href|hx-get|data-href)="([^"#]+)')
_FORM = re.compile(r'<form(?=[^>]*\bmethod="get")[^>]*>.*?</form>', re.DOTALL)
_FIELD = re.compile(r'name="(q|query|search)"')
# What makes a file of everything is no page.
_FILES = re.compile(r"(_csv|_file|_export|export|_json|_samples?|feed|_labels)$")


@dataclass(frozen=True, slots=True)
class Page:
    name: str
    url: str
    # Medians, warm: how long it took, and how much of the processor Python and the database used
    # for it, which hardly depends on what else the machine does.
    milliseconds: float
    of_python: float
    of_postgres: float

    @property
    def own(self) -> float:
        return self.of_python + self.of_postgres

    @property
    def route(self) -> str:
        return f"/{resolve(urlsplit(self.url).path).route}"


class Walk:
    """What one user finds below a prefix. `ways`: so many different links to each address are
    followed, others lead to more of the same. `looks`: how often each page is asked for, warm."""

    def __init__(self, user: User, below: str, *, ways: int, looks: int) -> None:
        self.client = Client(raise_request_exception=False, SERVER_NAME="localhost")
        self.client.force_login(user, "django.contrib.auth.backends.ModelBackend")
        self.below, self.most, self.looks = below, ways, looks
        self.waiting: deque[str] = deque()
        self.known: set[object] = set()
        # All links there were, in their order.
        self.links: dict[str, None] = {}
        self.ways: Counter[str] = Counter()
        self.pages: list[Page] = []
        self.failed: list[str] = []
        # Names of addresses that answered with another address, and with a file.
        self.led: set[str] = set()
        self.files: set[str] = set()

    def go(self, starts: list[str]) -> None:
        self._note(starts)
        asked = 0
        while self.waiting:
            self._ask(self.waiting.popleft())
            asked += 1
            if asked % STEP == 0 or not self.waiting:
                say(f"asked for {asked:,} of {asked + len(self.waiting):,} pages {self.below}…")

    def try_out(self, urls: Iterable[str]) -> None:
        """Of each address the first of these that is a page, among so many; and where it leads."""
        tried: Counter[str] = Counter()
        for url in urls:
            name = _name_of(url)
            if tried[name] < MOST_TRIED and not any(page.name == name for page in self.pages):
                tried[name] += 1
                self._ask(url)
        self.go([])

    def queries(self, page: Page) -> tuple[int, float]:
        """How many it asks, and the milliseconds of the worst of them."""
        with CaptureQueriesContext(connection) as asked:
            self.client.get(page.url)
        return len(asked), max((1000 * float(query["time"]) for query in asked), default=0)

    def reads(self, url: str) -> bool:
        """Whether there is something to read at this address, for whoever knows what."""
        return "GET" in self.client.options(url).headers.get("Allow", "")

    def _note(self, links: Iterator[str] | list[str]) -> None:
        """Links to one page that ask for the same kind of things are one."""
        for link in links:
            name, kind = _name_of(link), _kind_of(link)
            if not link.startswith(self.below) or not name or is_file(name):
                continue
            self.links[link] = None
            if kind not in self.known and self.ways[name] < self.most:
                self.known.add(kind)
                self.ways[name] += 1
                self.waiting.append(link)

    def _ask(self, url: str) -> None:
        response, *took = self._get(url)
        if response.status_code >= 500:
            say(f"failed: {url}")
            self.failed.append(url)
        if 300 <= response.status_code < 400:
            self.led.add(_name_of(url))
        if response.streaming:
            self.files.add(_name_of(url))
        if response.status_code != 200 or response.streaming:
            self._note([response.headers.get("Location", "")])
            return
        if took[0] < 1000 * LONGEST:
            again = [self._get(url)[1:] for _look in range(self.looks)]
            took = [statistics.median(each) for each in zip(*again, strict=True)]
        self.pages.append(Page(_name_of(url), url, *took))
        if response.headers["Content-Type"].startswith("text/html"):
            self._note(_links(url, response.content.decode()))

    def _get(self, url: str) -> tuple[Any, float, float, float]:
        begun, python, postgres = time.perf_counter(), time.process_time(), _postgres_time()
        response = self.client.get(url)
        took, of_python = time.perf_counter() - begun, time.process_time() - python
        return response, 1000 * took, 1000 * of_python, 1000 * (_postgres_time() - postgres)


def _postgres_time() -> float:
    """Seconds of the processor that this connection's server has used; it has no other clock."""
    connection.ensure_connection()
    pid = connection.connection.info.backend_pid
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    except FileNotFoundError:
        return 0.0


def is_file(name: str) -> bool:
    return bool(_FILES.search(name))


def _links(url: str, text: str) -> Iterator[str]:
    for link in _LINK.findall(text):
        parts = urlsplit(urljoin(url, unescape(link)))
        if not parts.netloc:
            yield f"{parts.path}?{parts.query}" if parts.query else parts.path
    for form in _FORM.findall(text):
        if field := _FIELD.search(form):
            yield from (f"{urlsplit(url).path}?{field[1]}={word}" for word in WORDS)


def _kind_of(url: str) -> object:
    """Search words and orders are each their own."""
    parts = urlsplit(url)
    query = [(k, v if k in ("q", "sort", "order", "state", "status") else "")
             for k, v in parse_qsl(parts.query)]  # fmt: skip
    return (parts.path, *query)


def _name_of(url: str) -> str:
    try:
        return resolve(urlsplit(url).path).view_name
    except Resolver404:
        return ""
