"""The segments' screens: made from a ready one, read, changed, put away; and lists."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from members.models import Customer, Segment, SegmentMember, SegmentSize
from members.segment_templates import segment_templates
from members.services.audit import SYSTEM
from members.services.segment_refresh import refresh_segment
from members.services.segments import add_to_list, create_segment
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[str], Client]
HOME = "/backoffice/customers/segments/"
GREEK = {"all": [{"field": "customer.country", "op": "is", "value": "GR"}]}
INPUTS = {
    "condition.kind": "group", "condition.mode": "all", "condition.0.kind": "question",
    "condition.0.field": "customer.country", "condition.0.op": "is", "condition.0.value": "GR",
}  # fmt: skip


@pytest.fixture
def manager(browser_of: BrowserOf) -> Client:
    return browser_of("marketing_manager")


@pytest.fixture
def anna() -> Customer:
    return CustomerFactory(given_name="Anna", family_name="K", external_id="c1", country="GR")


def segment(**details: object) -> Segment:
    values = {"name": "Greeks", "condition": GREEK, "actor": SYSTEM, "now": timezone.now()}
    return create_segment(**(values | details))


def text_of(response: object) -> str:
    return " ".join(response.content.decode().split())


def test_an_empty_list_offers_ready_segments(manager: Client, browser_of: BrowserOf) -> None:
    page = text_of(manager.get(HOME))
    assert "No segment yet" in page
    for template in segment_templates():
        assert f"?template={template.key}" in page
    assert "?template=" not in text_of(browser_of("analyst").get(HOME))


@pytest.mark.parametrize("template", [each.key for each in segment_templates()])
def test_a_ready_segment_is_saved_as_it_is_offered(manager: Client, template: str) -> None:
    page = manager.get(f"{HOME}new/?template={template}")
    ready = next(each for each in segment_templates() if each.key == template)
    draft = page.context["form"]["condition"].value()
    assert draft == ready.condition
    import json

    answer = manager.post(f"{HOME}new/", {
        "name": str(ready.name), "description": "", "condition": json.dumps(ready.condition),
    })  # fmt: skip
    made = Segment.objects.get()
    assert answer["Location"] == f"{HOME}of/{made.code}/"
    assert "being worked out" in text_of(manager.get(answer["Location"]))


def test_the_builder_s_inputs_make_a_segment_and_its_page_shows_who_is_in_it(
    manager: Client, anna: Customer
) -> None:
    manager.post(f"{HOME}new/", {"name": "Greeks", **INPUTS})
    made = Segment.objects.get()
    assert made.condition == GREEK
    refresh_segment(made, now=timezone.now())
    page = text_of(manager.get(f"{HOME}of/greeks/"))
    assert "Country is GR." in page
    assert f"/backoffice/customers/{anna.public_id}/" in page


def test_what_is_not_complete_is_said_where_it_is_and_nothing_is_saved(manager: Client) -> None:
    answer = manager.post(f"{HOME}new/", {"name": "", **INPUTS, "condition.0.value": ""})
    assert answer.status_code == 422
    page = text_of(answer)
    assert 'id="condition.0-errors"' in page
    assert "2 things need your attention" in page
    assert not Segment.objects.exists()


def test_the_form_counts_while_one_builds(manager: Client, anna: Customer) -> None:
    CustomerFactory(country="CY")
    page = text_of(manager.post(f"{HOME}preview/", {"name": "", **INPUTS}))
    assert "<strong>1</strong>" in page
    assert "of 2 customers" in page
    assert "Anna K" in page
    page = text_of(manager.post(f"{HOME}preview/", {**INPUTS, "condition.0.field": ""}))
    assert "Complete the condition" in page


def test_another_condition_is_saved_and_its_size_is_shown_with_its_change(
    manager: Client, anna: Customer
) -> None:
    made = segment()
    refresh_segment(made, now=timezone.now())
    yesterday = timezone.now().date() - dt.timedelta(days=2)
    SegmentSize.objects.create(segment=made, day=yesterday, size=4)
    page = text_of(manager.get(f"{HOME}of/greeks/"))
    assert "(-3 since the day before)" in page.replace("−", "-")
    manager.post(f"{HOME}of/greeks/edit/", {"name": "Cypriots", **INPUTS,
                                            "condition.0.value": "CY"})  # fmt: skip
    made.refresh_from_db()
    assert (made.name, made.condition["all"][0]["value"]) == ("Cypriots", "CY")


def test_it_is_put_away_and_taken_back_unless_it_is_used(manager: Client) -> None:
    segment()
    assert "Put away" in text_of(manager.get(f"{HOME}of/greeks/"))
    manager.post(f"{HOME}of/greeks/archive/")
    assert "Greeks" not in text_of(manager.get(HOME)).replace("“Greeks” was put away", "")
    assert "Greeks" in text_of(manager.get(f"{HOME}?show=archived"))
    manager.post(f"{HOME}of/greeks/restore/")
    named = {"field": "customer.segments", "op": "has_any", "value": ["greeks"]}
    segment(name="Others", condition={"not": named})
    page = text_of(manager.get(f"{HOME}of/greeks/"))
    assert "Segment: <a" in page
    assert "/archive/" not in page
    answer = manager.post(f"{HOME}of/greeks/archive/", follow=True)
    assert "still used by" in text_of(answer)


def test_a_list_begins_with_a_file_and_says_which_rows_name_nobody(
    manager: Client, anna: Customer
) -> None:
    file = SimpleUploadedFile("list.csv", b"c1\nghost\n")
    answer = manager.post(f"{HOME}new/?kind=static", {"name": "Guests", "file": file}, follow=True)
    assert "row 2 (ghost)" in text_of(answer)
    assert SegmentMember.objects.get().customer == anna


def test_a_file_that_cannot_be_read_makes_no_list(manager: Client) -> None:
    file = SimpleUploadedFile("list.csv", b"\xff\xfe\x00")
    answer = manager.post(f"{HOME}new/?kind=static", {"name": "Guests", "file": file})
    assert answer.status_code == 422
    assert "UTF-8" in text_of(answer)
    assert not Segment.objects.exists()


def test_customers_are_put_on_a_list_by_what_is_theirs_and_taken_off(
    manager: Client, anna: Customer
) -> None:
    guests = segment(name="Guests", kind="static", condition=None)
    url = f"{HOME}of/{guests.code}/"
    assert "Nobody has this" in text_of(manager.post(f"{url}add/", {"customer": "nobody"}))
    manager.post(f"{url}add/", {"customer": "c1"})
    assert "Anna K" in text_of(manager.get(url))
    manager.post(f"{url}customers/{anna.public_id}/remove/")
    assert "Nobody is on this list yet" in text_of(manager.get(url))


def test_the_customer_s_page_says_where_they_are_in(manager: Client, anna: Customer) -> None:
    guests = segment(name="Guests", kind="static", condition=None)
    add_to_list(actor=SYSTEM, segment=guests, customer=anna, now=timezone.now())
    page = text_of(manager.get(f"/backoffice/customers/{anna.public_id}/segments/"))
    assert f"{HOME}of/guests/" in page
    assert "segments/" in text_of(manager.get(f"/backoffice/customers/{anna.public_id}/"))


def test_working_out_now_shows_how_far_it_is(manager: Client) -> None:
    made = segment()
    answer = manager.post(f"{HOME}of/{made.code}/refresh/", follow=True)
    assert "progress" in text_of(answer)
