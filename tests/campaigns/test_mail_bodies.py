"""Mails are built from MJML within a frame that always says how to get no more of them."""

import re
from contextlib import suppress
from itertools import product

from campaigns.mail_bodies import compile_mail, plain_text
from campaigns.occasions import Occasion
from campaigns.ready_texts import READY, ready_languages, ready_text
from campaigns.services.number_codes import NUMBER_CODE
from campaigns.standard_occasions import OCCASIONS
from campaigns.wording import WordingError, check_wording, read_wording

BODY = (
    "<mj-section><mj-column><mj-text>Hello {{ given_name }}</mj-text>"
    '<mj-text mj-class="code">{{#code}}{{ code }}{{/code}}</mj-text>'
    '<mj-button href="{{ link }}">Open</mj-button></mj-column></mj-section>'
)
FRAME = {
    "frame_accent": "#123456", "frame_accent_text": "#ffffff", "frame_merchant": "Oak",
    "frame_why": "Because.", "frame_choose": "Choose", "frame_choose_link": "https://x/choose",
    "frame_stop": "Stop", "frame_stop_link": "https://x/stop", "frame_language": "en",
}  # fmt: skip


def filled(values: dict[str, str], body: str = BODY) -> str:
    return read_wording(compile_mail(body)).fill(FRAME | values, markup=True)


def test_the_variables_stay_until_it_is_sent() -> None:
    html = filled({"given_name": "<Ana>", "code": "X1", "link": "https://x/?a=1&b=2"})
    assert "Hello &lt;Ana&gt;" in html
    assert 'href="https://x/?a=1&amp;b=2"' in html
    assert "#123456" in html
    assert "https://x/stop" in html
    assert "{{" not in html


def test_a_text_that_says_nothing_leaves_no_gap() -> None:
    assert "letter-spacing:2px" in filled({"code": "X1"})
    assert "letter-spacing:2px" not in filled({"code": ""})


def test_whole_columns_and_buttons_may_be_there_only_sometimes() -> None:
    body = (
        "<mj-section>{{#code}}<mj-column><mj-text>Column {{ code }}</mj-text></mj-column>{{/code}}"
        "<mj-column>{{#gift}}<mj-button>Button</mj-button>{{/gift}}<mj-text>Always</mj-text>"
        "</mj-column></mj-section>"
    )
    both, none = filled({"code": "X1", "gift": "y"}, body), filled({}, body)
    assert all(word in both for word in ("Column X1", "Button", "Always"))
    assert [word in none for word in ("Column", "Button", "Always")] == [False, False, True]
    assert none.count("<table") == none.count("</table>")


def test_the_plain_text_follows_from_the_body() -> None:
    assert plain_text(BODY).split("\n\n") == [
        "Hello {{ given_name }}", "{{#code}}{{ code }}{{/code}}", "Open: {{ link }}",
    ]  # fmt: skip


REFUSED = [
    "Hello",
    "<p>Hello</p>",
    "<mj-text>Hello</mj-text>",
    "<mj-section><mj-column>",
    '<mj-section><mj-include path="/etc/passwd" /></mj-section>',
    "<mj-section><mj-column><mj-raw>x</mj-raw></mj-column></mj-section>",
    "<mj-section><mj-column><mj-text><script>x</script></mj-text></mj-column></mj-section>",
    '<mj-section><mj-column><mj-text><p onclick="x()">y</p></mj-text></mj-column></mj-section>',
    '<mj-section><mj-column><mj-button href="javascript:x">y</mj-button>',
    "</mj-body></mjml><mjml>",
]


def test_what_does_not_belong_into_a_mail_is_refused() -> None:
    taken = []
    for body in REFUSED:
        with suppress(WordingError):
            taken.append((body, compile_mail(body)))
    assert taken == []


# That a number is somebody's is told to that number alone.
MAILED = [occasion for occasion in OCCASIONS if occasion.code != NUMBER_CODE]


def test_the_ready_made_words_of_every_occasion_can_be_sent() -> None:
    wrong = []
    for occasion in MAILED:
        channels = [channel for found, channel in READY if found == occasion.code]
        assert "email" in channels, occasion.code
        for channel, language in product(channels, ready_languages()):
            if why := what_is_wrong(occasion, channel, language):
                wrong.append((occasion.code, channel, language, why))
    assert wrong == []


def what_is_wrong(occasion: Occasion, channel: str, language: str) -> str:
    """Of its ready-made words; nothing if they can be sent."""
    known = [variable.name for variable in occasion.all_variables]
    ready = ready_text(occasion.code, channel, language)
    if ready is None:
        return "there are none"
    try:
        check_wording(ready.subject, known)
        check_wording(ready.body, known)
    except WordingError as error:
        return str(error)
    if channel == "email" and re.search(r"\{\{|</?mj-", filled(occasion.sample, ready.body)):
        return "something is not filled in"
    return ""
