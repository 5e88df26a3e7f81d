-- Recomputes what wallets hold as of `at_time` from their open lots. Callers hold the wallet locks.
CREATE OR REPLACE FUNCTION ledger_refresh(wallet_ids bigint[], at_time timestamptz) RETURNS void
LANGUAGE plpgsql
-- Planning anew costs more than running; and a plan made while a table was small must not scan it
-- once it is large.
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    idle bigint[];
BEGIN
    SELECT array_agg(id) INTO idle FROM loyalty_wallet
     WHERE id = ANY (wallet_ids) AND active_until <= at_time;
    IF idle IS NOT NULL THEN
        PERFORM ledger_end_idle(idle, at_time);
        UPDATE loyalty_wallet SET active_until = NULL WHERE id = ANY (idle);
    END IF;
    UPDATE loyalty_wallet w
       SET balance = s.balance, pending = s.pending,
           next_change_at = least(s.next_change_at, w.active_until)
      FROM (
        SELECT ids.id,
               coalesce(sum(l.remaining) FILTER (
                   WHERE l.spendable_at <= at_time AND l.due_at > at_time), 0) AS balance,
               coalesce(sum(l.remaining) FILTER (
                   WHERE l.spendable_at > at_time AND l.due_at > at_time), 0) AS pending,
               coalesce(min(CASE WHEN l.spendable_at > at_time
                                 THEN least(l.spendable_at, l.due_at) ELSE l.due_at END)
                            FILTER (WHERE l.due_at > at_time),
                        '9999-12-31 00:00:00+00') AS next_change_at
          FROM unnest(wallet_ids) AS ids(id)
          LEFT JOIN loyalty_lot l ON l.wallet_id = ids.id AND l.due_at IS NOT NULL
         GROUP BY ids.id
      ) s
     WHERE w.id = s.id;
END;
$$;
