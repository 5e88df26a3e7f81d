"""Statements on the members' pages, on the staff's, and on paper."""

from __future__ import annotations

import datetime as dt
import io
import zoneinfo
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from fontTools.ttLib import TTFont
from pypdf import PdfReader

from loyalty.card_numbers import grouped
from loyalty.models import Membership
from members.api.throttling import Allowance
from members.models import Customer, Merchant
from members.pdf_fonts import fonts_for
from members.pdf_pages import MerchantPages
from tests.loyalty.account.conftest import Shop
from tests.loyalty.account.reading import text_of

pytestmark = pytest.mark.usefixtures("maya_for_all")

SignIn = Callable[[Customer], Client]


def paper(content: bytes) -> str:
    pages = PdfReader(io.BytesIO(content)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def file_url(customer: Customer, period: str) -> str:
    membership = Membership.objects.get(customer=customer)
    return reverse("mypage:statement_file", args=[membership.public_id, period])


def ago(days: int, form: str = "%Y") -> str:
    """The year, or the month, that it was so many days ago where the shop is."""
    moment = timezone.now().astimezone(zoneinfo.ZoneInfo("America/New_York"))
    return f"{moment - dt.timedelta(days=days):{form}}"


def test_the_history_leads_to_a_statement_that_adds_up(maya: Customer, sign_in: SignIn) -> None:
    client = sign_in(maya)
    membership = Membership.objects.get(customer=maya)
    address = reverse("mypage:statement_of", args=[membership.public_id])
    assert address in text_of(client, "/me/history/")
    month = text_of(client, f"{address}?period={ago(60, '%Y-%m')}")
    for words in ("At the beginning", "Earned with order 4802", "+60", "At the end"):
        assert words in month
    assert "+86" in text_of(client, f"{address}?period={ago(350)}")
    this_year = text_of(client, f"{address}?period={ago(0)}")
    assert "This period still runs" in this_year
    assert "At the end" not in this_year


def test_the_paper_says_what_the_page_says(maya: Customer, sign_in: SignIn) -> None:
    response = sign_in(maya).get(file_url(maya, ago(0)))
    assert response["Content-Type"] == "application/pdf"
    assert f'filename="statement-{ago(0)}.pdf"' in response["Content-Disposition"]
    text = paper(response.content)
    for words in ("Corner Coffee", "Maya Lim", "Bean Club", "Beans", "Page 1", "Balance"):
        assert words in text
    assert "Only for colleagues" not in text


@pytest.mark.parametrize(
    ("language", "name", "foot"),
    [
        ("zh-hans", "积分会员", "第 1 页"), ("zh-hant", "積分會員", "第 1 頁"),
        ("el", "Μέλη", "Σελίδα 1"), ("ms", "Ahli", "Halaman 1"),
    ],
)  # fmt: skip
def test_the_paper_can_be_read_in_every_script(
    maya: Customer, sign_in: SignIn, shop: Shop, language: str, name: str, foot: str
) -> None:
    shop.program.name = name
    shop.program.save()
    Customer.objects.filter(pk=maya.pk).update(locale=language)
    response = sign_in(maya).get(file_url(maya, ago(0)))
    text = paper(response.content)
    number = grouped(Membership.objects.get(customer=maya).card_number)
    for words in (name, foot, "Maya Lim", number):
        assert words in text


def test_a_family_is_read_for_its_own_letters_alone() -> None:
    with translation.override("en"):
        assert [file.name for file in fonts_for(["Beans"], "en")] == ["noto-sans-latin"]
    names = [file.name for file in fonts_for(["積分"], "zh-hant")]
    assert all("noto-sans-tc" in name for name in names[1:])


def test_a_font_is_prepared_once_for_all_papers(settings: Any, tmp_path: Path) -> None:
    settings.FONTS_DIR = tmp_path
    (latin,) = fonts_for(["Beans"], "en")
    thin, bold = latin.at_weight(400), latin.at_weight(650)
    for path, weight in ((thin, 400), (bold, 650)):
        with TTFont(path) as font:
            assert "fvar" not in font
            assert font["OS/2"].usWeightClass == weight
    made = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert set(made) == {thin, bold}
    assert (latin.at_weight(400), latin.at_weight(650)) == (thin, bold)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == made
    with translation.override("en"):
        MerchantPages(Merchant(name="Beans"), title="Beans", text=[]).output()
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == made


def test_a_period_that_is_none_or_not_yet_is_not_there(maya: Customer, sign_in: SignIn) -> None:
    client = sign_in(maya)
    for period in ("2199", "soon", "2024-13"):
        assert client.get(file_url(maya, period)).status_code == 404
        assert client.get("/me/statement/", {"period": period}).status_code == 404


def test_somebody_elses_statement_is_not_there(maya: Customer, sign_in: SignIn, shop: Shop) -> None:
    other = shop.add_customer("noor@example.com", given_name="Noor")
    shop.give_sign_in(other)
    shop.enroll(other)
    assert sign_in(other).get(file_url(maya, ago(0))).status_code == 404


def test_papers_are_drawn_six_times_in_a_minute(
    maya: Customer, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long one takes a process for seconds."""
    counted: list[tuple[object, int]] = []

    def used_up(caller: object, limit: int) -> Allowance:
        counted.append((caller, limit))
        return Allowance(False, limit, 0, 30)

    monkeypatch.setattr("loyalty.statement_files.take", used_up)
    address = file_url(maya, ago(0))
    answer = sign_in(maya).get(address, follow=True)
    membership = Membership.objects.get(customer=maya)
    page = reverse("mypage:statement_of", args=[membership.public_id])
    assert answer.redirect_chain == [(f"{page}?period={ago(0)}", 302)]
    assert "Please try again in a minute." in answer.content.decode()
    assert counted == [(f"paper:{membership.pk}", 6)]


def test_long_statements_go_on_and_repeat_their_headings(
    maya: Customer, sign_in: SignIn, shop: Shop
) -> None:
    membership = Membership.objects.get(customer=maya)
    for number in range(60):
        shop.adjust(membership, number + 1)
    reader = PdfReader(io.BytesIO(sign_in(maya).get(file_url(maya, ago(0))).content))
    assert len(reader.pages) > 1
    assert all("Balance" in page.extract_text() for page in reader.pages)
