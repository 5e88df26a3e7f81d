"""Undoing an import in the back-office: first what it would do, then with a reason."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, expect

from loyalty.backoffice.import_forms import SAMPLES
from loyalty.backoffice.import_undos import runs_of
from loyalty.models import Order, Program
from loyalty.services.imports import KIND, UNDO
from loyalty.slow_figures import UNDO as EFFECT
from members.models import Customer, Job
from members.slow_figures import work_out
from tests.loyalty.backoffice.conftest import url
from tests.loyalty.factories import spendable

# The import works in threads of its own, which see only what is committed.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def var_dir(settings: Any, tmp_path: Path) -> Path:
    settings.VAR_DIR = tmp_path
    return tmp_path


@pytest.fixture
def imported(manager: Client, beans: Program) -> Job:
    """The samples, imported: C-17 has 14 beans, C-18 nine."""
    text = io.StringIO()
    csv.writer(text).writerows(SAMPLES["orders"])
    file = SimpleUploadedFile("orders.csv", text.getvalue().encode())
    manager.post(url("import_create"), {"program": beans.pk, "source": "shop", "orders": file})
    return Job.objects.get(kind=KIND)


def test_a_manager_looks_says_why_and_undoes(
    manager: Client, imported: Job, client_of: Callable[[str], Client]
) -> None:
    there = url("import_undo", imported.public_id)
    assert there in manager.get(url("import_page", imported.public_id)).content.decode()
    html = manager.get(there).content.decode()
    assert "2 orders are canceled, as if the shop had canceled them." in html
    assert "Also erase the people" not in html
    assert "Also erase the people" in client_of("administrator").get(there).content.decode()
    assert manager.post(there, {"reason": ""}).status_code == 422
    assert not Job.objects.filter(kind=UNDO).exists()

    response = manager.post(there, {"reason": "The wrong month"})
    assert response.url == url("import_page", imported.public_id)
    assert set(Order.objects.values_list("status", flat=True)) == {"cancelled"}
    assert spendable("C-17", timezone.now()) == 0
    html = manager.get(response.url).content.decode()
    assert "Orders canceled" in html
    assert "The wrong month" in html
    undo = Job.objects.get(kind=UNDO)
    assert manager.get(url("import_of_undo", undo.public_id)).url == response.url
    assert "There is nothing left to undo" in manager.get(there).content.decode()
    assert manager.post(there, {"reason": "Again"}).status_code == 422


def test_what_it_would_do_comes_after_the_page_where_that_is_much(
    manager: Client, imported: Job, settings: Any
) -> None:
    there = url("import_undo", imported.public_id)
    settings.FIGURES_PATIENCE = (0, 60_000)
    html = manager.get(there).content.decode()
    assert f'hx-get="{there}?figures=1"' in html
    # Nothing is undone before it is said what that would do.
    assert 'name="reason"' not in html
    later = manager.get(there, {"figures": "1"}).content.decode()
    assert "2 orders are canceled, as if the shop had canceled them." in later
    assert 'name="reason"' in later
    # What was filled in stays beside it.
    wrong = manager.post(there, {"reason": ""}).content.decode()
    assert wrong.count('name="reason"') == 1
    assert f'hx-get="{there}?figures=1&amp;filled=1"' in wrong
    beside = manager.get(there, {"figures": "1", "filled": "1"}).content.decode()
    assert "2 orders are canceled, as if the shop had canceled them." in beside
    assert 'name="reason"' not in beside


def test_what_a_worker_found_is_shown_until_something_was_undone(
    manager: Client, imported: Job, settings: Any
) -> None:
    there = url("import_undo", imported.public_id)
    asked = {"job": imported.pk, "after": runs_of(Job.objects.get(pk=imported.pk))}
    work_out(EFFECT, asked, None)
    settings.FIGURES_PATIENCE = (0, 0)
    html = manager.get(there).content.decode()
    assert "2 orders are canceled, as if the shop had canceled them." in html
    assert "Worked out" in html
    manager.post(there, {"reason": "The wrong month"})
    assert "2 orders are canceled" not in manager.get(there).content.decode()


def test_what_was_not_undone_is_listed_and_downloaded(manager: Client, imported: Job) -> None:
    Order.objects.filter(external_id="A-1001").update(body_hash=b"other, and long enough")
    manager.post(url("import_undo", imported.public_id), {"reason": "Wrong"})
    html = manager.get(url("import_page", imported.public_id)).content.decode()
    assert "It was told otherwise since it was imported" in html
    file = manager.get(url("import_undo_rest", imported.public_id)).getvalue().decode()
    rows = list(csv.reader(io.StringIO(file.lstrip("\ufeff"))))
    assert rows[0] == ["what", "number", "reason"]
    assert {(row[0], row[1]) for row in rows[1:]} == {("orders", "A-1001"), ("returns", "R-0001")}


def test_people_who_were_not_erased_are_named(
    imported: Job, client_of: Callable[[str], Client]
) -> None:
    someone = Customer.objects.get(external_id="C-17")
    someone.given_name = "Secretname"
    someone.save()
    client = client_of("administrator")
    client.post(url("import_undo", imported.public_id), {"reason": "Wrong", "erase": "on"})
    html = client.get(url("import_page", imported.public_id)).content.decode()
    assert "Their details were changed since." in html
    assert "Secretname" in html
    # A file is kept elsewhere, where nobody is forgotten.
    file = client.get(url("import_undo_rest", imported.public_id)).getvalue().decode()
    assert "Secretname" not in file
    assert str(someone.public_id) in file


@pytest.mark.browser
def test_an_administrator_undoes_an_import_in_the_browser(
    imported: Job,
    sign_in: Callable[[str], Page],
    live_server: Any,
    assert_no_axe_violations: Callable[[Any], None],
) -> None:
    page = sign_in("administrator")
    page.goto(live_server.url + url("import_page", imported.public_id))
    page.get_by_role("link", name="Undo this import").click()
    expect(page.get_by_role("heading", name="Undo this import?")).to_be_visible()
    expect(page.get_by_text("2 orders are canceled")).to_be_visible()
    assert_no_axe_violations(page)
    page.get_by_label("Reason").fill("The wrong month")
    page.get_by_role("button", name="Undo this import").click()
    expect(page.get_by_text("Orders canceled")).to_be_visible()
    expect(page.get_by_text("The wrong month")).to_be_visible()
    assert_no_axe_violations(page)
