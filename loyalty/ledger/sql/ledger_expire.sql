-- Writes down what has expired of these lots by `at_now`; what has not, or was written down already, is
-- left alone. If it `settles`: units that expire while their wallet owes something settle the debt
-- first: as long as they could have been spent, spending was refused for its sake. So no lot that
-- expired before a debt came about may be open beside it; who makes a debt writes those down before.
-- Callers hold the wallet locks, and tell what moved (`ledger_tell`). Returns how many lots were closed.
CREATE OR REPLACE FUNCTION ledger_expire(
    lot_ids bigint[], settles boolean, the_source text, at_now timestamptz
)
RETURNS bigint
LANGUAGE plpgsql
-- Planning anew costs more than running; and a plan made while a table was small must not scan it
-- once it is large.
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    lot record;
    t_id bigint;
    part bigint;
    closed bigint := 0;
    written bigint;
BEGIN
    PERFORM ledger_hold_books();
    FOR lot IN
        SELECT l.id, l.remaining, l.due_at, l.wallet_id, w.account_id, w.wallet_type_id, x.id AS transit,
               greatest((l.due_at AT TIME ZONE p.time_zone)::date, o.open_from) AS day
          FROM loyalty_lot l
          JOIN loyalty_wallet w ON w.id = l.wallet_id AND w.owed > 0
          JOIN loyalty_wallettype t ON t.id = w.wallet_type_id
          JOIN loyalty_program p ON p.id = t.program_id
          JOIN loyalty_account x ON x.program_id = p.id AND x.kind = 'transit'
          LEFT JOIN ledger_open_days() o ON o.program_id = p.id
         WHERE settles AND l.id = ANY (lot_ids) AND l.due_at <= at_now AND l.spendable_at < l.due_at
         ORDER BY l.due_at, l.id
    LOOP
        SELECT least(owed, lot.remaining) INTO part FROM loyalty_wallet WHERE id = lot.wallet_id;
        CONTINUE WHEN part = 0;
        t_id := nextval('loyalty_transfer_id_seq');
        INSERT INTO loyalty_transfer (
            id, kind, wallet_type_id, from_account_id, to_account_id, wallet_id, amount, debt_change,
            occurred_at, recorded_at, booked_on, key, request_hash, source, pair_id, explanation, reason,
            note)
        OVERRIDING SYSTEM VALUE
        VALUES (t_id, 'settlement', lot.wallet_type_id, lot.account_id, lot.transit, lot.wallet_id, part, 0,
                lot.due_at, at_now, lot.day, 'settled:' || t_id, '', the_source, NULL,
                '{"code": "expiring"}', '', ''),
               (nextval('loyalty_transfer_id_seq'), 'settlement',
                lot.wallet_type_id, lot.transit, lot.account_id, lot.wallet_id, part, -part, lot.due_at,
                at_now, lot.day, 'settled:' || t_id || ':in', '', the_source, t_id,
                '{"code": "expiring"}', '', '');
        PERFORM ledger_use(lot.id, t_id, part, at_now);
        UPDATE loyalty_wallet SET owed = owed - part WHERE id = lot.wallet_id;
        IF part = lot.remaining THEN
            closed := closed + 1;
        END IF;
    END LOOP;

    WITH types AS MATERIALIZED (
        SELECT t.id AS wallet_type_id, x.id AS expired, p.time_zone, o.open_from
          FROM loyalty_wallettype t
          JOIN loyalty_program p ON p.id = t.program_id
          JOIN loyalty_account x ON x.program_id = p.id AND x.kind = 'expired'
          LEFT JOIN ledger_open_days() o ON o.program_id = p.id
    ), gone AS MATERIALIZED (
        SELECT l.id, l.wallet_id, l.remaining, l.due_at, w.account_id, w.wallet_type_id, t.expired,
               greatest((l.due_at AT TIME ZONE t.time_zone)::date, t.open_from) AS day,
               nextval('loyalty_transfer_id_seq') AS new_id
          FROM loyalty_lot l
          JOIN loyalty_wallet w ON w.id = l.wallet_id
          JOIN types t ON t.wallet_type_id = w.wallet_type_id
         WHERE l.id = ANY (lot_ids) AND l.due_at <= at_now
         -- A wallet's transfers lie together in the history's index.
         ORDER BY l.wallet_id, l.due_at, l.id
    ), moved AS (
        INSERT INTO loyalty_transfer (
            id, kind, wallet_type_id, from_account_id, to_account_id, wallet_id, amount, occurred_at,
            recorded_at, booked_on, key, request_hash, source, explanation, reason, note)
        OVERRIDING SYSTEM VALUE
        SELECT new_id, 'expiry', wallet_type_id, account_id, expired, wallet_id, remaining, due_at, at_now,
               day, 'expiry:' || id || ':' || new_id, '', the_source, '{}', '', ''
          FROM gone
    ), used AS (
        INSERT INTO loyalty_lotuse (lot_id, transfer_id, amount) SELECT id, new_id, remaining FROM gone
    )
    UPDATE loyalty_lot l SET remaining = 0, due_at = NULL FROM gone WHERE l.id = gone.id;
    GET DIAGNOSTICS written = ROW_COUNT;
    RETURN closed + written;
END;
$$;
