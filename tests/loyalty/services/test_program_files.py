"""Program files: read back as written; what is wrong is named by line and field."""

import pytest
from django.utils import timezone

from loyalty.program_files import dump_program, load_program
from loyalty.services.programs import apply_definition
from members.errors import DomainError
from members.services.audit import SYSTEM
from tests.loyalty.factories import day, define, make_program
from tests.loyalty.services.test_programs import FULL

GOOD = """\
# A comment
code: club
name: Club
currency: USD
wallet_types:
  - code: points
    unit_value: 0.01
    expiry:
      kind: months
      length: 12
earning_rules:
  - code: base
    units: 1.5
    include:
      categories: [food, 'home & garden']
"""


def wrong(text: str) -> list[str]:
    with pytest.raises(DomainError) as refused:
        load_program(text)
    assert refused.value.code == "invalid_program"
    return [f"{error.field}: {error.message}" for error in refused.value.errors]


def test_a_file_says_what_it_means():
    found = load_program(GOOD)
    assert found.status == "draft"
    assert str(found.earning_rules[0].units) == "1.5"
    assert found.earning_rules[0].include.categories == ("food", "home & garden")


SCHEMA = {
    "type": "object",
    "properties": {
        "stars": {"type": "number", "minimum": 0.5, "maximum": 5},
        "photo": {"enum": [True, False, None]},
        "code": {"const": "0.5"},
    },
}
ACTIVITIES = {
    "activity_types": [
        {
            "code": "review", "name": "Review", "told": "Review of {subject}", "approval": True,
            "proof": "optional", "most": 3, "period": "day", "once_per_subject": True,
            "data_schema": SCHEMA,
        },
        {"code": "visit", "name": "Visit", "active": False},
    ],
    "earning_rules": [
        {"code": "base"},
        {
            "code": "reviews", "kind": "activity", "activity": "review", "units": "7.5",
            "times": "stars", "fractions": "up", "caps": {"per_member": 100, "period": "month"},
            "when": {"field": "activity.number.stars", "op": "at_least", "value": 3},
        },
        {
            "code": "years", "kind": "occasion", "day": "enrollment", "units": 20, "days_before": 3,
            "caps": {"budget": 1000}, "expiry": {"kind": "days", "length": 30},
            "pending": {"pending_from": "placed", "pending_days": 0},
        },
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    "changes", [{}, FULL, ACTIVITIES, {"name": "Κλαμπ: «καφές» #1", "description": "a\nb "}]
)
def test_a_program_written_and_read_back_is_the_same(db, changes):
    program = make_program(**changes)
    text = dump_program(program, timezone.now())
    assert load_program(text) == define(**changes)
    assert apply_definition(load_program(text), actor=SYSTEM, now=day(1)).changes == []


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (("code: club", "code: Club"), "line 2, code"),
        (("currency: USD", "currency: dollars"), "line 4, currency"),
        (("currency: USD\n", ""), "line 1, currency"),
        (("name: Club", "name: ''"), "line 3, name"),
        (("name: Club", "name: 12"), "line 3, name"),
        (("name: Club", "nam: Club"), "line 3, nam"),
        (("unit_value: 0.01", "unit_value: -1"), "line 7, wallet_types[0].unit_value"),
        (("unit_value: 0.01", "unit_value: .nan"), "line 7, wallet_types[0].unit_value"),
        (("unit_value: 0.01", "unit_value: cheap"), "line 7, wallet_types[0].unit_value"),
        (("length: 12", "length: 121"), "line 8, wallet_types[0].expiry"),
        (("      length: 12\n", ""), "line 8, wallet_types[0].expiry"),
        (("units: 1.5", "units: 0"), "line 13, earning_rules[0].units"),
        (("units: 1.5", "units: 2026-01-01"), "line 13, earning_rules[0].units"),
        (("[food, 'home & garden']", "food"), "line 15, earning_rules[0].include.categories"),
        (
            ("  - code: base", "  - code: base\n    wallet_type: stars"),
            "line 13, earning_rules[0].wallet_type",
        ),
        (
            ("  - code: points", "  - code: points\n  - code: points"),
            "line 7, wallet_types[1].code",
        ),
        (("status", "status"), None),
        (("currency: USD", "currency: USD\ntime_zone: Mars/Olympus"), "line 5, time_zone"),
        (("wallet_types:", "wallet_types: []\nother:"), "wallet_types"),
    ],
)
def test_what_is_wrong_is_named_by_line_and_field(change, place):
    text = GOOD.replace(*change)
    if place is None:
        assert load_program(text)
        return
    assert any(place in error for error in wrong(text)), wrong(text)


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ("launch: {founding: {wallet_type: stars, units: 5}}", "launch.founding.wallet_type"),
        (("pledges:\n  - {code: a, name: A, charity: trees, event: order, money: 1,"
         " starts_at: '2026-01-01T00:00:00Z'}"), "pledges[0].charity"),
        ("earning_rules:\n  - {code: two, kind: multiplier, factor: 2, of: [base]}",
         "earning_rules[0].of"),
        (("tiers:\n  metric: units\n  window: lifetime\n  wallet_type: stars\n  tiers:\n"
         "    - {code: base, name: Base}\n    - {code: gold, name: Gold, threshold: 9}"),
         "tiers.wallet_type"),
        (("tiers:\n  metric: spend\n  window: lifetime\n  tiers:\n    - {code: base, name: Base}\n"
         "    - code: gold\n      name: Gold\n      threshold: 9\n      benefits:\n"
         "        - {kind: birthday_bonus, units: 5, wallet_type: stars}"),
         "tiers.tiers[1].benefits[0].wallet_type"),
        (("plans:\n  - {code: plus, name: Plus, price: '5', credits:"
         " {units: 5, wallet_type: stars}}"), "plans[0].credits.wallet_type"),
    ],
)  # fmt: skip
def test_what_leads_nowhere_is_named_where_it_stands(said, place):
    text = "code: club\nname: Club\ncurrency: USD\nwallet_types:\n  - {code: points}\n" + said
    found = wrong(text)
    assert any(place in error for error in found), found
    assert not any("line 1," in error for error in found)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("currency: USD\n", ""), "This is required."),
        (("currency: USD", "currency: USD\ndebt_policy: forgive"), "One of: 'carry', "),
        (("currency: USD", "currency: USD\ntime_zone: Mars"), "No such time zone; write one"),
    ],
)
def test_what_is_wrong_is_said_in_words_with_what_to_write(change, words):
    found = [error.partition(": ")[2] for error in wrong(GOOD.replace(*change))]
    assert any(error.startswith(words) for error in found), found


@pytest.mark.parametrize(
    ("change", "place", "meant"),
    [
        (("name: Club", "nam: Club"), "line 3, nam", "name"),
        (("name: Club", "name: Club\nshoe_size: 42"), "line 4, shoe_size", ""),
        # A field of wallets, and none of the program.
        (("name: Club", "name: Club\nunit_value: 1"), "line 4, unit_value", ""),
        (("unit_value", "unit_valu"), "line 7, wallet_types[0].unit_valu", "unit_value"),
        (("length: 12", "lenght: 12"), "line 10, wallet_types[0].expiry.lenght", "length"),
        (("    units: 1.5", "    wallet: points"), "line 13, earning_rules[0].wallet", ""),
        (
            ("    units: 1.5", "    walet_type: x"),
            "line 13, earning_rules[0].walet_type",
            "wallet_type",
        ),
        (
            ("name: Club", "name: Club\nlaunch: {founding: {unit: 5}}"),
            "line 4, launch.founding.unit",
            "units",
        ),
    ],
)
def test_a_misspelled_field_is_told_as_the_same_part_calls_it(change, place, meant):
    words = "There is no such field."
    words += f" Did you mean “{meant}”?" if meant else ""
    assert f"{place}: {words}" in wrong(GOOD.replace(*change))


def test_of_very_many_misspelled_fields_the_first_are_looked_up():
    many = "".join(f"nam{number}: x\n" for number in range(5_000))
    found = wrong(many + GOOD)
    assert len(found) == 5_000
    assert sum("Did you mean" in error for error in found) == 10


def test_all_that_is_wrong_is_told_at_once():
    text = GOOD.replace("code: club", "code: C").replace("1.5", "0").replace("USD", "usd")
    assert [error.partition(",")[0] for error in wrong(text)] == ["line 2", "line 4", "line 13"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("code: club\ncode: klub\n", "line 2"),
        ("code: club\n\tname: Club\n", "line 2"),
        ("code: club\nname: [1, 2\n", "line 3"),
        ("code: club\nname: 'x\n", "line 3"),
        ("a: *nowhere\n", "line 1"),
        ("code: a\n---\ncode: b\n", "line 2"),
        ("", "line 1"),
        ("just words", "line 1"),
        ("- a\n- b\n", "line 1"),
        ("code: \x00\n", "line 1"),
        ("code: a\nname: \x07\n", "line 2"),
    ],
)
def test_what_is_no_yaml_mapping_is_refused_with_its_line(text, line):
    assert any(error.startswith(line) for error in wrong(text)), wrong(text)


def test_anchors_may_save_writing():
    text = GOOD.replace("[food, 'home & garden']", "&kinds [food]") + (
        "  - code: more\n    exclude: {categories: *kinds}\n"
    )
    assert load_program(text).earning_rules[1].exclude.categories == ("food",)


LEVELS = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 9))


@pytest.mark.parametrize(
    "text",
    [
        f"l0: &l0 [x]\n{LEVELS}\n",
        "a: &a [*a]\n",
        "a: &a {b: *a}\n",
        f"a: {'[' * 20_000}\n",
        f"a: {'[' * 400}{']' * 400}\n",
        f"a: {'- ' * 2_000}x\n",
        "# long\n" * 200_000,
    ],
    ids=[
        "doubling",
        "a list in itself",
        "a mapping in itself",
        "unclosed",
        "deep",
        "deep without brackets",
        "long",
    ],
)
def test_a_file_that_would_explode_is_refused(text):
    assert wrong(text)


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system ['true']", "!secret x"])
def test_tags_do_nothing(tag):
    assert any(
        "line 3, name" in error for error in wrong(GOOD.replace("name: Club", f"name: {tag}"))
    )
