"""The catalogs as files: read, brought in step with the code, compiled.

No gettext tools are needed, and none of their dates and line numbers are kept: a catalog changes
only where its texts do.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.plurals import get_plural
from babel.messages.pofile import read_po, write_po

from config.catalogs.extraction import Text, Texts

LOCALES = Path(__file__).resolve().parent.parent / "locale"
# Django calls its catalogs by this name.
NAME = "LC_MESSAGES/django.po"
HEADER = """\
# What customers read, in {language}. The texts are found by `manage.py catalogs`.
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Language: {code}\\n"
"Plural-Forms: nplurals={plurals}; plural={rule};\\n"

"""


def catalog_file(locale: str) -> Path:
    """Where the catalog of a locale (`zh_Hans`) is."""
    return LOCALES / locale / NAME


def read_catalog(locale: str) -> Catalog:
    file = catalog_file(locale)
    return read_po(BytesIO(file.read_bytes() if file.exists() else _header(locale)), locale=locale)


def renew_catalog(locale: str, texts: Texts) -> list[Text]:
    """Write the texts with the translations that there are. Answers what is not translated."""
    known, missing = read_catalog(locale), []
    renewed = read_po(BytesIO(_header(locale)), locale=locale)
    for text, places in texts.places.items():
        had = known.get(_message_id(text), text.context)
        said = had.string if had and _is_whole(had.string) else ""
        renewed.add(
            _message_id(text),
            said or "",
            locations=[(place, None) for place in places],  # type: ignore[misc]
            context=text.context,
        )
        if not said:
            missing.append(text)
    write_catalog(locale, renewed)
    return missing


def write_catalog(locale: str, catalog: Catalog) -> None:
    body = BytesIO()
    write_po(body, catalog, width=100, omit_header=True, sort_output=True, include_lineno=False)
    file = catalog_file(locale)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(_header(locale) + body.getvalue())


def compile_catalogs() -> list[Path]:
    """Write what Django reads beside each catalog that is whole. Answers the files."""
    compiled = []
    for file in sorted(LOCALES.glob(f"*/{NAME}")):
        catalog, target = read_catalog(file.parents[1].name), file.with_suffix(".mo")
        if not all(_is_whole(message.string) for message in catalog if message.id):
            target.unlink(missing_ok=True)
            continue
        with target.open("wb") as output:
            write_mo(output, catalog)
        compiled.append(target)
    return compiled


def _header(locale: str) -> bytes:
    known = Locale.parse(locale)
    # The rules of CLDR: Babel's own table lacks some languages that know no plural, like Malay.
    plurals, rule = get_plural(locale)[:2] if known.plural_form.tags else (1, "0")
    return HEADER.format(
        language=known.get_display_name("en"), code=locale, plurals=plurals, rule=rule
    ).encode()


def _message_id(text: Text) -> str | tuple[str, str]:
    return text.forms[0] if len(text.forms) == 1 else (text.forms[0], text.forms[1])


def _is_whole(said: str | tuple[str, ...] | list[str] | None) -> bool:
    return bool(said) if isinstance(said, str) else all(said or [""])
