-- What is taken back of what was given (`cor`, or `rev` as a whole) is first offset against those of its
-- units that expired in another wallet, whose holder was merged into this one's or parted from it since:
-- nobody pays twice for what had expired. Returns how much of `wanted` that is. If nothing is left of the
-- movement, the last of it is `t_id`.
CREATE OR REPLACE FUNCTION ledger_lapsed_elsewhere(
    e jsonb, t_id bigint, wanted bigint, at_now timestamptz
) RETURNS bigint
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    given bigint := coalesce((e->>'cor')::bigint, (e->>'rev')::bigint);
    missing bigint := wanted;
    part bigint;
    open bigint;
    the_id bigint;
    whole boolean;
    lot record;
BEGIN
    FOR lot IN
        SELECT l.id, l.wallet_id, w.account_id
          FROM loyalty_lot l JOIN loyalty_wallet w ON w.id = l.wallet_id
         WHERE l.transfer_id = given AND l.parent_id IS NULL AND l.wallet_id <> (e->>'w')::bigint
        UNION ALL
        SELECT l.id, l.wallet_id, w.account_id
          FROM loyalty_lot l JOIN loyalty_wallet w ON w.id = l.wallet_id
          JOIN loyalty_transfer t ON t.id = l.transfer_id AND t.kind = 'merge'
         WHERE l.origin_id = given AND l.parent_id IS NOT NULL AND l.wallet_id <> (e->>'w')::bigint
         ORDER BY 1
    LOOP
        EXIT WHEN missing = 0;
        -- What can still be spent there stays.
        open := (SELECT CASE WHEN due_at > at_now THEN remaining ELSE 0 END
                   FROM loyalty_lot WHERE id = lot.id);
        PERFORM ledger_unexpire(
            lot.id, missing + open - (SELECT remaining FROM loyalty_lot WHERE id = lot.id), e->>'key',
            (e->>'at')::timestamptz, (e->>'day')::date, e->>'src', at_now);
        part := least(missing, (SELECT remaining - open FROM loyalty_lot WHERE id = lot.id));
        CONTINUE WHEN part = 0;
        whole := wanted = (e->>'n')::bigint AND part = missing;
        the_id := CASE WHEN whole THEN t_id ELSE nextval('loyalty_transfer_id_seq') END;
        PERFORM ledger_use(lot.id, the_id, part, at_now);
        PERFORM ledger_transfer(
            e - 'rev' || jsonb_build_object(
                'cor', given, 'w', lot.wallet_id, 'a', lot.account_id,
                'key', e->>'key' || CASE WHEN whole THEN '' ELSE ':expired_lot:' || lot.id END),
            the_id, part, 0, false, at_now);
        missing := missing - part;
    END LOOP;
    RETURN wanted - missing;
END;
$$;
