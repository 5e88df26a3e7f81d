"""The catalogs of what customers read."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from django.conf import settings
from django.utils.translation import to_locale

from config.catalogs import files
from config.catalogs.customers import customers_files, customers_texts
from config.catalogs.extraction import Text, Texts, texts_of

LOCALES = [to_locale(code) for code, _name in settings.KNOWN_LANGUAGES if code != "en"]
# What is filled in: %(name)s, %s, %d, and a percent sign that is meant; in messages {{ name }}.
FILLED_IN = re.compile(r"%\(\w+\)[sd]|%[sd%]|{{.*?}}")


@pytest.fixture(scope="module")
def texts() -> Texts:
    return customers_texts()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(files, "LOCALES", tmp_path)
    return tmp_path


def ids(catalog: Catalog) -> dict[tuple[str, str | None], tuple[str, ...]]:
    return {
        (forms_of(message.id)[0], message.context): forms_of(message.id)
        for message in catalog
        if message.id
    }


def forms_of(said: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    return (said,) if isinstance(said, str) else tuple(said or ())


@pytest.mark.parametrize("locale", LOCALES)
def test_a_catalog_has_the_texts_of_the_code(locale: str, texts: Texts) -> None:
    found = {(text.forms[0], text.context): text.forms for text in texts.places}
    has = ids(files.read_catalog(locale))
    assert has.keys() == found.keys(), "run manage.py catalogs"


@pytest.mark.parametrize("locale", LOCALES)
def test_a_translation_fills_in_what_its_text_does(locale: str) -> None:
    for message in files.read_catalog(locale):
        said = [form for form in forms_of(message.string) if form]
        wanted = {frozenset(FILLED_IN.findall(form)) for form in forms_of(message.id)}
        for form in said if message.id else ():
            # A language with one form says with a number what English says without.
            assert frozenset(FILLED_IN.findall(form)) in wanted, (message.id, form)


def test_no_text_of_theirs_hides_from_the_catalogs(texts: Texts) -> None:
    """Behind another name than those that are looked for, or within an f-string. What staff alone
    read in such a module is `_l`."""
    known = {form for text in texts.places for form in text.forms}
    hidden = set()
    for file in customers_files():
        if file.suffix != ".py":
            continue
        own_page = "account" in file.parts
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Call) and own_page):
                hidden |= {said for said in called_with(node) if said not in known}
    assert not hidden


def called_with(tree: ast.AST) -> Iterator[str]:
    """What calls of gettext in it say, by whatever name gettext goes there."""
    for node in ast.walk(tree):
        named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if named and (node.func.id in {"_", "_l"} or "gettext" in node.func.id):
            last = node.args[-1] if node.args else None
            if isinstance(last, ast.Constant) and isinstance(last.value, str):
                yield last.value


def test_texts_are_found_in_python_and_in_templates(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        'x = _("One" " text")\ny = ngettext("%s unit", "%s units", n)\nz = pgettext("verb", "Earn")'
    )
    (tmp_path / "b.html").write_text(
        '<p>{% translate "Hi" %}</p>\n  {% if a %}{% blocktranslate trimmed with b=c %}\n'
        "   Dear {{ b }},\n   welcome.\n{% endblocktranslate %}{% endif %}"
    )
    found = texts_of(tmp_path.iterdir(), tmp_path).places
    assert found == {
        Text(("One text",)): ["a.py"],
        Text(("%s unit", "%s units")): ["a.py"],
        Text(("Earn",), "verb"): ["a.py"],
        Text(("Hi",)): ["b.html"],
        Text(("Dear %(b)s, welcome.",)): ["b.html"],
    }


def test_what_is_translated_stays_and_what_is_gone_goes(folder: Path) -> None:
    before = Texts({Text(("Yes",)): ["a.py"], Text(("No",)): ["a.py"]})
    assert files.renew_catalog("el", before) == list(before.places)
    catalog = files.read_catalog("el")
    for said in ("Yes", "No"):
        catalog[said].string = {"Yes": "Ναι", "No": "Όχι"}[said]
    files.write_catalog("el", catalog)

    after = Texts({Text(("Yes",)): ["b.py"], Text(("Maybe",)): ["b.py"]})
    assert files.renew_catalog("el", after) == [Text(("Maybe",))]
    renewed = files.read_catalog("el")
    assert renewed["Yes"].string == "Ναι"
    assert "No" not in renewed


def test_only_a_whole_catalog_is_offered(folder: Path) -> None:
    files.renew_catalog("el", Texts({Text(("Yes",)): ["a.py"]}))
    assert files.compile_catalogs() == []
    catalog = files.read_catalog("el")
    catalog["Yes"].string = "Ναι"
    files.write_catalog("el", catalog)
    compiled = files.catalog_file("el").with_suffix(".mo")
    assert files.compile_catalogs() == [compiled]
    files.renew_catalog("el", Texts({Text(("Maybe",)): ["a.py"]}))
    files.compile_catalogs()
    assert not compiled.exists()


def test_templates_name_what_they_fill_in(texts: Texts) -> None:
    """`{% blocktranslate %}` writes nothing for `{{ request.path }}`: it wants `with`."""
    assert [text for text in texts.places if re.search(r"%\(\w+\.", "".join(text.forms))] == []
