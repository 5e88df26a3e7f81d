"""The screens of the calendar and the year plan: looked at, filtered, moved by dialog and by drag,
undone, subscribed to."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from campaigns.backoffice.calendar_grid import Shown, lanes_of, span_of, weeks_of
from campaigns.models import CalendarFeed, Campaign, QuarterPlan, Season
from campaigns.selectors.calendar import Entry, Span
from campaigns.services.seasons import SeasonTerms, save_season
from loyalty.models import Program
from members.models import StaffMember
from members.services.audit import SYSTEM
from tests.campaigns.campaigns import draft
from tests.conftest import PHONE
from tests.loyalty.factories import make_program
from tests.sharing import anew, shared

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


made_once = shared(lambda: make_program(at=timezone.now() - 90 * DAY, time_zone="Europe/Athens"))


@pytest.fixture
def club(made_once: Program, db: None) -> Program:
    return anew(made_once)


def url(name: str, *args: Any) -> str:
    return reverse(f"calendar_backoffice:{name}", args=args)


def page_of(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status
    return re.sub(r"\s+", " ", answer.content.decode())


def tomorrow(program: Program, days: int = 1, hour: int = 9) -> dt.datetime:
    local = timezone.now().astimezone(program.zone) + days * DAY
    return local.replace(hour=hour, minute=0, second=0, microsecond=0)


def planned(program: Program, **said: Any) -> Campaign:
    values = {"starts_at": tomorrow(program), "ends_at": tomorrow(program, 3)} | said
    return draft(program, **values)


@pytest.mark.parametrize("view", ["month", "quarter", "year"])
def test_each_view_shows_what_is_planned(manager: Client, club: Program, view: str) -> None:
    row = planned(club, name="Weekend")
    day = tomorrow(club).date().isoformat()
    shown = page_of(manager, f"{url('calendar')}?view={view}&day={day}")
    assert "Weekend" in shown
    assert url("move", "promotion", str(row.public_id)) in shown
    assert "Weekend" not in page_of(manager, f"{url('calendar')}?view={view}&day={day}&kind=game")
    other = make_program("other")
    address = f"{url('calendar')}?view={view}&day={day}&program={other.code}"
    assert "Weekend" not in page_of(manager, address)
    for odd in ("9999-99-99", "0001-01-01", "x"):
        assert "Calendar" in page_of(manager, f"{url('calendar')}?view={odd}&day={odd}")


def entry(program: Program, first: dt.date, last: dt.date) -> Shown:
    zone = program.zone
    starts_at = dt.datetime.combine(first, dt.time(), zone)
    ends_at = dt.datetime.combine(last + DAY, dt.time(), zone)
    return Shown(Entry("promotion", f"{first}", program, "X", starts_at, ends_at, "draft", "/"))


def test_what_goes_on_keeps_its_line_in_a_week(club: Program) -> None:
    span = span_of("month", dt.date(2024, 3, 10))
    long = entry(club, dt.date(2024, 3, 5), dt.date(2024, 3, 12))
    short = entry(club, dt.date(2024, 3, 6), dt.date(2024, 3, 6))
    weeks = weeks_of([long, short], span, dt.date(2024, 3, 6))
    assert [week[0].day for week in weeks] == [
        dt.date(2024, 2, 26), *(dt.date(2024, 3, day) for day in (4, 11, 18, 25)),
    ]  # fmt: skip
    bars = [[bar and bar.shown for bar in cell.bars] for cell in weeks[1]]
    assert bars == [[], [long], [long, short], [long], [long], [long], [long]]
    assert [cell.is_today for cell in weeks[1]][2]
    assert weeks[1][1].bars[0].begins
    assert weeks[2][0].bars[0].named
    assert weeks[2][1].bars[0].ends


def test_what_comes_again_stands_on_its_days(club: Program) -> None:
    span = span_of("month", dt.date(2024, 3, 10))
    item = entry(club, dt.date(2024, 3, 5), dt.date(2024, 3, 19))
    weekly = Shown(replace(item.entry, weekdays=frozenset({4})))
    weeks = weeks_of([weekly], span, dt.date(2024, 3, 6))
    shown = {cell.day: bar for week in weeks for cell in week for bar in cell.bars if bar}
    assert list(shown) == [dt.date(2024, 3, 8), dt.date(2024, 3, 15)]
    assert all(bar.begins and bar.ends and bar.named for bar in shown.values())


def test_of_a_full_day_some_wait_until_somebody_asks(club: Program) -> None:
    day = dt.date(2024, 3, 6)
    cells = weeks_of([entry(club, day, day)] * 7, span_of("month", day), day)[1]
    assert (len(cells[2].bars), len(cells[2].rest), cells[2].more) == (5, 2, 2)
    assert (cells[3].bars, cells[3].rest, cells[3].more) == ([], [], 0)


def test_a_weekly_promotion_says_its_days_and_hours(manager: Client, club: Program) -> None:
    offer = {"weekdays": ["friday"], "from_time": "16:00", "until_time": "20:00"}
    row = planned(club, template="happy-hours", offer=offer, ends_at=tomorrow(club, 20))
    shown = page_of(manager, f"{url('calendar')}?view=quarter&day={tomorrow(club).date()}")
    assert "Happy hours, every week, Friday, 4:00 PM – 8:00 PM" in shown
    own = page_of(manager, reverse("campaigns_backoffice:campaign", args=[row.public_id]))
    assert "Friday, 4:00 PM – 8:00 PM" in own
    assert "Weekday is Friday and time of day is between 16:00 and 20:00" in own


def test_lanes_are_as_wide_as_the_time_is_long(club: Program) -> None:
    span = Span(dt.date(2024, 1, 1), dt.date(2024, 3, 31))
    lanes = lanes_of([entry(club, dt.date(2024, 1, 11), dt.date(2024, 5, 1))], span, 1,
                     dt.date(2024, 6, 1))  # fmt: skip
    [lane] = lanes.rows
    assert (lane.before, lane.width, lane.after, lane.closes) == (10, 81, 0, False)
    assert lanes.heads == [("Jan", 31), ("Feb", 29), ("Mar", 31)]
    assert (lanes.columns, lanes.today) == (91, None)


def test_it_is_moved_by_the_dialog_and_back(manager: Client, club: Program) -> None:
    row = planned(club, name="Weekend")
    address = url("move", "promotion", str(row.public_id))
    to = tomorrow(club, 5)
    dropped = page_of(manager, f"{address}?day={to.date()}")
    assert f"{to:%Y-%m-%dT%H:%M}" in dropped
    sent = {"starts_at": f"{to:%Y-%m-%dT%H:%M}", "ends_at": f"{to + DAY:%Y-%m-%dT%H:%M}"}
    preview = manager.post(address, sent | {"preview": "1"}).content.decode()
    assert "Nothing gets in its way then." in preview
    row.refresh_from_db()
    before = row.starts_at
    assert before == tomorrow(club)
    manager.post(address, sent)
    row.refresh_from_db()
    assert (row.starts_at, row.ends_at) == (to, to + DAY)
    undo = re.search(r'action="([^"]+/undo/[^"]+)"', manager.get(url("calendar")).content.decode())
    assert undo
    manager.post(undo[1].replace("&amp;", "&"))
    row.refresh_from_db()
    assert (row.starts_at, row.ends_at) == (before, tomorrow(club, 3))


def test_what_is_wrong_with_the_times_is_said(manager: Client, club: Program) -> None:
    row = planned(club)
    address = url("move", "promotion", str(row.public_id))
    past = {"starts_at": "2020-01-01T10:00", "ends_at": "2020-01-02T10:00"}
    assert "That has passed already." in manager.post(address, past).content.decode()
    for odd in ("", "?from=x&until=y", "?from=2024-01-01&until=2024-01-02T00:00"):
        manager.post(f"{address}undo/{odd}")
    gone = url("move", "promotion", "00000000-0000-0000-0000-000000000000")
    assert manager.get(gone).status_code == 302
    assert manager.get(url("move", "rule", "1-1")).status_code == 302
    row.refresh_from_db()
    assert row.starts_at == tomorrow(club)


def test_the_calendar_is_read_by_a_secret_address_until_it_is_taken_back(
    manager: Client, club: Program
) -> None:
    planned(club, name="Weekend; all, of it")
    manager.post(url("feed"), {"do": "open"})
    shown = page_of(manager, url("feed"))
    address = re.search(r'data-copy="[^"]*(/calendar/[^"]+\.ics)"', shown)
    assert address
    assert address[1] not in page_of(manager, url("feed"))
    answer = Client().get(address[1])
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    text = answer.content.decode().replace("\r\n ", "")
    assert "SUMMARY:Weekend\\; all\\, of it\r\n" in text
    assert "STATUS:TENTATIVE" in text
    assert text.startswith("BEGIN:VCALENDAR\r\n")
    assert text.endswith("END:VCALENDAR\r\n")
    feed = CalendarFeed.objects.get()
    assert feed.read_at is not None
    assert address[1].split("/")[-1].removesuffix(".ics") not in feed.token_hash
    manager.post(url("feed"), {"do": "close"})
    assert Client().get(address[1]).status_code == 404
    assert Client().get("/calendar/guessed.ics").status_code == 404


def test_whoever_is_no_colleague_any_more_reads_nothing(manager: Client, club: Program) -> None:
    manager.post(url("feed"), {"do": "open"})
    address = re.search(r'data-copy="[^"]*(/calendar/[^"]+\.ics)"', page_of(manager, url("feed")))
    assert address
    StaffMember.objects.all().delete()
    assert Client().get(address[1]).status_code == 404


def test_a_year_is_planned(manager: Client, club: Program) -> None:
    today = timezone.now().astimezone(club.zone).date()
    year = today.year + 1
    plan = f"{url('year_plan', club.code)}?year={year}"
    assert "No season yet" in page_of(manager, plan)
    manager.post(url("season_create", club.code), {
        "name": "Spring", "rule": "day", "month": "4", "day": "1", "shift": "0", "days": "10",
        "template": "percent-off",
    })  # fmt: skip
    season = Season.objects.get()
    shown = page_of(manager, plan)
    assert "Nothing is planned in it." in shown
    assert "No campaign between" in shown
    answer = manager.post(url("season_begin", season.public_id, year))
    made = Campaign.objects.get()
    assert str(made.public_id) in answer["Location"]
    assert f"Spring {year}" in page_of(manager, plan)
    manager.post(url("season_dates", season.public_id, year), {
        "starts_on": f"{year}-05-01", "ends_on": f"{year}-05-03"})  # fmt: skip
    assert season.dates.get().ends_on == dt.date(year, 5, 3)
    manager.post(url("quarter_edit", club.code, year, 2), {
        "aim": "Spring brings more", "revenue": "1000", "budget": "50"})  # fmt: skip
    assert QuarterPlan.objects.get().budget == 50
    assert "Spring brings more" in page_of(manager, plan)
    manager.post(url("year_copy", club.code, year + 1))
    assert Campaign.objects.filter(name=f"Spring {year + 1}").exists()
    manager.post(url("season_archive", season.public_id))
    assert "No season yet" in page_of(manager, plan)
    assert manager.get(url("season_edit", season.public_id)).status_code == 404


def test_a_year_that_no_calendar_has_is_none(manager: Client, club: Program) -> None:
    this = timezone.now().astimezone(club.zone).year
    assert f"?year={this + 1}" in page_of(manager, url("year_plan", club.code) + "?year=20245")
    terms = SeasonTerms("Black Friday", "weekday", month=11, weekday=4, nth=-1)
    made = save_season(program=club, terms=terms, actor=SYSTEM)
    page_of(manager, url("season_dates", made.public_id, 99999), 404)
    assert manager.post(url("season_begin", made.public_id, 0)).status_code == 404
    assert manager.post(url("year_copy", club.code, 99999)).status_code == 404
    page_of(manager, url("quarter_edit", club.code, 99999, 1), 404)


def test_forms_say_what_is_missing(manager: Client, club: Program) -> None:
    sent = {"name": "Spring", "rule": "weekday", "shift": "0", "days": "3", "template": "flash"}
    answer = manager.post(url("season_create", club.code), sent)
    assert answer.status_code == 422
    assert "This rule needs it." in answer.content.decode()
    answer = manager.post(url("quarter_edit", club.code, 2030, 7), {"aim": ""})
    assert answer.status_code == 422
    suggested = f"{url('season_create', club.code)}?rule=day&month=4&day=2&days=9"
    assert 'value="9"' in page_of(manager, suggested)


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_draft_of_a_full_day_is_moved_by_drag_and_by_keyboard_and_put_back(
    sign_in: Callable[[str], Any], club: Program, live_server: Any,
    assert_no_axe_violations: Callable[..., None],
) -> None:  # fmt: skip
    """By drag the page stays where it is looked at; by keyboard one is where one was."""
    month = (timezone.now().astimezone(club.zone).replace(day=1) + 40 * DAY).replace(
        day=9, hour=10, minute=0, second=0, microsecond=0
    )
    rows = [draft(club, name=f"Weekend {number}", title=f"Weekend {number}", starts_at=month,
                  ends_at=month + DAY) for number in range(7)]  # fmt: skip
    save_season(program=club, terms=SeasonTerms("Spring", "easter"), actor=SYSTEM)
    page, row = sign_in("marketing_manager"), rows[-1]
    address = f"{live_server.url}{url('calendar')}?day={month.date()}"
    page.goto(address)
    bar = page.locator(f'.calendar-month [data-move="promotion-{row.public_id}"]').first
    expect(bar).to_be_hidden()
    page.locator(f'[data-day="{month.date()}"]').get_by_text("2 more").click()
    expect(bar).to_be_visible()
    assert_no_axe_violations(page)
    later = page.locator(f'[data-day="{month.date() + 7 * DAY}"]')
    bar.drag_to(later)
    expect(page.get_by_text("Nothing gets in its way then.")).to_be_visible()
    assert_no_axe_violations(page)
    page.get_by_role("button", name="Move it").click()
    expect(page.get_by_text("Weekend 6 was moved.")).to_be_visible()
    expect(later.get_by_text("Weekend 6")).to_be_visible()
    expect(later.locator(".is-promotion")).to_have_count(1)
    expect(page.locator("h2.calendar-name")).to_be_in_viewport()
    row.refresh_from_db()
    assert row.starts_at == month + 7 * DAY
    link = page.get_by_role("link", name="Move Weekend 6…")
    link.press("Enter")
    page.get_by_label("Until").fill(f"{month + 10 * DAY:%Y-%m-%dT%H:%M}")
    page.get_by_role("button", name="Move it").click()
    expect(page.get_by_text("Weekend 6 was moved.")).to_have_count(2)
    expect(link).to_be_focused()
    page.get_by_role("button", name="Undo").last.click()
    expect(page.get_by_text("Weekend 6 is where it was.")).to_be_visible()
    row.refresh_from_db()
    assert (row.starts_at, row.ends_at) == (month + 7 * DAY, month + 8 * DAY)
    assert page.url == address
    page.set_viewport_size(PHONE)
    expect(link).to_be_visible()
    expect(page.locator(".calendar-picture")).to_be_hidden()
    page.goto(f"{live_server.url}{url('year_plan', club.code)}?year={month.year}")
    expect(page.get_by_role("heading", name="Seasons")).to_be_visible()
    assert_no_axe_violations(page)
