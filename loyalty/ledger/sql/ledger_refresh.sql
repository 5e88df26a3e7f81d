-- Recomputes what wallets hold as of `at_time` from their open lots. Callers hold the wallet locks.
CREATE OR REPLACE FUNCTION ledger_refresh(wallet_ids bigint[], at_time timestamptz) RETURNS void
LANGUAGE plpgsql
-- Planning anew costs more than running; and a plan made while a table was small must not scan it
-- once it is large.
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
BEGIN
    UPDATE loyalty_wallet w
       SET balance = s.balance, pending = s.pending, next_change_at = s.next_change_at
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
