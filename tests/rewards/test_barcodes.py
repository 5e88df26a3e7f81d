"""Bar codes, read back as a scanner does, and entries for the calendar."""

import datetime as dt
import re

import pytest

from rewards.barcodes import PATTERNS, QUIET, START_B, START_C, STOP, TO_B, TO_C, barcode, signs
from rewards.calendar_entries import whole_day
from rewards.codes import new_code, plain


def scanned(picture: str) -> str:
    """What a scanner reads off the picture: from bars and gaps to text, its check sign checked."""
    bars = [
        (int(x), int(w)) for x, w in re.findall(r'<rect x="(\d+)" y="0" width="(\d+)"', picture)
    ]
    assert bars[0][0] == QUIET
    widths = []
    for (x, w), following in zip(bars, [*bars[1:], None], strict=True):
        widths += [w] if following is None else [w, following[0] - x - w]
    runs = "".join(map(str, widths))
    assert runs.endswith(PATTERNS[STOP])
    found = [PATTERNS.index(runs[at : at + 6]) for at in range(0, len(runs) - 7, 6)]
    *read, check = found
    assert (read[0] + sum(at * sign for at, sign in enumerate(read[1:], 1))) % 103 == check
    text, pairs = "", read[0] == START_C
    for sign in read[1:]:
        if sign == TO_C and not pairs:
            pairs = True
        elif sign == TO_B and pairs:
            pairs = False
        else:
            text += f"{sign:02}" if pairs else chr(sign + 32)
    return text


def test_signs_are_built_as_the_standard_says():
    """Eleven modules, an even number of them black, and no two alike."""
    assert len(set(PATTERNS)) == len(PATTERNS) == 107
    for pattern in PATTERNS[:STOP]:
        widths = [int(width) for width in pattern]
        assert (len(widths), sum(widths), sum(widths[::2]) % 2) == (6, 11, 0)


def test_a_known_example_comes_out_as_published():
    assert signs("PJJ123C") == [START_B, 48, 42, 42, 17, 18, 19, 35, 55, STOP]


@pytest.mark.parametrize(
    "text", ["A", "1234", "RIVER4101", "12345", "AB123456CD7", "A-1 ~", "0" * 9]
)
def test_whatever_is_written_is_read(text):
    assert scanned(barcode(text, "x")) == text


def test_codes_of_vouchers_are_read():
    for _number in range(50):
        code = plain(new_code("OAK"))
        assert scanned(barcode(code, "x")) == code


def test_what_has_no_bars_is_refused():
    for text in ("", "é", "a\n"):
        with pytest.raises(ValueError, match=f"^{text}$"):
            signs(text)


def test_a_day_is_an_entry_with_lines_that_calendars_take():
    entry = whole_day(
        uid="a@b", day=dt.date(2026, 12, 31), title="Last day: tea; cake, " + "咖啡" * 30,
        text="One\nTwo", url="https://x", made_at=dt.datetime(2026, 1, 2, tzinfo=dt.UTC),
        days_before=3,
    )  # fmt: skip
    assert all(len(line.encode()) <= 75 for line in entry.split("\r\n"))
    unfolded = entry.replace("\r\n ", "")
    assert "DTSTART;VALUE=DATE:20261231\r\nDTEND;VALUE=DATE:20270101" in unfolded
    assert "SUMMARY:Last day: tea\\; cake\\, 咖啡" in unfolded
    assert "DESCRIPTION:One\\nTwo" in unfolded
    assert entry.endswith("END:VCALENDAR\r\n")
