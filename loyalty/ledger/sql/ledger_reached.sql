-- The further wallets that a batch of movements may write to, beside those that it names as `w`.
CREATE OR REPLACE FUNCTION ledger_reached(entries jsonb) RETURNS bigint[]
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
BEGIN
    RETURN ARRAY(
        SELECT x.w2 FROM jsonb_to_recordset(entries) AS x(w2 bigint) WHERE x.w2 IS NOT NULL
         UNION
        -- What is taken back may have expired in a merged wallet: see `ledger_lapsed_elsewhere`. None of
        -- the others that the units went to is locked: it would be after those of `orders_open`.
        SELECT l.wallet_id
          FROM jsonb_to_recordset(entries) AS x(dir text, cor bigint, rev bigint)
          CROSS JOIN LATERAL (
                SELECT o.wallet_id FROM loyalty_lot o WHERE o.transfer_id = coalesce(x.cor, x.rev)
                 UNION ALL
                SELECT c.wallet_id FROM loyalty_lot c
                  JOIN loyalty_transfer t ON t.id = c.transfer_id AND t.kind = 'merge'
                 WHERE c.origin_id = coalesce(x.cor, x.rev) AND c.parent_id IS NOT NULL) l
         WHERE x.dir = 'out' AND coalesce(x.cor, x.rev) IS NOT NULL
         UNION
        -- What comes back to a merged wallet goes on: see `ledger_pass_on`.
        SELECT m.merged_into_id
          FROM jsonb_to_recordset(entries) AS x(dir text, w bigint)
          JOIN loyalty_wallet m ON m.id = x.w AND m.merged_into_id IS NOT NULL
         WHERE x.dir IN ('back', 'unexpire'));
END;
$$;
