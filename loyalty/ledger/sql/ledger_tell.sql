-- What follows outside this transaction (daily totals first of all) is told on which days something moved
-- in these wallets, from the transfer `first_id` on. Numbers are drawn in turn, so few others are read.
CREATE OR REPLACE FUNCTION ledger_tell(
    first_id bigint, wallet_ids bigint[], at_now timestamptz
) RETURNS void
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
BEGIN
    INSERT INTO members_outboxevent (kind, payload, created_at, available_at, attempts, last_error)
    SELECT 'ledger.posted', jsonb_build_object('days', jsonb_agg(jsonb_build_array(d.wt, d.day))),
           at_now, at_now, 0, ''
      FROM (SELECT DISTINCT t.wallet_type_id AS wt, t.booked_on AS day
              FROM loyalty_transfer t
             -- By number, never by what a wallet ever had.
             WHERE t.id >= first_id AND t.wallet_id + 0 IN (SELECT unnest(wallet_ids))) d
    HAVING count(*) > 0;
END;
$$;
