-- A debt is repaid from the balance: out over the transit account and back, so that the lots say what
-- they were used for. The debt is smaller by as much; nothing else is.
CREATE OR REPLACE FUNCTION ledger_repay(e jsonb, t_id bigint, at_now timestamptz) RETURNS void
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    units bigint := (e->>'n')::bigint;
    rest bigint;
BEGIN
    rest := ledger_take((e->>'w')::bigint, t_id, units, '{}', false, false, false,
                        (e->>'at')::timestamptz, at_now);
    IF rest > 0 THEN
        PERFORM ledger_refuse_spend(e, units - rest);
    END IF;
    PERFORM ledger_transfer(e, t_id, units, 0, false, at_now);
    PERFORM ledger_settle(
        e || jsonb_build_object('key', e->>'key' || ':in', 'pair', t_id),
        nextval('loyalty_transfer_id_seq'), at_now);
END;
$$;
