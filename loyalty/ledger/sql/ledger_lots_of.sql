-- The lots that a movement names (see `ledger_move`): those of a transfer, or a list of them.
CREATE OR REPLACE FUNCTION ledger_lots_of(e jsonb) RETURNS TABLE (id bigint)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    own bigint := (e->>'own')::bigint;
BEGIN
    IF own IS NULL AND e->>'okey' IS NOT NULL THEN
        SELECT t.id INTO own FROM loyalty_transfer t WHERE t.key = e->>'okey';
    END IF;
    IF own IS NOT NULL THEN
        RETURN QUERY SELECT l.id FROM loyalty_lot l WHERE l.transfer_id = own;
    ELSE
        RETURN QUERY SELECT x::bigint FROM jsonb_array_elements_text(e->'lots') x;
    END IF;
END;
$$;
