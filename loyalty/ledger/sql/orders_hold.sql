-- Keeps the buyers of new orders and refunds from being merged until this transaction ends. If one was
-- since we looked, we look again: the caller's transaction begins anew.
CREATE OR REPLACE FUNCTION orders_hold(people bigint[]) RETURNS void
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
BEGIN
    IF (SELECT count(c.merged_into_id)
          FROM (SELECT merged_into_id FROM members_customer WHERE id = ANY (people)
                 ORDER BY id FOR KEY SHARE) c) > 0 THEN
        RAISE EXCEPTION 'a customer was merged meanwhile' USING ERRCODE = 'serialization_failure';
    END IF;
END;
$$;
