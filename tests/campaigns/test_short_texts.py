"""Ready-made short words: for each occasion, with variables that there are, and short."""

import pytest

from campaigns.occasions import all_occasions
from campaigns.ready_texts import ready_text
from campaigns.text_segments import length_of
from campaigns.wording import check_wording, read_wording

WAYS = ("sms", "whatsapp", "push", "webhook")
CASES = [(occasion.code, way) for occasion in all_occasions() for way in WAYS]


@pytest.mark.parametrize(("code", "way"), CASES)
def test_every_occasion_has_words_for_every_way(code: str, way: str) -> None:
    occasion = next(item for item in all_occasions() if item.code == code)
    ready = ready_text(code, way)
    if code in {"confirm", "number_code"} and way in {"push", "webhook"}:
        assert ready is None
        return
    assert ready is not None
    known = [variable.name for variable in occasion.all_variables]
    check_wording(ready.subject, known)
    check_wording(ready.body, known)
    if way == "sms":
        text = read_wording(ready.body).fill(occasion.sample)
        assert text.startswith("Oakmarket: ")
        assert occasion.sample["link"] in text
        assert length_of(text).segments <= 3, text


@pytest.mark.parametrize(
    ("text", "characters", "segments"),
    [
        ("", 0, 1),
        ("a" * 160, 160, 1),
        ("a" * 161, 161, 2),
        ("a" * 306, 306, 2),
        ("a" * 307, 307, 3),
        ("€" * 80, 160, 1),
        ("€" * 81, 162, 2),
        # A pair is not torn: of 153 places only 152 are used by what takes two.
        ("€" * 153, 306, 3),
        ("я" * 70, 70, 1),
        ("я" * 71, 71, 2),
        ("😀" * 35, 70, 1),
        ("😀" * 36, 72, 2),
        ("a\nb", 3, 1),
    ],
)
def test_what_a_text_costs(text: str, characters: int, segments: int) -> None:
    found = length_of(text)
    assert (found.characters, found.segments) == (characters, segments)


def test_it_says_which_characters_make_it_long() -> None:
    assert length_of("ab’c’d…").wide == "’…"
    assert length_of("Grüße @ 5 £").wide == ""
