"""The demonstration many times over: its customers with few orders, each again and again with all
that is theirs (memberships, wallets, orders, movements, lots, messages, offers, …), and now and
then one of those with hundreds of orders."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed

from django.db import connection

from loyalty.services.tallies import recount_tallies
from tests.bench.figures import say

# What belongs to a customer, each after what it belongs to.
THEIRS = (
    "members_customerfacts", "members_customernote", "members_customertask",
    "members_segmentmember", "loyalty_membership", "loyalty_account", "loyalty_wallet",
    "loyalty_candidate", "loyalty_capcounter", "loyalty_tiercheckpoint", "loyalty_absence",
    "loyalty_riskscore", "loyalty_riskcase", "loyalty_manualtier", "loyalty_standinggift",
    "loyalty_order", "loyalty_orderline", "loyalty_orderevaluation", "loyalty_orderdiscount",
    "loyalty_orderrate", "loyalty_orderconversion", "loyalty_tender", "loyalty_refund",
    "loyalty_refundline", "loyalty_transfer", "loyalty_lot", "loyalty_lotuse",
    "loyalty_lotchange", "loyalty_unittender", "loyalty_discountentry", "loyalty_membertier",
    "loyalty_tierchange", "loyalty_activity", "loyalty_activityaward", "loyalty_occasiongrant",
    "loyalty_charityentry", "loyalty_pledgeevent", "loyalty_subscription", "loyalty_plancharge",
    "loyalty_plancredit", "loyalty_adjustmentrequest",
    "rewards_voucher", "rewards_redemption", "rewards_fulfillmenttask", "rewards_fulfillmentstep",
    "rewards_checkout", "rewards_checkoutunits", "rewards_checkoutreward",
    "rewards_checkoutvoucher", "rewards_voucheruse", "rewards_rewardgoal",
    "campaigns_message", "campaigns_delivery", "campaigns_deliveryclick",
    "campaigns_contactaddress", "campaigns_contactpreference", "campaigns_consent",
    "campaigns_consentchange", "campaigns_broadcastrecipient",
    "campaigns_campaignmember", "campaigns_experimentmember", "campaigns_personaloffer",
    "campaigns_surpriseticket", "campaigns_challengeentry", "campaigns_challengewin",
    "campaigns_boardscore", "campaigns_surveyresponse", "campaigns_surveyanswer",
    "campaigns_passage", "campaigns_passagestep", "campaigns_journeydue",
    "campaigns_referrallink", "campaigns_referral", "campaigns_gameplay", "campaigns_gamedraw",
    "campaigns_promocodeuse", "campaigns_postreading", "campaigns_postcomment",
)  # fmt: skip
# What names customers in words only: some of it for so many customers.
OTHERS = ("members_auditentry", "members_outboxevent", "members_joblogline")
# Keys of one copy are so far from those of the next.
APART = 1_000_000
FEW_ORDERS, MANY_ORDERS = 4, 200
# Those with many orders are copied so many times more rarely, and what names customers in words.
RARER, OTHERS_PER = 50, 100
# So many tables are filled at once. The first copies of each are written to its indexes one by one:
# where all of them find room, so do all others, whose indexes are made when all are there.
AT_ONCE, TRIED = 2, 2
SETTINGS = (
    "session_replication_role = replica", "synchronous_commit = off", "jit = off",
    "maintenance_work_mem = '512MB'", "max_parallel_maintenance_workers = 0",
)  # fmt: skip
# Each copy is a little older than the last, within ten days.
_OLDER = "{} - k * 7919 % 864000 * interval '1 second'"
_OF_ITS_OWN = {
    ("members_customer", "phone"): "'+999' || lpad((t.id % 1000 + k * 1000)::text, 11, '0')",
    ("members_customer", "email"): "CASE WHEN {0} = '' THEN '' ELSE k || '.' || {0} END",
    # Codes have letters and digits only.
    ("rewards_voucher", "code"): "{} || k",
    ("campaigns_surpriseticket", "place"): "{} + k * 10000",
    ("members_customer", "family_name"): "{} || ' ' || chr(65 + k % 26) || chr(97 + k / 26 % 26)",
}


def multiply(customers: int) -> None:
    """Make so many customers of those that are there."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS kept")
        cursor.execute(
            "CREATE UNLOGGED TABLE kept (of text, id bigint, copies int, PRIMARY KEY (of, id))"
        )
    copies = _choose_customers(customers)
    for table in THEIRS:
        _choose(table)
    with connection.cursor() as cursor:
        for table in OTHERS:
            cursor.execute(
                f"INSERT INTO kept SELECT '{table}', id, %s FROM {table}", [copies // OTHERS_PER]
            )
        cursor.execute("ANALYZE kept")
        cursor.execute("SELECT of FROM kept GROUP BY of ORDER BY sum(copies) DESC")
        tables = [row[0] for row in cursor.fetchall()]
    # Nothing looks at what refers to what meanwhile, so each table is filled by itself.
    with ThreadPoolExecutor(AT_ONCE) as pool:
        filled = [pool.submit(_fill, table, copies) for table in tables]
        for number, each in enumerate(as_completed(filled), 1):
            say(f"filled {number} of {len(tables)} tables: {each.result()}")
    recount_tallies()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE kept")
        cursor.execute("VACUUM ANALYZE")


def _choose_customers(customers: int) -> int:
    """How often those with few orders are copied to come to so many customers."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO kept
               SELECT 'members_customer', c.id, (count(o.id) >= %s)::int FROM members_customer c
                 LEFT JOIN loyalty_order o ON o.customer_id = c.id
                WHERE c.merged_into_id IS NULL AND c.user_id IS NULL
                  AND EXISTS (SELECT FROM loyalty_membership m WHERE m.customer_id = c.id)
                GROUP BY c.id HAVING count(o.id) <= %s OR count(o.id) >= %s""",
            [MANY_ORDERS, FEW_ORDERS, MANY_ORDERS],
        )
        cursor.execute("SELECT count(*) FILTER (WHERE copies = 0), sum(copies) FROM kept")
        few, many = cursor.fetchone()
        # Each with many orders once where each with few is copied so often.
        copies = max(RARER, round(customers / float(few + many / RARER)))
        cursor.execute(
            "UPDATE kept SET copies = CASE copies WHEN 0 THEN %s ELSE %s END",
            [copies, copies // RARER],
        )
        say(
            f"filling {few * copies:,} customers with up to {FEW_ORDERS} orders and"
            f" {many * (copies // RARER):,} with {MANY_ORDERS} and more"
        )
    return copies


def _choose(table: str) -> None:
    """Its rows that belong to what was chosen before, each as often as that."""
    earlier = ("members_customer", *THEIRS[: THEIRS.index(table)])
    key, source = _key(table), table
    owners = [(column, other) for column, other in _references(table) if other in earlier]
    if table == "loyalty_account":
        key, source, owners = "account_id", "loyalty_membership", [("id", "loyalty_membership")]
    found = " UNION ALL ".join(
        f"SELECT t.{key} AS id, kept.copies FROM {source} t"
        f" JOIN kept ON kept.of = '{other}' AND kept.id = t.{column}"
        for column, other in owners
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO kept SELECT '{table}', id, min(copies) FROM ({found}) f"
            " WHERE id IS NOT NULL GROUP BY id"
        )


def _fill(table: str, copies: int) -> str:
    """Its copies, then its indexes, each made at once, and what the planner knows of it."""
    begun = time.perf_counter()
    try:
        with connection.cursor() as cursor:
            for setting in SETTINGS:
                cursor.execute(f"SET {setting}")
            made = _copy(table, 1, TRIED)
            apart = made == _expected(table)
            if apart:
                # Nothing is written to indexes that are not ready, and nothing looked for there.
                cursor.execute(
                    "UPDATE pg_index SET indisready = false, indisvalid = false"
                    " WHERE indrelid = %s::regclass",
                    [table],
                )
            made += _copy(table, TRIED + 1, copies)
            if apart:
                cursor.execute(f"REINDEX TABLE {table}")
            _advance(table, copies)
            cursor.execute(f"VACUUM ANALYZE {table}")
    finally:
        connection.close()
    return f"{table}, {made:,} rows more in {time.perf_counter() - begun:,.0f} s"


def _expected(table: str) -> int:
    """How many rows the first copies are, unless some are like others where none may be."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT coalesce(sum(least(copies, {TRIED})), 0) FROM kept WHERE of = %s", [table]
        )
        return int(cursor.fetchone()[0])


def _copy(table: str, first: int, last: int) -> int:
    """How many rows were made."""
    names, key = list(_values(table)), _key(table)
    owners = " ".join(
        f"LEFT JOIN kept {_owner(column)}"
        f" ON {_owner(column)}.of = '{other}' AND {_owner(column)}.id = t.{column}"
        for column, other in dict(_references(table)).items()
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(name for name, _value in names)})"
            f" SELECT {', '.join(value for _name, value in names)} FROM {table} t"
            f" JOIN kept ON kept.of = '{table}' AND kept.id = t.{key} {owners}"
            f" CROSS JOIN LATERAL generate_series({first}, least(kept.copies, {last})) k"
            " ON CONFLICT DO NOTHING"
        )
        return int(cursor.rowcount)


def _advance(table: str, copies: int) -> None:
    """What is added later comes after all copies."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [table, _key(table)])
        (sequence,) = cursor.fetchone()
        if sequence:
            cursor.execute("SELECT setval(%s, %s)", [sequence, APART * (copies + 1)])


def _owner(column: str) -> str:
    return f"of_{column}"


def _values(table: str) -> Iterator[tuple[str, str]]:
    """Each column and what a copy has in it."""
    references, unique, key = dict(_references(table)), _unique_words(table), _key(table)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name, data_type FROM information_schema.columns"
            " WHERE table_name = %s AND is_generated = 'NEVER' ORDER BY ordinal_position",
            [table],
        )
        columns = cursor.fetchall()
    for name, kind in columns:
        value = f't."{name}"'
        if (table, name) in _OF_ITS_OWN:
            value = _OF_ITS_OWN[table, name].format(value)
        elif name in references:
            # What is not copied itself is shared by all copies.
            further = f"k <= {_owner(name)}.copies"
            value = f"{value} + CASE WHEN {further} THEN k * {APART}::bigint ELSE 0 END"
        elif name == key:
            value = f"{value} + k * {APART}::bigint"
        elif kind == "uuid":
            value = f"CASE WHEN {value} IS NOT NULL THEN gen_random_uuid() END"
        elif kind == "timestamp with time zone":
            value = _OLDER.format(value)
        elif name in unique:
            value = f"CASE WHEN {value} = '' THEN '' ELSE {value} || '-' || k END"
        yield f'"{name}"', value


def _references(table: str) -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT a.attname, f.confrelid::regclass::text FROM pg_constraint f
                 JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = f.conkey[1]
                WHERE f.contype = 'f' AND f.conrelid = %s::regclass""",
            [table],
        )
        return [(row[0], row[1]) for row in cursor.fetchall()]


def _unique_words(table: str) -> set[str]:
    """Words of which there may be no two, beside nothing else that differs between copies."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT (array_agg(a.attname ORDER BY a.attnum DESC))[1] FROM pg_index i
                 JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
                WHERE i.indrelid = %s::regclass AND i.indisunique AND i.indnkeyatts <= 3
                GROUP BY i.indexrelid
               HAVING bool_and(a.atttypid IN ('varchar'::regtype, 'text'::regtype))""",
            [table],
        )
        return {row[0] for row in cursor.fetchall()}


def _key(table: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT a.attname FROM pg_index i
                 JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
                WHERE i.indrelid = %s::regclass AND i.indisprimary""",
            [table],
        )
        return str(cursor.fetchone()[0])
