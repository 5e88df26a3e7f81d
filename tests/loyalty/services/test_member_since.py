"""Since when somebody is a member, asked by rules of a program and by segments alike."""

import datetime as dt

import pytest

from loyalty.models import Membership, Program
from loyalty.services.member_conditions import AskedOfMember, conditions_met
from members.conditions import values
from members.conditions.fields import MEMBER, field_named
from members.conditions.moments import Moment, ProgramMoment
from members.conditions.operators import operators_of
from members.conditions.predicate import Condition
from members.conditions.tree import ConditionError, parse
from members.models import Customer
from members.selectors.segments import customers_matching, read_condition
from tests.loyalty.factories import NOW, make_program, make_wallet

pytestmark = pytest.mark.django_db

FIELD = "member.enrolled_at"
OPERANDS = {
    "nothing": [None], "days": [0, 1, 30, 400], "one": ["2024-03-15", "2024-02-29"],
    "range": [["2024-02-01", "2024-03-15"]],
}  # fmt: skip
SINCE = [
    NOW - dt.timedelta(days=days, hours=hours)
    for days in (0, 1, 15, 30, 366) for hours in (0, 13)
]  # fmt: skip


def asked():
    for operator in operators_of(values.INSTANT):
        for operand in OPERANDS[operator.takes]:
            yield {"field": FIELD, "op": operator.code} | (
                {} if operand is None else {"value": operand}
            )


def matching(said, moment) -> set[int]:
    return set(customers_matching(read_condition(said), moment).values_list("pk", flat=True))


def test_the_database_answers_as_rules_do():
    program = make_program()
    unit = program.wallet_types.get()
    for number, since in enumerate(SINCE):
        make_wallet(program, f"c{number}", at=since)
    Customer.objects.create(external_id="nobody")
    moment = ProgramMoment(NOW, program.zone, program.pk)
    questions = [*asked(), *({"not": each} for each in asked())]
    trees = [Condition(parse(said, scopes={MEMBER})) for said in questions]
    conditions = [AskedOfMember(key, tree, unit) for key, tree in enumerate(trees, start=1)]
    found = {
        member.customer_id: conditions_met(conditions, member, NOW)
        for member in Membership.objects.all()
    }
    for key, said in enumerate(questions, start=1):
        by_rules = {pk for pk, met in found.items() if key in met}
        assert matching(said, moment) & set(found) == by_rules, said


def test_who_is_no_member_is_known_not_to_be_one():
    program = make_program()
    make_wallet(program, "c1", at=NOW)
    make_wallet(program, "gone", at=NOW)
    Membership.objects.filter(customer__external_id="gone").update(status="left")
    nobody = Customer.objects.create(external_id="nobody")
    gone = Customer.objects.get(external_id="gone")
    moment = Moment(NOW, program.zone)
    assert matching({"field": FIELD, "op": "empty"}, moment) == {nobody.pk, gone.pk}
    member = Customer.objects.get(external_id="c1")
    assert matching({"field": FIELD, "op": "not_empty"}, moment) == {member.pk}
    late = {"not": {"field": FIELD, "op": "before", "value": "2020-01-01"}}
    assert matching(late, moment) == {member.pk, nobody.pk, gone.pk}


def test_a_segment_asks_any_of_their_programs_and_an_audience_its_own():
    old, new = make_program("old"), make_program("new")
    make_wallet(old, "c1", at=NOW - dt.timedelta(days=100))
    make_wallet(new, "c1", at=NOW - dt.timedelta(days=1))
    lately = {"field": FIELD, "op": "in_last_days", "value": 7}
    customer = Customer.objects.get()
    assert matching(lately, Moment(NOW, old.zone)) == {customer.pk}

    def asks(program: Program) -> set[int]:
        return matching(lately, ProgramMoment(NOW, program.zone, program.pk))

    assert (asks(old), asks(new)) == (set(), {customer.pk})


@pytest.mark.parametrize("name", ["member.orders"])
def test_what_only_a_program_knows_no_segment_asks(name):
    assert field_named(name) is not None
    with pytest.raises(ConditionError):
        read_condition({"field": name, "op": "at_least", "value": 1})
