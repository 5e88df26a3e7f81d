"""Units, money, numbers and times in the reader's language."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.template import Context, Template
from django.utils import translation

from members import formatting

BEANS = formatting.NamesOfUnit("Bean", "Beans", 0)


def plain(text: str) -> str:
    """The text with ordinary spaces, which are easier to read in a test."""
    return text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("amount", "scale", "written"),
    [
        (0, 0, "0 Beans"),
        (1, 0, "1 Bean"),
        (1250, 0, "1,250 Beans"),
        (-35, 0, "−35 Beans"),
        (150, 2, "1.5 Beans"),
        (100, 2, "1 Bean"),
        (5, 2, "0.05 Beans"),
    ],
)
def test_units_bear_the_merchants_own_names(amount: int, scale: int, written: str) -> None:
    assert plain(formatting.format_units(amount, replace(BEANS, scale=scale))) == written


def test_movements_show_their_sign() -> None:
    assert plain(formatting.format_units(200, BEANS, sign=True)) == "+200 Beans"
    assert plain(formatting.format_units(-200, BEANS, sign=True)) == "−200 Beans"
    assert plain(formatting.format_units(0, BEANS, sign=True)) == "0 Beans"


def test_money_follows_currency_and_language() -> None:
    assert formatting.format_money(Decimal("1234.5"), "USD") == "$1,234.50"
    assert formatting.format_money(Decimal(-7), "USD") == "−$7.00"
    assert formatting.format_money_minor(1250, "EUR") == "€12.50"
    assert formatting.format_money_minor(900, "JPY") == "¥900"
    with translation.override("el"):
        assert plain(formatting.format_money(Decimal("1234.5"), "EUR")) == "1.234,50 €"


def test_what_is_less_than_nothing_has_one_minus_on_every_page() -> None:
    template = Template("{% load formats %}{{ -0.45|number:2 }} {{ -18.05|money:'USD' }}")
    assert template.render(Context()) == "−0.45 −$18.05"
    assert Template("{% load formats %}{{ none|number:2 }}").render(Context()) == "–"


def test_no_page_writes_numbers_in_another_way() -> None:
    """What is in attributes is for browsers, and shares of what is kept are never below zero."""
    told = re.compile(r">[^<>]*\|\s*floatformat:2")
    pages = Path(settings.BASE_DIR, "templates").rglob("*.html")
    assert [str(page) for page in pages if told.search(page.read_text())] == []


def test_numbers_follow_the_language() -> None:
    assert formatting.format_number(1234567) == "1,234,567"
    assert formatting.format_number(Decimal("0.25")) == "0.25"
    assert formatting.format_compact(12345) == "12.3K"
    assert formatting.format_percent(0.123) == "12.3%"
    with translation.override("el"):
        assert formatting.format_number(1234567) == "1.234.567"


def test_what_is_counted_in_percent_is_written_like_a_share() -> None:
    template = Template("{% load formats %}{{ 40|hundredths }} {{ 2.34|hundredths }}")
    assert template.render(Context()) == "40% 2.3%"
    assert Template("{% load formats %}{{ none|hundredths }}").render(Context()) == "–"


def test_no_page_writes_the_sign_of_percent_behind_a_space() -> None:
    pages = list((Path(__file__).parents[2] / "templates").rglob("*.html"))
    assert len(pages) > 500
    spaced = re.compile(r"(?:\}\}|\d) %(?![}\w])")
    assert [str(page) for page in pages if spaced.search(page.read_text())] == []


@pytest.mark.parametrize("language", ["en", "ms", "zh-hans", "zh-hant", "el"])
def test_every_language_can_write_everything(language: str) -> None:
    now = datetime(2026, 3, 4, 17, 20, tzinfo=UTC)
    with translation.override(language):
        for text in (
            formatting.format_units(1250, BEANS),
            formatting.format_money(Decimal("12.5"), "MYR"),
            formatting.format_compact(12345),
            formatting.format_percent(0.5),
            formatting.format_day(now),
            formatting.format_moment(now),
            formatting.format_short_day(now.date()),
            formatting.format_relative(now, now + timedelta(hours=3)),
        ):
            assert text


def test_an_instant_is_read_in_the_programs_zone() -> None:
    late = datetime(2026, 3, 4, 23, 30, tzinfo=UTC)
    athens = ZoneInfo("Europe/Athens")
    assert formatting.format_day(late, athens) == "Mar 5, 2026"
    assert plain(formatting.format_moment(late, athens)) == "Mar 5, 2026, 1:30 AM"
    early = late - timedelta(hours=1, minutes=30)
    assert plain(formatting.format_moments(early, late, athens)) == (
        "Mar 5, 2026, 12:00 AM – 1:30 AM"
    )
    assert plain(formatting.format_moments(early - timedelta(hours=1), late, athens)) == (
        "Mar 4, 2026, 11:00 PM – Mar 5, 2026, 1:30 AM"
    )
    assert formatting.format_day(date(2026, 3, 4)) == "Mar 4, 2026"


def test_words_side_by_side_are_written_as_the_reader_writes_them() -> None:
    with translation.override("zh-hans"):
        assert formatting.format_list(["茶", "Kopi"]) == "茶、Kopi"
        assert formatting.without_gaps("等级 是 金卡, 不是 Oak") == "等级是金卡, 不是 Oak"
        # Whoever reads names of another language reads one of them in its singular.
        assert plain(formatting.format_units(1, BEANS)) == "1 Bean"
        assert plain(formatting.format_units(2, BEANS)) == "2 Beans"
    assert formatting.without_gaps("Tier is Oak") == "Tier is Oak"


def test_what_begins_or_ends_at_midnight_is_said_by_its_first_and_last_day() -> None:
    athens = ZoneInfo("Europe/Athens")
    midnight = datetime(2026, 3, 4, 22, tzinfo=UTC)
    assert formatting.format_start(midnight, athens) == "Mar 5, 2026"
    assert formatting.format_end(midnight, athens) == "Mar 4, 2026"
    assert plain(formatting.format_start(midnight, ZoneInfo("UTC"))) == "Mar 4, 2026, 10:00 PM"
    assert plain(formatting.format_end(midnight, ZoneInfo("UTC"))) == "Mar 4, 2026, 10:00 PM"
    assert formatting.format_weekdays([5, 2, 6], last=" or ") == "Wednesday, Saturday or Sunday"
    assert formatting.format_weekdays([6], last=" or ") == "Sunday"


def test_filters_show_a_dash_for_what_is_missing() -> None:
    source = (
        "{% load formats %}{{ x|number }}{{ x|money:'EUR' }}{{ x|day }}{{ x|moment }}{{ x|ago }}"
    )
    assert Template(source).render(Context({"x": None})) == "–––––"


def test_a_time_is_machine_readable_too() -> None:
    at = datetime(2026, 3, 4, 17, 20, tzinfo=UTC)
    html = Template("{% load formats %}{{ at|moment:'Europe/Athens' }}").render(Context({"at": at}))
    assert 'datetime="2026-03-04T19:20:00+02:00"' in html
    assert "Eastern European" in html


def test_unit_names_are_escaped() -> None:
    unit = replace(BEANS, plural="<b>Beans</b>")
    template = Template("{% load formats %}{% units 2 unit %}{% amount_units 2 unit %}")
    assert "<b>" not in template.render(Context({"unit": unit}))


@pytest.mark.parametrize(("language", "written"), [("en", "A. B."), ("zh-hans", "A.B.")])
def test_sentences_follow_each_other_as_the_language_writes_them(
    language: str, written: str
) -> None:
    with translation.override(language):
        assert formatting.format_sentences(["A.", "B."]) == written


AFTERNOON, MORNING = (
    datetime(2026, 3, 4, 17, 20, tzinfo=UTC),
    datetime(2026, 3, 4, 7, 5, tzinfo=UTC),
)


@pytest.mark.parametrize("at", [AFTERNOON, MORNING])
@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
def test_a_time_ends_no_sentence_with_two_periods(language: str, at: datetime) -> None:
    with translation.override(language):
        written = [
            formatting.format_moment(at),
            formatting.format_start(at),
            formatting.format_end(at),
            formatting.format_second(at),
            formatting.format_full_moment(at),
            formatting.format_clock(at.time()),
            formatting.format_moments(at, at + timedelta(hours=1)),
            formatting.format_day(at),
            formatting.format_days(at.date(), at.date() + timedelta(days=3)),
            formatting.format_short_month(at),
            formatting.format_duration(timedelta(minutes=5)),
            formatting.format_relative(at),
        ]
    assert [text for text in written if text.endswith(".")] == []


def test_greek_times_are_by_24_hours() -> None:
    with translation.override("el"):
        assert formatting.format_moment(MORNING) == "4/3/26, 07:05"
        assert formatting.format_clock(AFTERNOON.time()) == "17:20"
        assert formatting.format_second(AFTERNOON) == "4 Μαρ 2026, 17:20:00"
        assert formatting.format_full_moment(AFTERNOON).startswith(
            "Τετάρτη 4 Μαρτίου 2026 - 17:20:00 "
        )


def test_what_is_listed_is_told_apart() -> None:
    assert formatting.format_list(["Tea", "Coffee", 3]) == "Tea, Coffee, 3"


def test_days_in_texts_of_mails_are_no_markup() -> None:
    """The filters for pages wrap days in elements, which a text shows as they stand."""
    texts = list((Path(settings.BASE_DIR) / "templates").rglob("*.txt"))
    assert texts
    assert [str(path) for path in texts if MARKED.search(path.read_text())] == []


# A filter of days, with whatever argument, that is not made a text at once.
MARKED = re.compile(
    r"""\|\s*(?:day|month|moment|start|end|moment_until|ago|second)\b"""
    r"""(?::(?:"[^"]*"|'[^']*'|[\w.]+))?+(?!\s*\|\s*striptags\b)"""
)


@pytest.mark.parametrize(
    ("written", "marked"),
    [
        ("{{ at|moment }}", True),
        ("{{ at|moment}}", True),
        ("{{ at|moment:zone|striptags }}", False),
        ("{{ at|day:program.time_zone|striptags|upper }}", False),
        ("{{ at|day:'Europe/Athens' }}", True),
        ('{{ at|day:"Europe/Athens"|striptags }}', False),
        ("{{ at|ago|upper }}", True),
        ("{% with at=x.at|moment %}", True),
        ("{% translate_with at|day:zone|upper %}", True),
        ("{{ at|moment|striptags_of }}", True),
        ("{{ x|days }}", False),
    ],
)
def test_a_day_in_a_text_is_seen_however_it_is_written(written: str, marked: bool) -> None:
    assert bool(MARKED.search(written)) == marked
