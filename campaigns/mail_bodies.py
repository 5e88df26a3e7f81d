"""From the MJML that people write to the HTML and the plain text of a mail."""

from __future__ import annotations

import re
from functools import lru_cache
from html.parser import HTMLParser

from django.utils.translation import gettext as _
from mjml import mjml2html

from campaigns.wording import WordingError, read_wording

# What the frame around each body says, beside what the occasion does.
FRAME = frozenset(
    {
        "frame_accent", "frame_accent_text", "frame_merchant", "frame_why", "frame_choose",
        "frame_choose_link", "frame_stop", "frame_stop_link", "frame_language",
    }
)  # fmt: skip
ELEMENTS = frozenset(
    {
        "mj-section", "mj-wrapper", "mj-group", "mj-column", "mj-hero", "mj-text", "mj-button",
        "mj-image", "mj-divider", "mj-spacer", "mj-table", "mj-social", "mj-social-element",
    }
)  # fmt: skip
_OUTER = ("mj-section", "mj-wrapper", "mj-hero")
_ELEMENT = re.compile(r"<\s*(mjml|mj-[a-z-]+)", re.IGNORECASE)
_FORBIDDEN = re.compile(
    r"<\s*/?\s*(script|iframe|object|embed|form|input|link|meta|base|style)\b"
    r"|\son[a-z]+\s*=|javascript:|<!doctype|<!\[cdata|<\?",
    re.IGNORECASE,
)
# A text that is there only sometimes, as it is compiled: its row goes with it, or a gap would stay.
_WHOLE = re.compile(
    r"(<tr><td[^>]*><div[^>]*>)\s*\{\{#([a-z][a-z0-9_]*)\}\}((?:(?!\{\{[#/]).)*)\{\{/\2\}\}\s*"
    r"(</div></td></tr>)",
    re.DOTALL,
)
_HEAD = """<mjml lang="{{ frame_language }}"><mj-head>
<mj-attributes>
<mj-all font-family="-apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif" />
<mj-text font-size="16px" line-height="1.55" color="#1f2933" padding="8px 28px" />
<mj-section background-color="#ffffff" padding="8px 0" />
<mj-button background-color="{{ frame_accent }}" color="{{ frame_accent_text }}" font-size="16px"
 font-weight="600" border-radius="8px" inner-padding="14px 26px" padding="16px 28px" align="left" />
<mj-divider border-width="1px" border-color="#e4e7eb" padding="8px 28px" />
<mj-class name="title" font-size="24px" line-height="1.3" font-weight="700" />
<mj-class name="figure" font-size="34px" line-height="1.2" font-weight="700" />
<mj-class name="soft" font-size="14px" color="#52606d" />
<mj-class name="code" font-size="22px" font-weight="700" letter-spacing="2px" align="center"
 container-background-color="#f0f4f4" padding="18px 28px" />
</mj-attributes></mj-head>
<mj-body background-color="#f3f4f6" width="600px">
<mj-section background-color="#f3f4f6" padding="16px 0 8px"><mj-column>
<mj-text font-size="17px" font-weight="700" color="#1f2933">{{ frame_merchant }}</mj-text>
</mj-column></mj-section>
"""
_FOOT = """
<mj-section background-color="#f3f4f6" padding="12px 0 24px"><mj-column>
<mj-text font-size="13px" color="#52606d">{{ frame_why }}</mj-text>
<mj-text font-size="13px" color="#52606d">\
<a href="{{ frame_choose_link }}" style="color:#52606d">{{ frame_choose }}</a>\
{{#frame_stop_link}} · <a href="{{ frame_stop_link }}" style="color:#52606d">{{ frame_stop }}</a>\
{{/frame_stop_link}}</mj-text>
</mj-column></mj-section></mj-body></mjml>"""


def compile_mail(body: str) -> str:
    """The HTML of a body within the frame, variables still in it. Raises WordingError."""
    _check_elements(body)
    source = f"{_HEAD}{body}{_FOOT}"
    try:
        # No fonts from elsewhere: whoever serves them would learn who reads the mail.
        html: str = mjml2html(source, fonts={})
    except ValueError as error:
        raise WordingError(_("This is no MJML: an element is not closed, or misplaced.")) from error
    if not read_wording(body).names <= read_wording(html).names or _lost(source, html):
        raise WordingError(
            _("Write variables within texts and buttons, and {{#name}} around whole elements.")
        )
    return _WHOLE.sub(r"{{#\2}}\1\3\4{{/\2}}", html)


@lru_cache(maxsize=500)
def plain_text(body: str) -> str:
    """What a body says without its looks, variables still in it."""
    reader = _PlainReader()
    reader.feed(body)
    return reader.text()


def _check_elements(body: str) -> None:
    if _FORBIDDEN.search(body):
        raise WordingError(_("Programs, forms and styles of your own do not belong into a mail."))
    names = [name.lower() for name in _ELEMENT.findall(body)]
    unknown = sorted({name for name in names if name not in ELEMENTS})
    if unknown:
        raise WordingError(_("Not possible here: %s") % ", ".join(f"<{name}>" for name in unknown))
    if not names or names[0] not in _OUTER or not body.lstrip().startswith("<"):
        raise WordingError(_("Begin with <mj-section>, and put everything into sections."))


def _lost(source: str, html: str) -> bool:
    """Whether a part that is only sometimes there lost its beginning or its end."""
    marks = re.compile(r"\{\{\s*[#/]")
    return len(marks.findall(source)) != len(marks.findall(html))


class _PlainReader(HTMLParser):
    """Texts become paragraphs, buttons and links are followed by where they lead."""

    _BLOCKS = frozenset({"mj-text", "mj-button", "mj-table", "p", "div", "li", "tr", "h1", "h2"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._blocks: list[str] = [""]
        self._links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self._BLOCKS:
            self._blocks.append("")
        if tag == "br":
            self._blocks[-1] += "\n"
        if tag in ("a", "mj-button"):
            self._links.append(dict(attrs).get("href") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("a", "mj-button") and self._links and (link := self._links.pop()):
            self._blocks[-1] = f"{self._blocks[-1].rstrip()}: {link}"
        if tag in self._BLOCKS:
            self._blocks.append("")

    def handle_data(self, data: str) -> None:
        self._blocks[-1] += re.sub(r"\s+", " ", data)

    def text(self) -> str:
        lines = ("\n".join(line.strip() for line in block.split("\n")) for block in self._blocks)
        return "\n\n".join(line for line in lines if line.strip())
