-- Units go from one wallet to another: two transfers over the transit account, and for each lot that was
-- used a child lot, which keeps origin, maturity and expiry. Matured ones repay a debt of the wallet that
-- they come to, unless that stays as it is (`keep`: holdings are joined or parted), in which case units
-- that an activity renews keep the later end of both wallets. Each leg undoes a leg of what is undone:
-- `rev` or `cor` this one, `rev2` or `cor2` the other.
--
-- By default what can be spent goes, first-expiring first. With `own` or `okey` only the lots of that
-- transfer, by its number or its key; with `lots` only these. With `most` as many of them as there are,
-- and no more than the wallet holds beyond what it owes; nothing is written where that is nothing.
CREATE OR REPLACE FUNCTION ledger_move(e jsonb, t_id bigint, at_now timestamptz) RETURNS void
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    giver bigint := (e->>'w')::bigint;
    taker bigint := (e->>'w2')::bigint;
    units bigint := (e->>'n')::bigint;
    at_time timestamptz := (e->>'at')::timestamptz;
    keep boolean := coalesce((e->>'keep')::boolean, false);
    pending boolean := coalesce((e->>'pend')::boolean, false);
    picked boolean := e->>'own' IS NOT NULL OR e->>'okey' IS NOT NULL OR e->>'lots' IS NOT NULL;
    chosen bigint[];
    chosen_lot bigint;
    held bigint;
    rest bigint;
    in_id bigint := nextval('loyalty_transfer_id_seq');
    repaid bigint := 0;
    part bigint;
    lot record;
    w record;
BEGIN
    IF e->>'until' IS NOT NULL THEN
        PERFORM ledger_renew(giver, at_time, (e->>'until')::timestamptz,
                             coalesce((e->>'act')::boolean, false), at_now);
        PERFORM ledger_unexpire_renewed(e, giver, at_now);
        PERFORM ledger_renew(taker, at_time, (e->>'until')::timestamptz,
                             coalesce((e->>'act2')::boolean, false), at_now);
        PERFORM ledger_unexpire_renewed(e || jsonb_build_object('act', e->'act2'), taker, at_now);
        PERFORM ledger_refresh(ARRAY[giver], at_now);
    END IF;
    SELECT * INTO w FROM loyalty_wallet WHERE id = giver;
    IF picked THEN
        SELECT array_agg(l.id ORDER BY l.due_at, l.id), coalesce(sum(l.remaining), 0) INTO chosen, held
          FROM ledger_lots_of(e) x JOIN loyalty_lot l ON l.id = x.id
         WHERE l.wallet_id = giver AND l.due_at > at_now;
        IF e->>'most' IS NOT NULL THEN
            units := least(units, held, w.balance + w.pending - w.owed);
            IF units <= 0 THEN
                RETURN;
            END IF;
        END IF;
        rest := units;
        FOREACH chosen_lot IN ARRAY coalesce(chosen, '{}') LOOP
            EXIT WHEN rest = 0;
            rest := rest - ledger_use(chosen_lot, t_id, rest, at_now);
        END LOOP;
    ELSE
        IF w.owed > 0 AND NOT pending AND (w.debt_blocks OR w.balance - w.owed < units) THEN
            PERFORM ledger_refuse_spend(
                e, CASE WHEN w.debt_blocks THEN 0 ELSE greatest(w.balance - w.owed, 0) END);
        END IF;
        rest := ledger_take(giver, t_id, units, '{}', pending, false, false, at_time, at_now);
    END IF;
    IF rest > 0 THEN
        PERFORM ledger_refuse_spend(e, units - rest);
    END IF;
    PERFORM ledger_transfer(e, t_id, units, 0, false, at_now);

    -- The other leg: pending lots and those that would not have expired keep their times.
    INSERT INTO loyalty_lot (wallet_id, transfer_id, parent_id, origin_id, earned_at, granted, remaining,
                             spendable_at, expires_at, planned_expires_at, renewable, due_at, policy_id)
    SELECT taker, in_id, l.id, l.origin_id, l.earned_at, u.amount, u.amount, l.spendable_at, l.expires_at,
           l.planned_expires_at, l.renewable, coalesce(l.expires_at, '9999-12-31 00:00:00+00'), l.policy_id
      FROM loyalty_lotuse u JOIN loyalty_lot l ON l.id = u.lot_id WHERE u.transfer_id = t_id;
    IF keep AND EXISTS (SELECT 1 FROM loyalty_lot WHERE transfer_id = in_id AND parent_id IS NOT NULL
                           AND renewable AND expires_at IS NULL) THEN
        UPDATE loyalty_wallet SET active_until = greatest(active_until, w.active_until) WHERE id = taker;
    END IF;
    PERFORM ledger_refresh(ARRAY[taker], at_now);
    SELECT * INTO w FROM loyalty_wallet WHERE id = taker;
    IF w.owed > 0 AND NOT w.debt_blocks AND NOT keep THEN
        FOR lot IN SELECT id FROM loyalty_lot
                    WHERE transfer_id = in_id AND parent_id IS NOT NULL AND spendable_at <= at_now
                      AND due_at > at_now ORDER BY due_at, id
        LOOP
            EXIT WHEN repaid = w.owed;
            part := ledger_use(lot.id, in_id, w.owed - repaid, at_now);
            repaid := repaid + part;
        END LOOP;
        UPDATE loyalty_wallet SET owed = owed - repaid WHERE id = taker;
    END IF;
    PERFORM ledger_transfer(
        e || jsonb_build_object(
            'w', taker, 'a', (e->>'a2')::bigint, 'key', e->>'key' || ':in', 'pair', t_id,
            'rev', e->'rev2', 'cor', e->'cor2'),
        in_id, units, -repaid, true, at_now);
END;
$$;
