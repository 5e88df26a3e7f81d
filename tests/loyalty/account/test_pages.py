"""What customers read about their memberships, and that they read nobody else's."""

import datetime as dt
import uuid
from collections.abc import Callable

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from loyalty.models import Lot, Membership, Transfer
from members.formatting import format_day
from members.languages import offered_languages
from members.models import Customer, StaffMember, User
from members.services.audit import SYSTEM
from members.services.merging import merge_customers
from tests.loyalty.account.conftest import Shop, define_program
from tests.loyalty.account.reading import text_of

pytestmark = pytest.mark.usefixtures("maya_for_all")
SignIn = Callable[[Customer], Client]

PAGES = ("mypage:home", "mypage:history", "mypage:card", "mypage:profile")
PAGES_OF_A_MEMBERSHIP = ("mypage:home_of", "mypage:history_of", "mypage:card_of")


def test_home_says_what_can_be_spent_what_it_is_worth_and_what_comes(
    maya: Customer, sign_in: SignIn, shop: Shop
) -> None:
    text = text_of(sign_in(maya), "/me/")

    # 86 for order 4711, 60 - 20 for 4802 after its refund, 25 given; 24 for 4990 wait.
    assert "Hello, Maya" in text
    assert '<span class="purse-number">151</span>' in text
    assert '<span class="purse-unit">Beans</span>' in text
    assert "Worth $1.51" in text
    matures = Lot.objects.latest("pk").spendable_at
    assert f"24 Beans on the way, spendable from {format_day(matures, shop.program.zone)}" in text
    assert "86 Beans expire soon" in text
    assert "Base rate · Purchase of $43.12, Downtown" in text


def test_the_last_usable_day_is_shown_not_the_instant_after_it(
    maya: Customer, sign_in: SignIn, shop: Shop
) -> None:
    lot = Lot.objects.earliest("expires_at")
    last = lot.expires_at.astimezone(shop.program.zone).date() - dt.timedelta(days=1)

    text = text_of(sign_in(maya), "/me/")

    assert f"Last day of use: {format_day(last)}" in text


def test_a_debt_is_explained_kindly(sign_in: SignIn, shop: Shop) -> None:
    customer = shop.add_customer("noor@example.com")
    shop.give_sign_in(customer)
    membership = shop.enroll(customer)
    shop.sell(customer, "1", "50.00", days_ago=40)
    shop.adjust(membership, -90, "correction")
    shop.refund("R-1", "1", "50.00", days_ago=1)

    text = text_of(sign_in(customer), "/me/")

    assert '<span class="purse-number">0</span>' in text
    assert "90 Beans still to settle" in text
    assert "there is nothing to pay" in text


def test_history_tells_every_movement_by_month_with_its_reasons(
    maya: Customer, sign_in: SignIn
) -> None:
    text = text_of(sign_in(maya), "/me/history/")

    assert "Earned with order 4711" in text
    assert "Refund of order 4802" in text
    assert "Added by our team" in text
    assert "2 Beans for each $1.00" in text
    assert "That makes, rounded down" in text
    assert text.count('class="month-title"') == len(
        {
            (row.occurred_at - dt.timedelta(hours=5)).strftime("%Y-%m")
            for row in Transfer.objects.all()
        }
    )


def test_what_staff_noted_stays_with_staff(maya: Customer, sign_in: SignIn) -> None:
    client = sign_in(maya)
    adjustment = Transfer.objects.get(kind=Transfer.Kind.ADJUSTMENT)

    for url in ("/me/", "/me/history/", f"/me/history/{adjustment.pk}/"):
        assert "Only for colleagues" not in text_of(client, url)


def test_a_gift_brings_what_the_merchant_wrote(maya: Customer, sign_in: SignIn, shop: Shop) -> None:
    gift = shop.give([maya.email], message="Thank you for ten years.", note="Top reviewer")
    client = sign_in(maya)

    for url in ("/me/", "/me/history/", f"/me/history/{gift.pk}/"):
        text = text_of(client, url)
        assert "A gift for you" in text
        assert "Thank you for ten years." in text
        assert "Top reviewer" not in text


@pytest.mark.parametrize(
    ("show", "seen", "hidden"),
    [("in", "Earned with order 4711", "Refund of"), ("out", "Refund of order", "Earned with")],
)
def test_history_can_be_narrowed_to_one_direction(
    maya: Customer, sign_in: SignIn, show: str, seen: str, hidden: str
) -> None:
    text = text_of(sign_in(maya), f"/me/history/?show={show}")

    assert seen in text
    assert hidden not in text


def test_history_goes_on_by_a_plain_link_and_by_a_fragment(sign_in: SignIn, shop: Shop) -> None:
    customer = shop.add_customer("many@example.com")
    shop.give_sign_in(customer)
    shop.enroll(customer)
    for number in range(23):
        shop.sell(customer, f"N{number}", "10.00", days_ago=40 + number / 1440)
    client = sign_in(customer)

    first = client.get("/me/history/")
    page = first.context["page"]
    link = f"/me/history/?cursor={page.next_cursor}&month={first.context['last_month']}"
    plain = client.get(link)
    fragment = client.get(link, headers={"HX-Request": "true"})

    assert len(page.items) == 20
    assert link.replace("&", "&amp;") in first.content.decode()
    assert b"<html" in plain.content
    assert plain.content.count(b'id="movement-') == 3
    assert b"Back to the newest" in plain.content
    assert b'class="month-title"' in plain.content
    assert b"<html" not in fragment.content
    assert fragment.content.count(b'id="movement-') == 3
    # The heading of the month stands on the page already.
    assert b'class="month-title"' not in fragment.content
    assert b'data-announce="3 more movements"' in fragment.content


def test_a_movement_has_a_page_of_its_own(maya: Customer, sign_in: SignIn) -> None:
    transfer = Transfer.objects.get(order__external_id="4711")

    text = text_of(sign_in(maya), f"/me/history/{transfer.pk}/")

    assert "+86 Beans" in text
    assert "Goods that earn" in text
    assert "Usable until" in text


def test_the_card_shows_the_number_in_fours_and_as_a_code(maya: Customer, sign_in: SignIn) -> None:
    number = Membership.objects.get(customer=maya).card_number

    response = sign_in(maya).get("/me/card/")
    text = response.content.decode()

    assert " ".join(number[start : start + 4] for start in range(0, 16, 4)) in text
    assert "<svg" in text
    assert "style=" not in text


def test_pages_are_kept_by_no_cache(maya: Customer, sign_in: SignIn) -> None:
    client = sign_in(maya)
    for name in PAGES:
        assert "no-store" in client.get(reverse(name))["Cache-Control"]


@pytest.mark.parametrize("name", PAGES)
def test_strangers_are_sent_to_sign_in(name: str, shop: Shop) -> None:
    response = Client().get(reverse(name))

    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")
    assert f"next={reverse(name)}" in response["Location"]


@pytest.mark.parametrize("name", PAGES)
def test_staff_who_are_no_customers_read_why_there_is_nothing(name: str, shop: Shop) -> None:
    user = User.objects.create_user("sam@example.com")
    StaffMember.objects.create(user=user, role=StaffMember.Role.SUPPORT_AGENT)
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")

    response = client.get(reverse(name))

    assert response.status_code == 404
    assert "This page is for customers" in response.content.decode()


@pytest.mark.parametrize("name", PAGES)
def test_a_customer_without_membership_reads_what_will_be_here(
    name: str, shop: Shop, sign_in: SignIn
) -> None:
    customer = shop.add_customer("new@example.com")
    shop.give_sign_in(customer)

    text = text_of(sign_in(customer), reverse(name))

    assert ("You are not in a program yet" in text) == (name != "mypage:profile")


@pytest.mark.parametrize("name", PAGES_OF_A_MEMBERSHIP)
def test_another_customers_membership_is_not_there(
    name: str, maya: Customer, shop: Shop, sign_in: SignIn
) -> None:
    other = shop.add_customer("other@example.com")
    membership = shop.enroll(other)
    client = sign_in(maya)

    assert client.get(reverse(name, args=[membership.public_id])).status_code == 404
    assert client.get(reverse(name, args=[uuid.uuid4()])).status_code == 404


def test_another_customers_movement_is_not_there(
    maya: Customer, shop: Shop, sign_in: SignIn
) -> None:
    other = shop.add_customer("other@example.com")
    shop.enroll(other)
    shop.sell(other, "9001", "99.00", days_ago=30)
    theirs = Transfer.objects.get(order__external_id="9001")
    client = sign_in(maya)

    assert client.get(f"/me/history/{theirs.pk}/").status_code == 404
    assert "order 9001" not in text_of(client, "/me/history/")


def test_whoever_was_there_twice_signs_in_with_either_address_and_reads_all_of_it(
    maya: Customer, sign_in: SignIn, shop: Shop
) -> None:
    twice = shop.add_customer("m.patel@example.com")
    shop.give_sign_in(twice)
    old = shop.enroll(twice)
    shop.sell(twice, "4500", "30.00", days_ago=40)
    old_client, movement = sign_in(twice), Transfer.objects.get(order__external_id="4500")

    merge_customers(kept=maya, merged=twice, actor=SYSTEM, source="test", now=timezone.now())

    # 151 of Maya's own and 60 that came. Links in old mails lead to where it is now.
    for client in (old_client, sign_in(maya)):
        for url in ("/me/", f"/me/{old.public_id}/"):
            text = text_of(client, url)
            assert "Hello, Maya" in text
            assert '<span class="purse-number">211</span>' in text
        assert "Purchase of $30.00" in text_of(client, "/me/history/")
        assert "+60 Beans" in text_of(client, f"/me/history/{movement.pk}/")


def test_several_memberships_switch_by_links_and_the_bar_stays_with_the_choice(
    maya: Customer, shop: Shop, sign_in: SignIn
) -> None:
    second = define_program(code="tea", name="Tea Circle", earning_rules=[])
    membership = shop.enroll(maya, second)
    client = sign_in(maya)

    before = text_of(client, "/me/card/")
    chosen = text_of(client, f"/me/{membership.public_id}/")
    after = client.get("/me/card/")

    assert "Tea Circle" in before
    assert 'aria-current="page">Tea Circle' in chosen
    assert after.context["membership"] == membership


def test_a_paused_membership_says_so(maya: Customer, sign_in: SignIn) -> None:
    Membership.objects.filter(customer=maya).update(status=Membership.Status.SUSPENDED)

    assert "Your membership is paused" in text_of(sign_in(maya), "/me/")


def test_days_are_those_of_the_programs_time_zone(db: None, sign_in: SignIn) -> None:
    shop = Shop(define_program(time_zone="Pacific/Kiritimati"))
    customer = shop.add_customer("far@example.com")
    shop.give_sign_in(customer)
    shop.enroll(customer)
    shop.sell(customer, "1", "10.00", days_ago=40)
    transfer = Transfer.objects.get(wallet__account__membership__customer=customer)
    local = transfer.occurred_at.astimezone(shop.program.zone)

    text = text_of(sign_in(customer), f"/me/history/{transfer.pk}/")

    assert f'datetime="{local.isoformat()}"' in text


def test_the_pages_speak_the_customers_language_and_write_its_numbers(
    maya: Customer, sign_in: SignIn
) -> None:
    Customer.objects.filter(pk=maya.pk).update(locale="el-GR")

    response = sign_in(maya).get("/me/", headers={"Accept-Language": "en"})

    assert response["Content-Language"] == "el"
    assert '<html lang="el"' in response.content.decode()
    assert "1,51" in response.content.decode()


@pytest.mark.parametrize(
    ("url", "most"), [("/me/", 13), ("/me/history/", 9), ("/me/card/", 8), ("/me/profile/", 8)]
)
def test_the_number_of_queries_does_not_grow_with_the_history(
    maya: Customer,
    shop: Shop,
    sign_in: SignIn,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    url: str,
    most: int,
) -> None:
    client = sign_in(maya)
    # Looked up once in some seconds, whoever asks; what a program says, once by each process.
    offered_languages()
    client.get(url)
    with django_assert_max_num_queries(most) as few:
        client.get(url)
    for number in range(30):
        shop.sell(maya, f"more-{number}", "10.00", days_ago=number)
    with django_assert_max_num_queries(most) as many:
        client.get(url)

    assert len(many) <= len(few)


def test_without_plans_there_is_no_word_of_them(maya: Customer, sign_in: SignIn) -> None:
    assert "plan" not in text_of(sign_in(maya), "/me/").casefold()
    assert sign_in(maya).get("/me/plan/").status_code == 404


def test_a_language_that_is_chosen_stays_with_its_dates(maya: Customer, sign_in: SignIn) -> None:
    client = sign_in(maya)
    for language, month in (("zh-hans", "月"), ("ms", " 20")):
        said = {"language": language, "next": "/programs/beans/?c=flyer"}
        assert client.post(reverse("set_language"), said)["Location"] == said["next"]
        text = text_of(client, reverse("mypage:card"))
        assert f'<html lang="{language}"' in text
        assert month in text.split('class="pass-foot"')[1].split("</div>")[0]
    # Nor does it leave with who chose it.
    stranger = Client()
    stranger.cookies[settings.LANGUAGE_COOKIE_NAME] = client.cookies[
        settings.LANGUAGE_COOKIE_NAME
    ].value
    assert '<html lang="ms"' in text_of(stranger, reverse("account_request_login_code"))
