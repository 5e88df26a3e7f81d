"""What somebody writes is shown, and does nothing else."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.post_markdown import shown_post

TAGS = re.compile(r"</?([a-z0-9]+)")
ALLOWED = {
    "p", "br", "hr", "h2", "h3", "h4", "h5", "h6", "strong", "em", "a", "ul", "ol", "li",
    "blockquote", "code", "pre",
}  # fmt: skip


def test_markdown_is_shown_as_it_is_meant() -> None:
    html = shown_post(
        "## Bread\n\n**Flour** and *time*\n\n- one\n- two\n\n[shop](https://x.example)"
    )
    assert "<h2>Bread</h2>" in html
    assert "<strong>Flour</strong> and <em>time</em>" in html
    assert html.count("<li>") == 2
    assert 'href="https://x.example"' in html
    assert 'rel="noopener nofollow"' in html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[x](javascript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)", "![x](https://elsewhere.example/track.gif)",
        "<a href='https://x' onclick='x()'>y</a>", "<style>p{}</style>",
        "[x](https://ok.example \"t\" onmouseover=x)", "<iframe src=//x></iframe>",
        "```<svg onload=x>```",
    ],
)  # fmt: skip
def test_nothing_that_was_typed_runs_or_is_loaded(text: str) -> None:
    html = shown_post(text)
    assert set(TAGS.findall(html)) <= ALLOWED
    assert not re.search(r"<[^>]+\bon\w+\s*=", html)
    assert not re.search(r"<[^>]+(javascript|data):", html)


@given(st.text(alphabet=st.sampled_from("<>/a\"'()[]!#*_`- \n=:&;jscriptonx"), max_size=200))
def test_only_these_tags_come_out_of_anything(text: str) -> None:
    html = shown_post(text)
    assert set(TAGS.findall(html)) <= ALLOWED
    assert not re.search(r"<[a-z][^>]*\son\w+\s*=", html)


def test_headings_leave_none_out() -> None:
    html = shown_post("#### Deep\n\n# Top\n\n###### Deepest\n\n## Two")
    assert re.findall(r"<h(\d)>", html) == ["2", "2", "3", "3"]
    assert re.findall(r"<h(\d)>", shown_post("## One\n\n## Two\n\n### Three\n\n## Four")) == [
        "2", "2", "3", "2",
    ]  # fmt: skip
