"""Partners of a program: their accounts, rates, and what is told at them."""

import pytest
from django.db import DatabaseError, transaction

from loyalty.models import (
    Activity,
    DailyTotal,
    Membership,
    Order,
    Partner,
    PartnerRate,
    Transfer,
)
from loyalty.partner_definitions import PartnerDefinition
from loyalty.selectors.partners import partner_definition, partner_of_key
from loyalty.selectors.programs import definition_of
from loyalty.services.activities import record_activities
from loyalty.services.partners import change_partner, create_partner, end_partner
from members.errors import ConflictError, DomainError, NotFoundError
from members.models import AuditEntry
from members.services.audit import SYSTEM, Actor
from tests.factories import StaffMemberFactory
from tests.loyalty.factories import (
    NOW,
    day,
    give_back,
    make_program,
    moves,
    order,
    record,
    refund,
    reward,
    spendable,
    told,
)
from tests.loyalty.partnering import (
    BAKERY,
    RATE,
    at,
    bakery,
    buy,
    close,
    coalition,
    key_of,
    spend,
    undo,
)


def sums(partner: Partner) -> dict[str, int]:
    """What came from its account and went there, by kind of movement."""
    found: dict[str, int] = {}
    for row in Transfer.objects.filter(from_account=partner.pk):
        found[row.kind] = found.get(row.kind, 0) + row.amount
    for row in Transfer.objects.filter(to_account=partner.pk):
        found[row.kind] = found.get(row.kind, 0) - row.amount
    return found


def test_what_is_earned_at_a_partner_comes_from_its_account(db):
    coalition()
    result = buy("B1", "40")
    record(order("A1", "10"))
    stored = Order.objects.get(pk=result.order_id)
    assert stored.partner == bakery()
    assert sums(bakery()) == {"accrual": 40}
    assert spendable() == 50
    explained = Transfer.objects.get(order=stored).explanation
    assert explained["partner"] == "Bread & Butter"


def test_a_refund_takes_back_to_the_same_partner(db):
    coalition()
    buy("B1", "40")
    give_back(refund("R1", "10", of="B1", at=day(1)))
    assert sums(bakery()) == {"accrual": 40, "clawback": -10}
    give_back(refund("R2", "30", of="B1", at=day(2)))
    assert sums(bakery()) == {"accrual": 40, "clawback": -40}
    assert spendable() == 0


def test_a_refund_that_takes_back_its_own_amount_takes_it_to_the_partner(db):
    club = coalition(linked_returns="own_amount")
    other = make_program("other", linked_returns="own_amount")
    record(order("A1", "300"))
    buy("B1", "400")
    give_back(refund("R1", "100", of="B1"))
    assert sums(bakery()) == {"accrual": 400, "clawback": -100}
    taken = Transfer.objects.filter(kind="clawback")
    assert [item.wallet_type.program_id for item in taken] == [club.pk]
    assert not taken.filter(wallet_type__program=other).exists()
    assert taken.get().explanation["partner"] == "Bread & Butter"


def test_an_order_that_changes_stays_with_its_partner_whoever_tells_it(db):
    coalition()
    buy("B1", "40")
    record(order("B1", "60"), now=day(1))
    assert sums(bakery()) == {"accrual": 60}
    assert Order.objects.get().partner == bakery()


def test_a_partner_tells_no_order_of_others(db):
    coalition(partners=[BAKERY, {"code": "cafe", "name": "Café", "since": "2024-03-01"}])
    record(order("A1", "10"))
    buy("B1", "10")
    for number in ("A1", "B1"):
        with pytest.raises(ConflictError):
            buy(number, "99", partner=bakery("cafe"))
    assert sums(bakery("cafe")) == {}


def test_an_order_at_a_partner_counts_in_its_program_only(db):
    coalition()
    make_program("other")
    record(order("A1", "10"))
    buy("B1", "40")
    assert spendable(program=bakery().account.program) == 50
    other = Membership.objects.get(program__code="other")
    assert Transfer.objects.filter(wallet__account=other.account_id).count() == 1
    give_back(refund("R1", "10", of="B1", at=day(1)))
    assert Transfer.objects.filter(wallet__account=other.account_id).count() == 1


def test_what_is_spent_at_a_partner_goes_to_its_account_and_comes_back_from_it(db):
    coalition()
    record(order("A1", "100"))
    spent = spend(30, "s1")
    assert sums(bakery()) == {"redemption": -30}
    assert spent.explanation["partner"] == "Bread & Butter"
    undo(spent, "u1", when=day(1))
    assert sums(bakery()) == {"redemption": -30, "reversal": 30}
    assert spendable() == 100


def test_units_that_pay_for_an_order_at_a_partner_are_taken_in_there(db):
    coalition(unit={"unit_value": "0.1"})
    record(order("A1", "100"))
    from decimal import Decimal

    from loyalty.services.tender_inputs import TenderInput

    pays = TenderInput("units", Decimal(5), wallet_type="points", units=Decimal(50))
    buy("B1", "20", when=day(1), tenders=(pays, TenderInput("money", Decimal(15))))
    assert sums(bakery()) == {"redemption": -50, "accrual": 15}
    give_back(refund("R1", "20", of="B1", at=day(2)))
    assert sums(bakery()) == {"redemption": -50, "reversal": 50, "accrual": 15, "clawback": -15}


def test_units_of_another_program_are_not_taken_in(db):
    coalition()
    make_program("other")
    record(order("A1", "100"))
    from loyalty.services.redemptions import redeem_units
    from members.services.audit import Actor
    from tests.loyalty.factories import wallet_of

    member = Membership.objects.get(program__code="other")
    with pytest.raises(DomainError):
        redeem_units(
            wallet=wallet_of(member.account_id), units=10, key="x", source="api", now=NOW,
            actor=Actor.of_api_key(key_of(bakery())),
        )  # fmt: skip


def test_what_is_done_at_a_partner_brings_units_of_the_partner(db):
    coalition(
        activity_types=[{"code": "review", "name": "Review"}],
        earning_rules=[{}, reward(units=50)],
    )
    record(order("A1", "1"))
    [done] = record_activities(
        [told(at=day(1))], now=day(1), transfer_source="api", partner=at(bakery())
    )
    assert Activity.objects.get().partner == bakery()
    assert sums(bakery()) == {"accrual": 50}
    from loyalty.services.activity_decisions import reverse_activity

    reverse_activity(activity=done.activity, actor=SYSTEM, note="", now=day(2), source="api")
    assert sums(bakery()) == {"accrual": 50, "clawback": -50}


def test_a_rule_asks_at_whose_it_was_bought(db):
    when = {"field": "order.partner", "op": "is", "value": "bakery"}
    bread = {"code": "bread", "name": "Bread", "units": 3, "when": when}
    coalition(earning_rules=[bread])
    record(order("A1", "10"))
    buy("B1", "10")
    assert moves() == [("accrual", 30)]
    give_back(refund("R1", "5", of="B1", at=day(1)))
    assert moves() == [("accrual", 30), ("clawback", -15)]


def test_the_totals_of_a_day_tell_what_moved_at_a_partner(db):
    coalition()
    buy("B1", "40")
    from loyalty.services.totals import rebuild_days

    unit = bakery().account.program.wallet_types.get()
    rebuild_days({unit.pk: [NOW.date()]})
    row = DailyTotal.objects.get(account=bakery().pk)
    assert (row.incoming, row.outgoing) == (40, 0)


def test_a_program_file_says_its_partners_and_their_rates(db):
    program = coalition()
    said = definition_of(program, NOW).partners
    assert said == (PartnerDefinition.model_validate(BAKERY),)
    coalition(partners=[{**BAKERY, "name": "Bread", "summary": "Fresh every day"}])
    assert partner_definition(bakery()).summary == "Fresh every day"
    assert PartnerRate.objects.count() == 1
    coalition(partners=[])
    assert not Partner.objects.exists()


def test_a_partner_that_is_in_the_books_stays(db):
    coalition()
    buy("B1", "40")
    with pytest.raises(ConflictError, match="End it instead"):
        coalition(partners=[])


def test_rates_of_settled_days_stay_and_later_ones_change(db):
    coalition()
    buy("B1", "40")
    close(day(30))
    cheaper = {**RATE, "issued": "0.02"}
    with pytest.raises(ConflictError, match="settled"):
        coalition(partners=[{**BAKERY, "rates": [cheaper]}])
    with pytest.raises(ConflictError, match="settled"):
        coalition(partners=[{**BAKERY, "rates": []}])
    with pytest.raises(ConflictError, match="settled"):
        coalition(partners=[{**BAKERY, "since": "2024-01-01"}])
    later = {**cheaper, "from_on": "2024-04-10"}
    coalition(partners=[{**BAKERY, "rates": [RATE, later]}])
    assert PartnerRate.objects.count() == 2


def test_the_database_keeps_rates_of_settled_days(db):
    coalition()
    buy("B1", "40")
    close(day(30))
    rates = PartnerRate.objects.all()
    for change in (lambda: rates.update(issued=9), rates.delete,
                   lambda: PartnerRate.objects.create(
                       partner=bakery(), wallet_type=rates[0].wallet_type,
                       from_on="2024-03-09", issued=1, taken_in=1)):  # fmt: skip
        with pytest.raises(DatabaseError, match="keeps its rates"), transaction.atomic():
            change()


def test_a_partner_is_added_changed_and_ended_by_staff(db):
    program = coalition(partners=[])
    said = PartnerDefinition.model_validate(BAKERY)
    made = create_partner(program=program, definition=said, actor=SYSTEM, now=NOW)
    with pytest.raises(ConflictError):
        create_partner(program=program, definition=said, actor=SYSTEM, now=NOW)
    other = said.model_copy(update={"name": "Bread"})
    change_partner(partner=made, definition=other, actor=SYSTEM, now=NOW)
    key, staff = key_of(bakery()), Actor.of_user(StaffMemberFactory().user)
    end_partner(partner=bakery(), actor=staff, now=day(1))
    key.refresh_from_db()
    assert key.state == "revoked"
    assert AuditEntry.objects.get(action="api_key.revoked").actor_label == staff.label
    assert bakery().status == "ended"
    # Also one that was made just as the partner was ended speaks for it no more.
    with pytest.raises(NotFoundError):
        partner_of_key(key)
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert {"partner.created", "partner.changed", "api_key.revoked"} <= actions


def test_units_without_a_rate_must_be_there(db):
    with pytest.raises(DomainError, match="no units"):
        coalition(partners=[{**BAKERY, "rates": [{**RATE, "wallet_type": "stars"}]}])
