"""What every test has: the services, a clean cache, and a browser for those that ask."""

import gc
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.templatetags.static import static
from django.utils import timezone, translation
from hypothesis import HealthCheck
from hypothesis import settings as examples
from pytest_django.plugin import blocking_manager_key

from config.embedded import layout, leased, needed_services
from config.staticfiles import PACKAGES, NodePackage
from tests import chance, databases, emptying, hours, live_connections, rendering, sharing
from tests.chromium import ARGUMENTS, PROJECT, find_chromium, look_at_whole_documents
from tests.kept_pages import Pages
from tests.scheduling import ModuleScheduling, put_in_order
from tests.sharing import undone_when_refused  # noqa: F401

AXE = PROJECT / "node_modules" / "axe-core" / "axe.min.js"
# WCAG 2.2 level AA and the rules that are good practice everywhere.
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SERVICES = ExitStack()
# Examples may take the time that a busy machine needs for them.
examples.register_profile(
    "patient", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
examples.load_profile("patient")
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
# How long a browser test waits for what it expects, in milliseconds.
PATIENCE = 10_000


def pytest_configure(config: pytest.Config) -> None:
    SERVICES.enter_context(leased(layout(), needed_services()))
    databases.install()
    emptying.install()
    live_connections.install()
    chance.install()


def pytest_collection(session: pytest.Session) -> None:
    """Each process of a parallel run begins to import at another place of the tests, so that in a
    new checkout each of them is compiled by one of the processes, and only read by the others."""
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    config = session.config
    if number and config.args_source is config.ArgsSource.TESTPATHS:
        files = sorted((PROJECT / "tests").rglob("test_*.py"))
        ahead = len(files) * number // int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
        for file in files[ahead:]:
            # What is wrong with one is said when it is collected.
            with suppress(Exception, pytest.skip.Exception):
                import_module(".".join(file.relative_to(PROJECT).with_suffix("").parts))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    put_in_order(items, parallel=hasattr(config, "workerinput"), turn=sharing.turn)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ModuleScheduling:
    return ModuleScheduling(config, log)


def pytest_collection_finish(session: pytest.Session) -> None:
    """What is loaded by now stays until the end: looking through it for garbage finds nothing.
    Nor does a test leave much: it is looked for once in a while."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Any:
    """What starts the processes of a parallel run makes the database that they copy, before they
    have their first test; a run of one process makes it where a test of it needs one."""
    config = session.config
    keeps = config.getvalue("reuse_db") and not config.getvalue("create_db")
    if not keeps and not hasattr(config, "workerinput"):
        parallel = config.getoption("numprocesses", None)
        if parallel or any(map(needs_database, session.items)):
            with config.stash[blocking_manager_key].unblock():
                databases.make_template()
    return (yield)


def needs_database(item: pytest.Item) -> bool:
    used = {"db", "transactional_db", "live_server"} & set(getattr(item, "fixturenames", ()))
    return bool(used) or item.get_closest_marker("django_db") is not None


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    with item.config.stash[blocking_manager_key].unblock():
        sharing.begin(item)
    many = sharing.begins_a_world(item)
    hours.wait_for_the_next(hours.LAST_OF_MANY if many else hours.LAST_SECONDS)


def pytest_unconfigure(config: pytest.Config) -> None:
    SERVICES.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Lets a fixture see, when it is torn down, whether its test has failed."""
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


FAILED = pytest.StashKey[bool]()


@pytest.fixture(scope="session", autouse=True)
def _only_pages_are_kept(django_test_environment: None) -> None:
    rendering.install()


@pytest.fixture(autouse=True)
def _beginning_anew() -> Iterator[None]:
    """Rate limits and what else is in the cache begin anew with every test, and so does the reader:
    a request of the test's browser leaves its language and its time zone behind. Within a test the
    languages that are offered are read once, however long it takes."""
    from members import languages

    languages.KEPT_FOR = 3600
    yield
    emptying.empty_cache()
    languages.forget_languages()
    translation.deactivate()
    timezone.deactivate()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, started once for each test process."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    look_at_whole_documents()
    PACKAGES["axe"] = NodePackage("axe-core", (AXE.name,))
    chromium = find_chromium()
    # Playwright's synchronous interface runs an event loop in this thread, which Django takes for
    # asynchronous code although every query here is made by the test itself.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=chromium.executable,
            args=ARGUMENTS,
            env={**os.environ, **chromium.environment},
        )
        yield launched
        launched.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="session")
def live_server(live_server: Any, django_db_setup: None) -> Iterator[Any]:
    yield live_server
    # A database that somebody is connected to cannot be dropped.
    live_connections.close_held()


@pytest.fixture(scope="session")
def pages(browser: Any, live_server: Any) -> Iterator[Pages]:
    pages = Pages(browser, live_server.url)
    yield pages
    pages.close()


@pytest.fixture
def browser_context_options() -> dict[str, Any]:
    """Override in a module or by parametrizing, for example for a phone."""
    return {
        "viewport": WIDE,
        "locale": "en-US",
        "timezone_id": "UTC",
        "reduced_motion": "reduce",
    }


@pytest.fixture
def page_errors() -> list[str]:
    """What went wrong in the page; a test that provokes an error takes it out of the list."""
    return []


@pytest.fixture
def page(
    request: pytest.FixtureRequest,
    pages: Pages,
    browser_context_options: dict[str, Any],
    page_errors: list[str],
) -> Iterator[Any]:
    """A page on the live server (`page.goto("/path/")`) that fails its test on any error.

    Errors are whatever the console calls one, violations of the content security policy among
    them, uncaught exceptions, and answers of 500 and above.
    """
    # A worker of the browser's would go on asking while the database is being cleaned.
    options = {"service_workers": "block", **browser_context_options}
    with pages.lent(options) as lent:
        page = lent.page
        page.set_default_timeout(PATIENCE)
        listen(page, page_errors)
        yield page
        if request.node.stash.get(FAILED, False):
            save_screenshot(page, request.node.nodeid)
            lent.spoiled = True
        # That leaving breaks requests off is told on the console, and is no error of the page.
        found = list(page_errors)
    assert not found, found


def listen(page: Any, page_errors: list[str]) -> None:
    page.on(
        "console",
        lambda message: page_errors.append(message.text) if message.type == "error" else None,
    )
    page.on("pageerror", lambda error: page_errors.append(f"{error}"))
    page.on(
        "response",
        lambda answer: (
            page_errors.append(f"{answer.status} {answer.url}") if answer.status >= 500 else None
        ),
    )


def save_screenshot(page: Any, node: str) -> None:
    folder: Path = settings.VAR_DIR / "failures"
    folder.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"[^A-Za-z0-9]+", "-", node).strip("-")[-120:]
    page.screenshot(path=folder / f"{name}.png", full_page=True)
    (folder / f"{name}.html").write_text(page.content())


# Bars that stick cover whatever is scrolled beneath them at the moment, and axe would call that a
# small target. Judged is the page with every bar in its own place.
LOOSENED = """([tags, known]) => {
    const sticky = [...document.querySelectorAll("body *")].filter(
        (element) => getComputedStyle(element).position === "sticky");
    for (const element of sticky) element.style.position = "relative";
    // The menu of all pages is half of many: a list of it that was in order, with entries that
    // were, looks like this again.
    const {attributes} = document.documentElement;
    const colors = [...document.querySelectorAll('link[href*="?v="]')].map(({href}) => href);
    const looks = [innerWidth, ...colors, matchMedia("(prefers-color-scheme: dark)").matches,
                   ...[...attributes].map(({name, value}) => `${name}=${value}`)].join();
    const seen = (part) => looks + part.outerHTML.replace(/<svg.*?<\\/svg>/gs, "");
    const met = new Set(known);
    const again = [], anew = [];
    for (const list of document.querySelectorAll(".shell-nav-list")) {
        // A menu that is closed was not looked at.
        if (!list.checkVisibility({visibilityProperty: true})) continue;
        const parts = [list.cloneNode(false), ...list.children].map(seen);
        if (parts.every((part) => met.has(part))) again.push(list);
        else anew.push(...parts);
    }
    // What is in order is not described: that would be the markup of thousands of elements.
    axe.configure({noHtml: true});
    const options = {
        runOnly: {type: "tag", values: tags},
        resultTypes: ["violations"], selectors: false, elementRef: true,
        // Of the rules that run, none reads the styles of the page.
        preload: {assets: ["media"]},
    };
    const markup = ({element}) => `\\n    ${element?.outerHTML.slice(0, 300) ?? "In a frame"}`;
    return axe.run({exclude: again}, options)
        .then(({violations}) => [violations.map(
            ({id, help, nodes}) => `${id}: ${help}${nodes.slice(0, 5).map(markup).join("")}`),
            anew])
        .finally(() => { for (const element of sticky) element.style.position = ""; });
}"""


@pytest.fixture(scope="session")
def entries_in_order() -> set[str]:
    """Of the menu, as axe has seen them: with their looks."""
    return set()


@pytest.fixture
def assert_no_axe_violations(live_server: Any, entries_in_order: set[str]) -> Callable[[Any], None]:
    """`assert_no_axe_violations(page)`: axe-core finds nothing to complain about."""

    def check(page: Any) -> None:
        if page.evaluate("() => !('axe' in window)"):
            # What the browser fetches itself it compiles once for all pages of a process.
            if page.url.startswith(f"{live_server.url}/"):
                page.add_script_tag(url=static("axe/axe.min.js"))
            else:
                page.evaluate(AXE.read_text())
        found, seen = page.evaluate(LOOSENED, [AXE_TAGS, list(entries_in_order)])
        assert not found, "\n" + "\n".join(found)
        entries_in_order.update(seen)

    return check


# Charts follow the width of the page in its next frame.
WIDTH_IN_USE = """() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(
    () => done(document.documentElement.scrollWidth))))"""


@pytest.fixture
def assert_fits(assert_no_axe_violations: Callable[[Any], None]) -> Callable[[Any], None]:
    """`assert_fits(page)`: it does not scroll sideways, and axe-core finds nothing."""

    def check(page: Any) -> None:
        width = page.viewport_size["width"]
        assert page.evaluate(WIDTH_IN_USE) <= width, f"{page.url} at {width}"
        assert_no_axe_violations(page)

    return check


def show(page: Any, size: dict[str, int], dark_on_phones: bool) -> None:
    page.set_viewport_size(size)
    if dark_on_phones:
        # The theme follows in the next frame, as the width does.
        page.emulate_media(color_scheme="dark" if size == PHONE else "light")


@pytest.fixture
def assert_in_order(assert_fits: Callable[[Any], None]) -> Callable[..., None]:
    """`assert_in_order(page, dark_on_phones=True)`: as it stands it fits, wide and then on a phone;
    wide again afterwards."""

    def check(page: Any, *, dark_on_phones: bool = False) -> None:
        for size in (WIDE, PHONE):
            show(page, size, dark_on_phones)
            assert_fits(page)
        show(page, WIDE, dark_on_phones)
        # Whatever is clicked next has come to its place.
        page.evaluate(WIDTH_IN_USE)

    return check


# Nothing is asked of the server any more, and every chart is drawn.
AT_REST = """() => !document.querySelector("[data-lazy][aria-busy], .htmx-request, .htmx-swapping")
    && [...document.querySelectorAll("[data-chart]")].every((each) => each.querySelector("canvas"))
"""


@pytest.fixture
def assert_all_in_order(assert_fits: Callable[[Any], None]) -> Callable[..., None]:
    """`assert_all_in_order(page, addresses)`: each fits, wide and on a phone, with what it says if
    this is a mapping. Changing the width of an open page costs a fifth of loading it: each is
    loaded once, every second one on a phone."""

    def check(
        page: Any, addresses: Iterable[str] | Mapping[str, str], *, dark_on_phones: bool = False
    ) -> None:
        sizes = [WIDE, PHONE]
        for address in addresses:
            show(page, sizes[0], dark_on_phones)
            page.goto(address)
            if isinstance(addresses, Mapping):
                page.get_by_text(addresses[address]).first.wait_for()
            page.wait_for_function(AT_REST)
            for size in sizes:
                show(page, size, dark_on_phones)
                assert_fits(page)
            sizes.reverse()

    return check
