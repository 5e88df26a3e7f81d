"""What customers may change about themselves, and who is told that they did."""

import datetime as dt
import io
import json
import zipfile
from collections.abc import Callable

import pytest
from django.conf import settings
from django.test import Client

from members.models import AuditEntry, Customer, PersonalPackage
from members.services.audit import SYSTEM
from members.services.merchants import update_merchant
from members.services.profile_questions import create_question
from tests.factories import CustomerFactory
from tests.loyalty.account.conftest import Shop
from tests.members.packages import made_package, make_open_packages

pytestmark = pytest.mark.usefixtures("maya_for_all")

SignIn = Callable[[Customer], Client]

UNCHANGED = {
    "given_name": "Maya",
    "family_name": "Lim",
    "phone": "+1 212-555-0123",
    "locale": "auto",
}


def test_a_changed_name_and_phone_are_kept_and_written_down_as_the_customers_own_doing(
    maya: Customer, sign_in: SignIn
) -> None:
    response = sign_in(maya).post(
        "/me/profile/", UNCHANGED | {"given_name": "May", "phone": "(212) 555-0199"}, follow=True
    )

    maya.refresh_from_db()
    entry = AuditEntry.objects.filter(action="customer.updated").latest("pk")
    assert (maya.given_name, maya.phone) == ("May", "+12125550199")
    assert "Saved." in response.content.decode()
    assert entry.actor == maya.user
    assert entry.before == {"given_name": "Maya", "phone": "+12125550123"}


def test_a_gender_is_said_if_they_like_and_taken_back(maya: Customer, sign_in: SignIn) -> None:
    client = sign_in(maya)
    assert "Only if you like" in client.get("/me/profile/").content.decode()
    for said in ("other", ""):
        client.post("/me/profile/", UNCHANGED | {"gender": said})
        maya.refresh_from_db()
        assert maya.gender == said


def test_what_the_merchant_asks_is_answered_and_taken_back(maya: Customer, sign_in: SignIn) -> None:
    choices = [{"code": "dark", "text": "Dark chocolate"}, {"code": "milk", "text": "Milk"}]
    for code, kind in (("taste", "many"), ("best", "one")):
        create_question(
            code=code, kind=kind, text=f"What is your {code}?", choices=choices, actor=SYSTEM
        )
    client = sign_in(maya)
    page = client.get("/me/profile/").content.decode()
    assert "What is your taste?" in page
    assert "Dark chocolate" in page
    client.post(
        "/me/profile/", UNCHANGED | {"answer_taste": ["dark", "milk"], "answer_best": "milk"}
    )
    maya.refresh_from_db()
    assert maya.answers == {"taste": ["dark", "milk"], "best": ["milk"]}
    client.post("/me/profile/", UNCHANGED | {"answer_best": "milk"})
    maya.refresh_from_db()
    assert maya.answers == {"best": ["milk"]}
    wrong = client.post("/me/profile/", UNCHANGED | {"answer_best": "white"})
    assert wrong.status_code == 422
    maya.refresh_from_db()
    assert maya.answers == {"best": ["milk"]}


def test_saving_without_a_change_leaves_no_trace(maya: Customer, sign_in: SignIn) -> None:
    Customer.objects.filter(pk=maya.pk).update(locale="en-MY")
    before = AuditEntry.objects.count()

    sign_in(maya).post("/me/profile/", UNCHANGED | {"locale": "en"})

    maya.refresh_from_db()
    assert maya.locale == "en-MY"
    assert AuditEntry.objects.count() == before


@pytest.mark.parametrize("code", [code for code, _name in settings.LANGUAGES])
def test_every_language_can_be_chosen_and_is_spoken_from_then_on(
    maya: Customer, sign_in: SignIn, code: str
) -> None:
    client = sign_in(maya)

    client.post("/me/profile/", UNCHANGED | {"locale": code})
    response = client.get("/me/")

    maya.refresh_from_db()
    assert maya.locale == code
    assert response["Content-Language"] == code
    assert client.cookies[settings.LANGUAGE_COOKIE_NAME].value == code


def test_only_a_language_that_the_merchant_offers_can_be_chosen(
    maya: Customer, sign_in: SignIn
) -> None:
    Customer.objects.filter(pk=maya.pk).update(locale="ms")
    update_merchant(actor=SYSTEM, changes={"languages": ["en", "el"], "locale": "el"})
    client = sign_in(maya)
    # Offered no more: the default, and what they chose stays with them.
    assert client.get("/me/")["Content-Language"] == "el"
    answer = client.post("/me/profile/", UNCHANGED | {"locale": "zh-hans"})
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"locale"}
    client.post("/me/profile/", UNCHANGED | {"locale": "en"})
    assert client.get("/me/")["Content-Language"] == "en"


def test_the_language_of_the_device_can_be_chosen_again(maya: Customer, sign_in: SignIn) -> None:
    Customer.objects.filter(pk=maya.pk).update(locale="el")
    client = sign_in(maya)

    client.post("/me/profile/", UNCHANGED)

    response = client.get("/me/", headers={"Accept-Language": "ms"})
    assert response["Content-Language"] == "ms"


def test_a_wrong_phone_is_refused_at_its_field_and_nothing_is_changed(
    maya: Customer, sign_in: SignIn
) -> None:
    response = sign_in(maya).post("/me/profile/", UNCHANGED | {"given_name": "X", "phone": "12"})

    maya.refresh_from_db()
    assert response.status_code == 422
    assert response.context["form"].errors.keys() == {"phone"}
    assert maya.given_name == "Maya"


def test_a_phone_of_somebody_else_is_refused_without_saying_whose_it_is(
    maya: Customer, shop: Shop, sign_in: SignIn
) -> None:
    shop.add_customer("other@example.com", phone="+12125550177")

    response = sign_in(maya).post("/me/profile/", UNCHANGED | {"phone": "+12125550177"})

    text = response.content.decode()
    assert response.status_code == 422
    assert "cannot be used here" in text
    assert "Another customer" not in text


def test_only_the_offered_fields_can_be_changed(maya: Customer, sign_in: SignIn) -> None:
    sign_in(maya).post(
        "/me/profile/", UNCHANGED | {"email": "x@example.com", "external_id": "1", "tags": "vip"}
    )

    after = Customer.objects.get(pk=maya.pk)
    assert (after.email, after.external_id, after.tags) == ("maya@example.com", None, [])


def test_a_language_that_is_not_offered_is_refused(maya: Customer, sign_in: SignIn) -> None:
    response = sign_in(maya).post("/me/profile/", UNCHANGED | {"locale": "xx"})

    assert response.status_code == 422


def test_a_birthday_is_told_once_and_then_only_read(maya: Customer, sign_in: SignIn) -> None:
    client = sign_in(maya)
    assert 'name="birthday"' in client.get("/me/profile/").content.decode()
    client.post("/me/profile/", UNCHANGED | {"birthday": "1990-02-03"})
    maya.refresh_from_db()
    assert maya.birthday == dt.date(1990, 2, 3)
    assert 'name="birthday"' not in client.get("/me/profile/").content.decode()
    client.post("/me/profile/", UNCHANGED | {"birthday": "1991-05-06"})
    maya.refresh_from_db()
    assert maya.birthday == dt.date(1990, 2, 3)


def test_a_birthday_to_come_is_refused_at_its_field(maya: Customer, sign_in: SignIn) -> None:
    response = sign_in(maya).post("/me/profile/", UNCHANGED | {"birthday": "2990-02-03"})
    assert response.status_code == 422
    assert "A birthday lies between 1900 and today." in response.content.decode()


def test_the_profile_leads_to_a_file_with_everything_about_them(
    maya: Customer, sign_in: SignIn
) -> None:
    client = sign_in(maya)
    assert "Download your data" in client.get("/me/profile/").content.decode()
    assert "/me/profile/data/" in client.get("/me/profile/").content.decode()
    assert "Put my data together" in client.get("/me/profile/data/").content.decode()

    assert client.post("/me/profile/data/")["Location"] == "/me/profile/data/"
    page = client.get("/me/profile/data/").content.decode()
    assert "Your file is being put together." in page
    assert "Look again" in page
    make_open_packages()
    package = PersonalPackage.objects.get()
    address = f"/me/profile/data/{package.public_id}/"
    fragment = client.get("/me/profile/data/", headers={"HX-Request": "true"}).content.decode()
    assert address in fragment
    assert "<html" not in fragment
    assert client.get(address).status_code == 405
    response = client.post(address)

    archive = zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content)))  # type: ignore[attr-defined]
    assert maya.email in archive.read("index.html").decode()
    assert "notes" not in json.loads(archive.read("data.json"))["data"]
    entry = AuditEntry.objects.get(action="customer.exported")
    assert (entry.actor, entry.after) == (maya.user, {"own": True})
    for foreign in (made_package(CustomerFactory()), made_package(maya, for_staff=True)):
        assert client.post(f"/me/profile/data/{foreign.public_id}/").status_code == 404
