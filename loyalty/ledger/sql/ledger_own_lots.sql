-- The lots in a wallet that go back to these transfers: those that they granted, and their children
-- that came here by a merge. Pending ones first, since nobody counts on them yet; expired and used up
-- ones last.
CREATE OR REPLACE FUNCTION ledger_own_lots(
    the_wallet bigint, transfers bigint[], at_now timestamptz
) RETURNS bigint[]
LANGUAGE sql STABLE
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
    SELECT coalesce(array_agg(id ORDER BY due_at IS NULL OR due_at <= at_now, spendable_at <= at_now, id DESC), '{}')
      FROM (
        SELECT id, spendable_at, due_at FROM loyalty_lot
         WHERE transfer_id = ANY (transfers) AND parent_id IS NULL AND wallet_id = the_wallet
        UNION ALL
        SELECT id, spendable_at, due_at FROM loyalty_lot
         WHERE origin_id = ANY (transfers) AND parent_id IS NOT NULL AND wallet_id = the_wallet
      ) own;
$$;
