"""Pages: how long the server takes for each page of the back-office, and of a customer's account,
among very many customers. On a database of its own, which is dropped afterwards; the demonstration
that it is made of is kept, in another."""

from __future__ import annotations

import argparse
import importlib
import os
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from typing import Any

from django.core.management import call_command
from django.db import connection
from django.db.models import Count, QuerySet
from django.urls import reverse

from loyalty.models import Order
from members.models import Customer, StaffMember, User
from tests.addresses import addresses_below
from tests.bench import databases
from tests.bench.figures import Figures, Goal, say
from tests.bench.multiplied import APART, MANY_ORDERS, multiply
from tests.bench.rare import make_rare
from tests.bench.unlinked import unlinked
from tests.bench.walks import LONGEST, WORDS, Page, Walk, is_file
from tests.staff_addresses import TABLE

SLOW = 150
GOALS = {
    "staff slow": Goal(f"staff pages over {SLOW} ms", 0, at_most=True),
    "staff own": Goal(f"staff pages that use the processor over {SLOW} ms", 0, at_most=True),
    "staff": Goal("slowest staff page, ms", SLOW, at_most=True),
    "account slow": Goal(f"account pages over {SLOW} ms", 0, at_most=True),
    "account own": Goal(f"account pages that use the processor over {SLOW} ms", 0, at_most=True),
    "account": Goal("slowest account page, ms", SLOW, at_most=True),
}
DEMO, DATABASE = "bench_pages_demo", "bench_pages"
# So many addresses are shown at least, and all that are slow.
SHOWN = 10
ACCOUNT = "me/"
# What an address that nothing is known of is asked with.
_INVENTED = {"IntConverter": 0, "UUIDConverter": "00000000-0000-4000-8000-000000000000"}


def rounds(options: argparse.Namespace) -> list[Figures]:
    _make_demo()
    filled = _fill(options)
    try:
        with databases.used(DATABASE):
            _limit_queries()
            _load_as_the_server_does()
            say(f"walking through the pages, up to {options.ways} of an address")
            found = _staff(options) | _account(options)
            found["customers"] = Customer.objects.count()
            found[f"customers with {MANY_ORDERS} orders and more"] = (
                _by_orders().filter(of_one__gte=MANY_ORDERS).count()
            )
        found["filling the database, s"] = filled
        found["the database, GB"] = databases.size_in_bytes(DATABASE) / 1e9
        found["load average of the last minute"] = os.getloadavg()[0]
        return [found]
    finally:
        if not options.keep:
            databases.drop(DATABASE)


def _fill(options: argparse.Namespace) -> float:
    """How many seconds it took, now or when the one that was kept was made."""
    words = f"{options.customers} customers, filled in "
    kept = databases.note(DATABASE)
    if options.keep and kept.startswith(words):
        _bring_up(DATABASE)
        return float(kept.removeprefix(words))
    databases.create(DATABASE, copy_of=DEMO)
    with databases.used(DATABASE):
        begun = time.perf_counter()
        multiply(options.customers)
        filled = time.perf_counter() - begun
    databases.set_note(DATABASE, f"{words}{filled:.0f}")
    say(f"filled in {filled:,.0f} s")
    return filled


def _make_demo() -> None:
    """Once; it takes minutes. One that was interrupted is begun anew."""
    if databases.note(DEMO) == "whole":
        _bring_up(DEMO)
        return
    say("making the demonstration, once, which takes minutes: tables first")
    databases.create(DEMO)
    _bring_up(DEMO)
    with databases.used(DEMO), databases.inherited(DEMO), redirect_stdout(sys.stderr):
        call_command("load_demo")
    databases.set_note(DEMO, "whole")


def _bring_up(name: str) -> None:
    """Migrations that it does not have yet, of one that was kept too."""
    with databases.used(name), databases.inherited(name), redirect_stdout(sys.stderr):
        call_command("migrate", verbosity=0)


def _load_as_the_server_does() -> None:
    """All views, which are not looked through for garbage while pages are drawn."""
    importlib.import_module("config.wsgi")


def _limit_queries() -> None:
    """For every connection from now on."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER DATABASE {DATABASE} SET statement_timeout = '{LONGEST}s'")
        # One process for each connection, whose time is all that its queries take.
        cursor.execute(f"ALTER DATABASE {DATABASE} SET max_parallel_workers_per_gather = 0")
    connection.close()


def _staff(options: argparse.Namespace) -> Figures:
    """Two customers are looked at who were copied: one with many orders, one with few."""
    staff = StaffMember.objects.filter(role=StaffMember.Role.ADMINISTRATOR).first()
    assert staff is not None
    make_rare(staff.user)
    walk = Walk(staff.user, reverse("backoffice:home"), **_how(options))
    walk.go([
        reverse("backoffice:home"),
        *(reverse("backoffice:customer", kwargs={"public_id": customer.public_id})
          for customer in (_copied("-of_one"), _copied("of_one"))),
        *(f"{reverse('backoffice:search')}?q={word}" for word in WORDS),
    ])  # fmt: skip
    addresses = {name for name, who in TABLE.items() if "GET" in who}
    walk.try_out(unlinked(_missed(walk, addresses), walk.links, "backoffice/"))
    return _said(walk, "staff", addresses)


def _account(options: argparse.Namespace) -> Figures:
    customer = _copied("-of_one")
    user, _created = User.objects.get_or_create(email="someone@bench.example")
    Customer.objects.filter(pk=customer.pk).update(user=user)
    walk = Walk(user, f"/{ACCOUNT}", **_how(options))
    walk.go([f"/{ACCOUNT}"])
    addresses = {name for name, url in _account_addresses() if walk.reads(url)}
    walk.try_out(unlinked(_missed(walk, addresses), walk.links, ACCOUNT))
    return _said(walk, "account", addresses)


def _how(options: argparse.Namespace) -> dict[str, int]:
    return {"ways": options.ways, "looks": options.rounds}


def _copied(order: str) -> Customer:
    copied = _by_orders().filter(customer_id__gt=APART)
    return Customer.objects.get(pk=copied.order_by(order, "customer_id")[0]["customer_id"])


def _by_orders() -> QuerySet[Any, Any]:
    return Order.objects.values("customer_id").annotate(of_one=Count("pk"))


def _account_addresses() -> Iterator[tuple[str, str]]:
    for name, pattern, _route in addresses_below(ACCOUNT):
        invented = {
            key: _INVENTED.get(type(converter).__name__, "x")
            for key, converter in pattern.pattern.converters.items()
        }
        yield name, reverse(name, kwargs=invented)


def _said(walk: Walk, whose: str, addresses: set[str]) -> Figures:
    took = [page.milliseconds for page in walk.pages]
    pages = {name for name in addresses if not is_file(name)}
    missed = _missed(walk, addresses)
    print(f"\nThe slowest of {whose}:\n")
    print(
        "| address | ms | Python's processor, ms | PostgreSQL's, ms | queries | the worst, ms |\n"
        "|---|---|---|---|---|---|"
    )
    for page in _slowest(walk.pages):
        queries, worst = walk.queries(page)
        print(
            f"| `{page.route}` | {page.milliseconds:,.0f} | {page.of_python:,.0f} |"
            f" {page.of_postgres:,.0f} | {queries} | {worst:,.0f} |"
        )
        say(f"{page.own:,.0f} ms of the processor: {page.url}")
    elsewhere = [name for name in missed if name in walk.led]
    print(f"\nThese lead elsewhere: {', '.join(elsewhere) or 'none'}.\n")
    print(f"These are files: {', '.join(sorted(walk.files)) or 'none'}.\n")
    nothing = [name for name in missed if name not in walk.led | walk.files]
    print(f"There is nothing that these are about: {', '.join(nothing) or 'none'}.\n", flush=True)
    return {
        f"{whose} slow": sum(value > SLOW for value in took),
        f"{whose} own": sum(page.own > SLOW for page in walk.pages),
        whose: max(took),
        f"{whose} pages asked for": len(took),
        f"{whose} pages, median, ms": statistics.median(took),
        f"{whose} pages, median of what they use the processor, ms": statistics.median(
            page.own for page in walk.pages
        ),
        f"{whose} pages that take Python's processor over {SLOW} ms": sum(
            page.of_python > SLOW for page in walk.pages
        ),
        f"{whose} pages that failed": len(walk.failed),
        f"{whose} addresses that were seen": len(pages) - len(missed),
        f"{whose} addresses that lead elsewhere": len(elsewhere),
        f"{whose} addresses about what there is nothing of": len(nothing),
    }


def _missed(walk: Walk, addresses: set[str]) -> list[str]:
    """Of those that are no files, whose page was not seen."""
    seen = {page.name for page in walk.pages}
    return sorted(name for name in addresses - seen if not is_file(name))


def _slowest(pages: list[Page]) -> list[Page]:
    """The page of each address that uses the processor most: all that are slow, ten at least."""
    of_each: dict[str, Page] = {}
    for page in sorted(pages, key=lambda page: -page.own):
        of_each.setdefault(page.name, page)
    return [page for n, page in enumerate(of_each.values()) if n < SHOWN or page.own > SLOW]
