"""Hands with SQL cannot break the books: the database itself refuses."""

import pytest
from django.db import DatabaseError, connection, transaction

from loyalty.ledger.checks import CHECKS, verify_ledger
from loyalty.ledger.functions import NAMES, source
from loyalty.models import Lot, LotUse, Transfer, Wallet
from members.models import AuditEntry
from tests.loyalty.conftest import assert_ledger_coherent
from tests.loyalty.factories import (
    NOW,
    adjust,
    give_back,
    make_program,
    make_wallet,
    order,
    record,
    refund,
)
from tests.sharing import anew, shared

COLUMNS = (
    "kind, wallet_type_id, from_account_id, to_account_id, wallet_id, amount, occurred_at, "
    "recorded_at, booked_on, key, request_hash, source, explanation, reason, note, "
    "reverses_id, corrects_id"
)


def copied(source: str, **changes: str) -> str:
    """A transfer like another with some values changed."""
    values = {name: name for name in COLUMNS.replace(" ", "").split(",")}
    values |= {"key": "'forged'", "reverses_id": "NULL", "corrects_id": "NULL"} | changes
    return (
        f"INSERT INTO loyalty_transfer ({COLUMNS}) SELECT {', '.join(values.values())} "
        f"FROM loyalty_transfer WHERE {source}"
    )


@transaction.atomic
def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


ACCRUAL = "kind = 'accrual'"
TAKEN = "key = 'take'"
BACK = {"from_account_id": "to_account_id", "to_account_id": "from_account_id"}

FORBIDDEN = {
    "a transfer is changed": f"UPDATE loyalty_transfer SET amount = 1 WHERE {ACCRUAL}",
    "a transfer's note is changed": f"UPDATE loyalty_transfer SET note = 'x' WHERE {ACCRUAL}",
    "a transfer vanishes": f"DELETE FROM loyalty_transfer WHERE {TAKEN}",
    "a use is changed": "UPDATE loyalty_lotuse SET amount = 1",
    "a use vanishes": "DELETE FROM loyalty_lotuse",
    "a use of nothing": "INSERT INTO loyalty_lotuse (lot_id, transfer_id, amount)"
    " SELECT l.id, l.transfer_id, 0 FROM loyalty_lot l",
    "a lot used twice by one transfer": "INSERT INTO loyalty_lotuse (lot_id, transfer_id, amount)"
    " SELECT lot_id, transfer_id, 1 FROM loyalty_lotuse",
    "a lot holds more than it was granted": "UPDATE loyalty_lot SET remaining = granted + 1",
    "a lot holds less than nothing": "UPDATE loyalty_lot SET remaining = -1",
    "a lot is granted more": "UPDATE loyalty_lot SET granted = granted + 5",
    "a lot moves to another wallet": "UPDATE loyalty_lot SET wallet_id = wallet_id + 1",
    "a lot gets another policy": "UPDATE loyalty_lot SET policy_id = policy_id + 1",
    "a lot is open with nothing in it": "UPDATE loyalty_lot SET remaining = 0",
    "a lot is closed with something in it": "UPDATE loyalty_lot SET due_at = NULL",
    "a lot vanishes": "DELETE FROM loyalty_lot",
    "a wallet vanishes": "DELETE FROM loyalty_wallet",
    "a wallet below zero": "UPDATE loyalty_wallet SET balance = -1",
    "pending below zero": "UPDATE loyalty_wallet SET pending = -1",
    "a debt below zero": "UPDATE loyalty_wallet SET owed = -1",
    "from an account to itself": copied(ACCRUAL, to_account_id="from_account_id"),
    "a transfer of nothing": copied(ACCRUAL, amount="0"),
    "a transfer of less than nothing": copied(ACCRUAL, amount="-5"),
    "a key used twice": copied(ACCRUAL, key="key"),
    "an undoing of a part": copied(TAKEN, **BACK, kind="'reversal'", amount="1", reverses_id="id"),
    "an undoing of more": copied(TAKEN, **BACK, kind="'reversal'", amount="99", reverses_id="id"),
    "a correction of more": copied(ACCRUAL, **BACK, kind="'clawback'", amount="101",
                                   corrects_id="id"),
    # 40 of 100 were taken back by a refund already.
    "corrections that add up to more": copied(ACCRUAL, **BACK, kind="'clawback'", amount="61",
                                              corrects_id="id"),
    "both an undoing and a correction": copied(TAKEN, **BACK, kind="'reversal'",
                                               reverses_id="id", corrects_id="id"),
    "an undoing in another wallet": copied(TAKEN, **BACK, kind="'reversal'", reverses_id="id",
                                           wallet_id="(SELECT max(id) FROM loyalty_wallet)"),
    "an audit entry is changed": "UPDATE members_auditentry SET reason = 'x'",
    "an audit entry vanishes": "DELETE FROM members_auditentry",
    "a published rule is reworded": "UPDATE loyalty_earningruleversion SET body = '{}'",
    "a published rule vanishes": "DELETE FROM loyalty_earningruleversion",
    "an expiry policy is changed": "UPDATE loyalty_lotpolicy SET kind = 'months', length = 1",
    "one customer twice in a program": "INSERT INTO loyalty_membership (public_id, program_id,"
    " customer_id, account_id, status, source, card_number, enrolled_at, created_at)"
    " SELECT gen_random_uuid(), program_id, customer_id, account_id, status, source, '1', now(),"
    " now() FROM loyalty_membership",
    "a second wallet of one kind": "INSERT INTO loyalty_wallet (account_id, wallet_type_id)"
    " SELECT account_id, wallet_type_id FROM loyalty_wallet",
}  # fmt: skip


def make_books() -> Wallet:
    program = make_program()
    wallet = make_wallet(program)
    make_wallet(program, "c2")
    record(order(total="100"))
    adjust(wallet, -10, "take")
    give_back(refund(total="40", of="A1"))
    return wallet


made_once = shared(make_books)


@pytest.fixture
def books(made_once: Wallet, db: None) -> Wallet:
    """An order of 100 of which 40 came back, and 10 units taken by hand."""
    return anew(made_once)


@pytest.mark.parametrize("statement", FORBIDDEN.values(), ids=FORBIDDEN.keys())
def test_the_database_refuses_that(books, statement):
    assert (Transfer.objects.count(), Lot.objects.count(), LotUse.objects.count()) == (3, 1, 2)
    assert AuditEntry.objects.exists()
    with pytest.raises(DatabaseError):
        execute(statement)


def test_a_second_undoing_is_refused_by_the_database_too(books):
    undoing = copied(TAKEN, **BACK, kind="'reversal'", reverses_id="id")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(undoing)
        with pytest.raises(DatabaseError), transaction.atomic():
            cursor.execute(undoing.replace("forged", "forged again"))
        transaction.set_rollback(True)


@pytest.mark.parametrize("name", NAMES)
def test_the_functions_in_the_database_are_those_of_the_files(db, name):
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = %s", [name])
        found = [row[0] for row in cursor.fetchall()]
        cursor.execute("SELECT proconfig FROM pg_proc WHERE proname = %s", [name])
        config = cursor.fetchone()[0] or []
    assert len(found) == 1
    assert f"$${found[0]}$$" in source(name)
    assert len(config) == source(name).partition("$$")[0].count("SET ")


# What each check is there for: derived figures bent with the triggers off.
BENT = {
    "a lot holds what it was granted less its uses":
        "UPDATE loyalty_lot SET remaining = remaining - 1",
    "lots are granted what their transfer brought":
        "UPDATE loyalty_lot SET granted = granted + 1",
    "a child lot has what its parent gave, from the same origin":
        "UPDATE loyalty_lot SET parent_id = id",
    "what left one wallet for another arrived there":
        "UPDATE loyalty_transfer SET to_account_id ="
        " (SELECT id FROM loyalty_account WHERE kind = 'transit' LIMIT 1)"
        " WHERE kind = 'adjustment'",
    "a lot is due when it expires":
        "UPDATE loyalty_lot SET due_at = due_at - interval '1 day'",
    "a lot's changes end at what it says now":
        "INSERT INTO loyalty_lotchange (lot_id, reason, occurred_at, recorded_at, booked_on,"
        " spendable_before, spendable_after, expires_after, note)"
        " SELECT id, 'extended', now(), now(), now(), spendable_at, spendable_at, now(), ''"
        " FROM loyalty_lot",
    "renewable units have an end in sight":
        "UPDATE loyalty_lot SET renewable = true",
    "a transfer changes lots and debt by its amount":
        "UPDATE loyalty_transfer SET amount = amount + 1 WHERE kind = 'adjustment'",
    "a transfer has its wallet's account on one side":
        "UPDATE loyalty_transfer SET wallet_id = (SELECT max(id) FROM loyalty_wallet)",
    "stored value is paid in, and never earned or owed by its holder":
        "UPDATE loyalty_wallettype"
        " SET stored_value = true, unit_value = 1, gifts_to_charities = false",
    "only stored value is paid in, and held by bearers":
        "UPDATE loyalty_account SET kind = 'bearer' WHERE kind = 'membership'",
    "a wallet owes what its transfers left owing":
        "UPDATE loyalty_wallet SET owed = 3",
    "a wallet's lots less its debt are what came in less what went out":
        "UPDATE loyalty_wallet SET owed = 3",
    "a wallet's stored balance is what its lots give until it changes next":
        "UPDATE loyalty_wallet SET balance = balance + 1",
    "a wallet knows when it changes next":
        "UPDATE loyalty_lot SET due_at = '2100-01-01'",
    "a wallet that was merged into another holds nothing and owes nothing":
        "UPDATE loyalty_wallet SET merged_into_id = id",
    "what charities were given in units is what their accounts hold": """
        WITH c AS (
            INSERT INTO loyalty_charity (public_id, account_id, status, position, summary, texts,
                                         website, icon, thing_singular, thing_plural)
            SELECT gen_random_uuid(), min(id), 'live', 0, '', '{}', '', 'heart', '', ''
              FROM loyalty_account RETURNING id)
        INSERT INTO loyalty_charityentry (charity_id, kind, membership_id, wallet_type_id, units,
                                          money, things, transfer_id, key, occurred_at, booked_on,
                                          recorded_at)
        SELECT c.id, 'donation', 1, (SELECT min(id) FROM loyalty_wallettype), 5, 0, 0,
               (SELECT min(id) FROM loyalty_transfer), 'bent', now(), now()::date, now() FROM c""",
    "a pledge has given what was counted for it": """
        INSERT INTO loyalty_pledge (public_id, charity_id, code, name, status, event, "when", unit,
                                    amount, given, to_count, starts_at)
        VALUES (gen_random_uuid(), 1, 'bent', 'Bent', 'live', 'order', '{}', 'money', 1, 5, false,
                now())""",
    "a payout to a charity holds what its lines come to": """
        INSERT INTO loyalty_charitypayout (public_id, charity_id, number, until, status, money,
                                           things, entries_count, reference, note, made_at)
        VALUES (gen_random_uuid(), 1, 1, now()::date, 'open', 5, 0, 1, '', '', now())""",
    "what came back returned to the partner that it was earned or spent at": """
        WITH p AS (
            INSERT INTO loyalty_account (kind, program_id, code, name)
            SELECT 'partner', min(id), 'bent', 'Bent' FROM loyalty_program RETURNING id)
        UPDATE loyalty_transfer t SET from_account_id = p.id FROM p
         WHERE t.id IN (SELECT corrects_id FROM loyalty_transfer WHERE kind = 'clawback')""",
    "at a partner only units of its own program move": """
        WITH p AS (
            INSERT INTO loyalty_account (kind, program_id, code, name)
            VALUES ('partner', 0, 'bent', 'Bent') RETURNING id)
        UPDATE loyalty_transfer t SET from_account_id = p.id FROM p WHERE t.kind = 'accrual'""",
    "a settlement with a partner holds the movements that it counts": """
        INSERT INTO loyalty_partnersettlement (
            public_id, partner_id, number, since, until, currency, issued, taken_in, net, lines,
            movements, closed_at, status, reference)
        VALUES (gen_random_uuid(), 1, 1, now()::date, now()::date, 'USD', 0, 0, 0, '[]', 1, now(),
                'open', '')""",
    "closed books are what they were when they were closed":
        "INSERT INTO loyalty_closedperiod (program_id, until, closed_at, unit_values, booked,"
        " reopen_reason) SELECT id, '2024-03-31', now(), '{}', '{}', '' FROM loyalty_program",
    "what discount rules took off orders is booked, less what came back":
        "INSERT INTO loyalty_orderdiscount (order_id, rule_version_id, amount)"
        " SELECT (SELECT min(id) FROM loyalty_order), min(id), 5"
        " FROM loyalty_earningruleversion",
    "what units paid beyond their worth is booked, less what came back":
        "INSERT INTO loyalty_discountentry (program_id, kind, subject, turn, amount, occurred_at,"
        " booked_on, recorded_at)"
        " SELECT id, 'worth', 'spend:0', 0, 1, now(), now(), now() FROM loyalty_program LIMIT 1",
    "what discounts cost in closed books is what it was when they were closed":
        "INSERT INTO loyalty_closedperiod (program_id, until, closed_at, unit_values, booked,"
        " reopen_reason) SELECT id, '2024-03-31', now(), '{}',"
        """ '{"discounts": {"money": "5", "lines": 1}}', '' FROM loyalty_program""",
    "of a budget of money off prices so much is used as carts hold and orders have":
        "INSERT INTO loyalty_discountbudget (program_id, source, amount, used)"
        " SELECT id, 'campaign:0', 9, 1 FROM loyalty_program LIMIT 1",
    "what an order asks of a budget is what is off its prices, less what came back":
        "WITH b AS (INSERT INTO loyalty_discountbudget (program_id, source, amount)"
        " SELECT id, 'campaign:0', 9 FROM loyalty_program LIMIT 1 RETURNING id)"
        " INSERT INTO loyalty_discountbudgetuse"
        " (budget_id, holder, promised, asked, amount, changed_at)"
        " SELECT b.id, 'order:' || o.source || '/' || o.external_id, 0, 1, 0, now()"
        "   FROM b, (SELECT * FROM loyalty_order LIMIT 1) o",
    "a program has as many members as are counted":
        "INSERT INTO loyalty_membertally (program_id, status, joined_on, members)"
        " SELECT id, 'active', '2026-01-01', 1 FROM loyalty_program LIMIT 1",
    "a charity was given what is added up of it":
        "WITH a AS (INSERT INTO loyalty_account (program_id, kind, code, name)"
        " SELECT id, 'charity', 'bent', 'Bent' FROM loyalty_program LIMIT 1 RETURNING id)"
        " INSERT INTO loyalty_charitytally"
        " (charity_id, kind, booked_on, units, money, things)"
        " SELECT id, 'donation', '2026-01-01', 0, 1, 0 FROM a",
    "what is not settled with a partner is what is added up of it":
        "WITH a AS (INSERT INTO loyalty_account (program_id, kind, code, name)"
        " SELECT id, 'partner', 'bent', 'Bent' FROM loyalty_program LIMIT 1 RETURNING id)"
        " INSERT INTO loyalty_partnertally"
        " (partner_id, wallet_type_id, side, booked_on, rated_on, units, movements)"
        " SELECT a.id, w.id, 'issued', '2026-01-01', '2026-01-01', 1, 1"
        "   FROM a, loyalty_wallettype w LIMIT 1",
    "an opening balance comes from what was adjusted, or goes there":
        "UPDATE loyalty_transfer SET key = 'opening:1' WHERE kind = 'accrual'",
    "no more is taken of what was earned than there was of it":
        "INSERT INTO loyalty_ordertaking (key, accrual_id, units) SELECT m.key, a.id, 100"
        " FROM (SELECT key FROM loyalty_transfer WHERE kind = 'adjustment' LIMIT 1) m,"
        " (SELECT id FROM loyalty_transfer WHERE kind = 'accrual' LIMIT 1) a",
    "corrections never exceed what they correct":
        "UPDATE loyalty_transfer SET amount = 101 WHERE kind = 'clawback'",
}  # fmt: skip


@pytest.mark.parametrize("check", CHECKS)
def test_every_check_finds_what_it_is_there_for(books, check):
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(BENT[check])
        assert check in {drift.check for drift in verify_ledger(NOW)}
        with pytest.raises(AssertionError):
            assert_ledger_coherent(NOW)
        transaction.set_rollback(True)
