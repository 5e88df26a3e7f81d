"""Who can be given to, and what a program file says of them."""

import pytest
from django.db import transaction
from django.utils import translation

from loyalty.errors import GiftRefusedError
from loyalty.giving_definitions import CharityDefinition
from loyalty.models import Account, Charity
from loyalty.selectors.charities import charity_definition
from loyalty.selectors.programs import definition_of
from loyalty.services.charities import change_charity, create_charity
from loyalty.services.programs import apply_definition
from members.errors import ConflictError
from members.services.audit import SYSTEM
from tests.loyalty.factories import NOW
from tests.loyalty.services.giving import EACH_ORDER, SEAS, TREES, club, donate, member, seas, trees


def test_a_program_file_says_charities_and_pledges_and_reads_them_back(db):
    texts = {"el": {"name": "Δέντρα", "summary": "Στην πόλη"}}
    program = club(EACH_ORDER, charities=[TREES | {"texts": texts, "icon": "tree"}, SEAS])
    definition = definition_of(program, NOW)
    assert [item.code for item in definition.charities] == ["trees", "seas"]
    assert definition.charities[0].rates[0].things == 1
    assert definition.pledges[0].things == 1
    assert apply_definition(definition, actor=SYSTEM, now=NOW).changes == []
    with translation.override("el"):
        assert (trees().told_name, trees().told_summary) == ("Δέντρα", "Στην πόλη")
    assert trees().told_name == "City Trees"


def test_a_charity_is_archived_and_nothing_can_be_given_to_it(db):
    club()
    ann = member()
    definition = charity_definition(trees()).model_copy(update={"status": "archived"})
    change_charity(charity=trees(), definition=definition, actor=SYSTEM)
    with pytest.raises(GiftRefusedError, match="any more"), transaction.atomic():
        donate(ann, 10)
    assert donate(ann, 10, to=seas()).amount == 10


def test_a_charity_that_was_given_something_stays_in_the_file(db):
    program = club()
    donate(member(), 10)
    definition = definition_of(program, NOW)
    kept = definition.model_copy(update={"charities": definition.charities[1:]})
    with pytest.raises(ConflictError, match="Archive it"):
        apply_definition(kept, actor=SYSTEM, now=NOW)
    less = definition.model_copy(update={"charities": definition.charities[:1]})
    apply_definition(less, actor=SYSTEM, now=NOW)
    assert Account.objects.filter(kind="charity").count() == Charity.objects.count() == 1


def test_a_short_name_is_there_once(db):
    program = club()
    made = create_charity(
        program=program, actor=SYSTEM,
        definition=CharityDefinition(code="paws", name="Four Paws"),
    )  # fmt: skip
    assert (made.account.code, made.position) == ("paws", 2)
    with pytest.raises(ConflictError):
        create_charity(
            program=program, actor=SYSTEM, definition=CharityDefinition(code="paws", name="X")
        )


@pytest.mark.parametrize(
    "wrong",
    [
        {"thing_singular": "tree"},
        {"thing_price": "5"},
        {"rates": [{"units": "1"}]},
        {"rates": [{"units": "1", "money": "1", "things": "1"}]},
        {"rates": [{"units": "1", "money": "1"}, {"units": "2", "money": "1"}]},
        {"website": "javascript:alert(1)"},
    ],
)
def test_a_charity_that_contradicts_itself_is_refused(wrong):
    with pytest.raises(ValueError, match="validation error"):
        CharityDefinition.model_validate(SEAS | wrong)
