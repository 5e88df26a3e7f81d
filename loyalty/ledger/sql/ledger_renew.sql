-- Inactivity: something happened in a wallet at `at_time`, which keeps its renewable units until
-- `keeps_until`. If the units had expired by then, that is written on their lots first; if they would
-- have expired later, as far as was known, they have not. Without `is_activity` only a first end is set.
CREATE OR REPLACE FUNCTION ledger_renew(
    the_wallet bigint, at_time timestamptz, keeps_until timestamptz, is_activity boolean,
    at_now timestamptz
) RETURNS void
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    ends timestamptz;
    lots bigint[];
BEGIN
    SELECT active_until INTO ends FROM loyalty_wallet WHERE id = the_wallet;
    IF ends <= at_time THEN
        PERFORM ledger_end_idle(ARRAY[the_wallet], at_now);
        ends := NULL;
    END IF;
    IF is_activity THEN
        SELECT array_agg(id) INTO lots FROM loyalty_lot
         WHERE wallet_id = the_wallet AND due_at IS NOT NULL AND renewable AND expires_at > at_time
           AND earned_at <= at_time;
        IF lots IS NOT NULL THEN
            PERFORM ledger_renew_lots(lots, at_time, at_now);
        END IF;
    END IF;
    IF is_activity OR ends IS NULL THEN
        UPDATE loyalty_wallet SET active_until = greatest(ends, keeps_until) WHERE id = the_wallet;
    END IF;
END;
$$;
