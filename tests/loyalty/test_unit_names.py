"""What so many units are called: by the plural rule of the names' own language."""

from decimal import Decimal

import pytest
from django.utils import translation

from loyalty.rule_words import units_in_words
from members.formatting import NamesOfUnit, format_units, unit_name

RUSSIAN = NamesOfUnit(
    "\u0437\u0432\u0435\u0437\u0434\u0430", "\u0437\u0432\u0451\u0437\u0434\u044b", 0, "ru",
    (("few", "\u0437\u0432\u0435\u0437\u0434\u044b"), ("many", "\u0437\u0432\u0451\u0437\u0434")),
)  # fmt: skip
ONE, FEW, MANY = RUSSIAN.singular, RUSSIAN.plural_forms["few"], RUSSIAN.plural_forms["many"]


@pytest.mark.parametrize(
    ("number", "name"),
    [(1, ONE), (2, FEW), (4, FEW), (5, MANY), (11, MANY), (21, ONE), (22, FEW), (-3, FEW)],
)
@pytest.mark.parametrize("reader", ["en", "zh-hans", "el"])
def test_the_names_language_decides_whoever_reads(number: int, name: str, reader: str) -> None:
    with translation.override(reader):
        assert unit_name(number, RUSSIAN) == name


def test_without_a_language_the_reader_decides() -> None:
    beans = NamesOfUnit("Bean", "Beans", 0)
    assert format_units(1, beans) == "1\N{NO-BREAK SPACE}Bean"
    english = NamesOfUnit("Bean", "Beans", 0, "en")
    with translation.override("zh-hans"):
        # One is one for readers whose language has no plural, too.
        assert [unit_name(1, beans), unit_name(2, beans)] == ["Bean", "Beans"]
        assert unit_name(1, english) == "Bean"


def test_rates_that_are_no_whole_number_have_a_name_too() -> None:
    assert units_in_words(Decimal("0.5"), RUSSIAN).endswith(RUSSIAN.plural)
    assert units_in_words(Decimal(5), RUSSIAN).endswith(MANY)
