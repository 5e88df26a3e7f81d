-- What a wallet owes (`w`) is owed by another from now on (`w2`): two transfers over the transit account,
-- and no lots. The leg out is the new debtor's, the leg in the former one's.
CREATE OR REPLACE FUNCTION ledger_owe(e jsonb, t_id bigint, at_now timestamptz) RETURNS void
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    debtor bigint := (e->>'w2')::bigint;
    units bigint := (e->>'n')::bigint;
BEGIN
    PERFORM ledger_transfer(
        e || jsonb_build_object('w', debtor, 'a', (e->>'a2')::bigint), t_id, units, units, false, at_now);
    PERFORM ledger_transfer(
        e || jsonb_build_object('key', e->>'key' || ':in', 'pair', t_id),
        nextval('loyalty_transfer_id_seq'), units, -units, true, at_now);
    IF (SELECT owed = 0 FROM loyalty_wallet WHERE id = debtor) THEN
        PERFORM ledger_expire(
            ARRAY(SELECT id FROM loyalty_lot WHERE wallet_id = debtor AND due_at <= at_now),
            false, 'job', at_now);
    END IF;
    UPDATE loyalty_wallet SET owed = owed - units WHERE id = (e->>'w')::bigint;
    UPDATE loyalty_wallet
       SET owed = owed + units, debt_blocks = coalesce((e->>'blk')::boolean, debt_blocks)
     WHERE id = debtor;
END;
$$;
