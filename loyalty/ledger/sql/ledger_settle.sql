-- A debt becomes smaller without units coming in: it was written off, or went elsewhere.
CREATE OR REPLACE FUNCTION ledger_settle(e jsonb, t_id bigint, at_now timestamptz) RETURNS void
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
BEGIN
    PERFORM ledger_transfer(e, t_id, (e->>'n')::bigint, -(e->>'n')::bigint, true, at_now);
    UPDATE loyalty_wallet SET owed = owed - (e->>'n')::bigint WHERE id = (e->>'w')::bigint;
END;
$$;
