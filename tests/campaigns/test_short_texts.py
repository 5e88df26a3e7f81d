"""Ready-made short words: for each occasion, with variables that there are, and short."""

import pytest

from campaigns.occasions import Occasion, all_occasions
from campaigns.ready_texts import ready_text
from campaigns.text_segments import length_of
from campaigns.wording import WordingError, check_wording, read_wording

WAYS = ("sms", "whatsapp", "push", "webhook")


def test_every_occasion_has_words_for_every_way() -> None:
    wrong = {
        (occasion.code, way): found
        for occasion in all_occasions()
        for way in WAYS
        if (found := what_is_wrong(occasion, way))
    }
    assert wrong == {}


def what_is_wrong(occasion: Occasion, way: str) -> str:
    """With its ready-made words for a way; nothing, if they are good."""
    ready = ready_text(occasion.code, way)
    if occasion.code in {"confirm", "number_code"} and way in {"push", "webhook"}:
        return "" if ready is None else "There are some."
    if ready is None:
        return "There are none."
    known = [variable.name for variable in occasion.all_variables]
    try:
        check_wording(ready.subject, known)
        check_wording(ready.body, known)
    except WordingError as error:
        return str(error) or "They cannot be read."
    if way == "sms":
        text = read_wording(ready.body).fill(occasion.sample)
        good = text.startswith("Oakmarket: ") and occasion.sample["link"] in text
        return "" if good and length_of(text).segments <= 3 else text or "They are empty."
    return ""


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
