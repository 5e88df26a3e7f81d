-- One chunk of writing down what has expired by `at_now`: at most `most` lots, of those wallets whose lots
-- are due the longest. A wallet's lots go together, so that what they share is touched once: its row, its
-- account and its place in the history. Safe to run twice at once and to be killed anywhere. Returns how
-- many lots it closed, and how many it looked at; nothing looked at: nothing is due.
CREATE OR REPLACE FUNCTION ledger_expire_due(most integer, at_now timestamptz)
RETURNS TABLE (closed bigint, looked_at bigint)
LANGUAGE plpgsql
-- Planning anew costs more than running; and a plan made while a table was small must not scan it
-- once it is large.
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    idle bigint[];
    lots bigint[];
    wallets bigint[];
    closed bigint;
    first_id bigint := nextval('loyalty_transfer_id_seq');
BEGIN
    SELECT array_agg(id) INTO idle
      FROM (SELECT id FROM loyalty_wallet WHERE active_until <= at_now ORDER BY active_until LIMIT most) w;
    SELECT array_agg(id), array_agg(DISTINCT wallet_id) INTO lots, wallets
      FROM (SELECT l.id, w.wallet_id
              FROM (SELECT DISTINCT wallet_id
                      FROM (SELECT wallet_id FROM loyalty_lot WHERE due_at <= at_now
                             ORDER BY due_at LIMIT most) longest
                     ORDER BY wallet_id) w
             CROSS JOIN LATERAL (
                   SELECT id FROM loyalty_lot
                    WHERE wallet_id = w.wallet_id AND due_at <= at_now ORDER BY due_at, id) l
             LIMIT most) chosen;
    IF lots IS NULL AND idle IS NULL THEN
        RETURN QUERY SELECT 0::bigint, 0::bigint;
        RETURN;
    END IF;
    wallets := coalesce(wallets || idle, wallets, idle);
    PERFORM 1 FROM loyalty_wallet WHERE id = ANY (wallets) ORDER BY id FOR NO KEY UPDATE;
    closed := ledger_catch_up(wallets, at_now);
    IF idle IS NOT NULL THEN
        -- Now that their lots say when they expired.
        lots := lots || ARRAY(
            SELECT id FROM loyalty_lot
             WHERE wallet_id = ANY (idle) AND due_at <= at_now AND id <> ALL (coalesce(lots, '{}')));
    END IF;
    closed := closed + ledger_expire(lots, true, 'job', at_now);
    PERFORM ledger_tell(first_id, wallets, at_now);
    RETURN QUERY SELECT closed, greatest(cardinality(lots), 1)::bigint;
END;
$$;
