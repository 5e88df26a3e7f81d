-- Units leave a wallet. With `owns` what these transfers brought goes first, pending or not, and nothing
-- that had expired. For a clawback (`own`) the order's own units go first, with what had expired of
-- them; then others; what is still missing becomes a debt, is written off (`wo`), or is refused.
CREATE OR REPLACE FUNCTION ledger_out(e jsonb, t_id bigint, at_now timestamptz) RETURNS void
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    the_wallet bigint := (e->>'w')::bigint;
    units bigint := (e->>'n')::bigint;
    own bigint := (e->>'own')::bigint;
    debt boolean := coalesce((e->>'debt')::boolean, false);
    oldest boolean := coalesce((e->>'fifo')::boolean, false);
    at_time timestamptz := (e->>'at')::timestamptz;
    own_lots bigint[] := '{}';
    rest bigint := units;
    repaid bigint := 0;
    elsewhere bigint;
    lot bigint;
    w record;
BEGIN
    IF e->>'until' IS NOT NULL THEN
        PERFORM ledger_renew(the_wallet, at_time, (e->>'until')::timestamptz,
                             coalesce((e->>'act')::boolean, false), at_now);
        PERFORM ledger_unexpire_renewed(e, the_wallet, at_now);
        PERFORM ledger_refresh(ARRAY[the_wallet], at_now);
    END IF;
    SELECT * INTO w FROM loyalty_wallet WHERE id = the_wallet;
    IF coalesce(e->>'rev', e->>'cor') IS NOT NULL THEN
        -- What a gift had repaid may be owed again when the gift is undone.
        repaid := coalesce(
            (SELECT greatest(-debt_change, 0) FROM loyalty_transfer
              WHERE id = coalesce((e->>'rev')::bigint, (e->>'cor')::bigint)), 0);
    END IF;
    IF own IS NOT NULL AND NOT oldest THEN
        own_lots := ledger_own_lots(
            the_wallet,
            CASE WHEN debt AND e->>'o' IS NOT NULL THEN ARRAY(
                SELECT id FROM loyalty_transfer
                 WHERE order_id = (e->>'o')::bigint AND kind = 'accrual'
                   AND wallet_type_id = (e->>'wt')::bigint) ELSE ARRAY[own] END,
            at_now);
        FOREACH lot IN ARRAY own_lots LOOP
            EXIT WHEN rest = 0;
            PERFORM ledger_unexpire(
                lot, rest - (SELECT remaining FROM loyalty_lot WHERE id = lot), e->>'key', at_time,
                (e->>'day')::date, e->>'src', at_now);
            rest := rest - ledger_use(lot, t_id, rest, at_now);
        END LOOP;
    END IF;
    IF e->>'owns' IS NOT NULL THEN
        own_lots := ARRAY(
            SELECT l.id FROM unnest(ledger_own_lots(
                the_wallet, ARRAY(SELECT x::bigint FROM jsonb_array_elements_text(e->'owns') x), at_now
            )) WITH ORDINALITY AS o(id, place) JOIN loyalty_lot l ON l.id = o.id
             WHERE l.due_at > at_now ORDER BY o.place);
        FOREACH lot IN ARRAY own_lots LOOP
            EXIT WHEN rest = 0;
            rest := rest - ledger_use(lot, t_id, rest, at_now);
        END LOOP;
    END IF;
    IF rest > 0 AND NOT oldest AND coalesce(e->>'rev', e->>'cor') IS NOT NULL THEN
        elsewhere := ledger_lapsed_elsewhere(e, t_id, rest, at_now);
        units := units - elsewhere;
        rest := rest - elsewhere;
        IF units = 0 THEN
            RETURN;
        ELSIF elsewhere > 0 AND e->>'rev' IS NOT NULL THEN
            -- What is taken here is a part of it.
            e := e - 'rev' || jsonb_build_object('cor', e->'rev');
        END IF;
    END IF;
    IF NOT debt AND w.owed > 0 AND rest > repaid THEN
        -- Others' units are needed: only what is beyond the debt can be spent.
        SELECT balance INTO w.balance FROM loyalty_wallet WHERE id = the_wallet;
        IF w.debt_blocks AND coalesce(e->>'rev', e->>'cor') IS NULL
           OR w.balance - w.owed < rest - repaid THEN
            PERFORM ledger_refuse_spend(
                e, CASE WHEN w.debt_blocks THEN 0 ELSE greatest(w.balance - w.owed, 0) END);
        END IF;
    END IF;
    IF rest > 0 AND at_time < at_now THEN
        -- Told late: what had not expired then counts, though its expiry was written down since.
        rest := ledger_take_late(e, t_id, rest, own_lots, at_now);
    END IF;
    IF rest > 0 THEN
        rest := ledger_take(the_wallet, t_id, rest, own_lots, coalesce((e->>'pend')::boolean, false), oldest,
                            e->>'wo' IS NOT NULL, at_time, at_now);
    END IF;
    IF rest > repaid AND NOT debt THEN
        PERFORM ledger_refuse_spend(e, units - rest);
    END IF;
    PERFORM ledger_transfer(e, t_id, units, rest, false, at_now);
    IF rest > 0 AND debt AND e->>'wo' IS NOT NULL THEN
        PERFORM ledger_transfer(
            e - 'rev' - 'cor' || jsonb_build_object(
                'kind', 'write_off', 'p', (e->>'wo')::bigint, 'key', e->>'key' || ':written_off',
                'why', jsonb_build_object('code', 'beyond_balance') || (e->'why')),
            nextval('loyalty_transfer_id_seq'), rest, -rest, true, at_now);
    ELSIF rest > 0 THEN
        IF w.owed = 0 THEN
            PERFORM ledger_expire(
                ARRAY(SELECT id FROM loyalty_lot WHERE wallet_id = the_wallet AND due_at <= at_now),
                false, 'job', at_now);
        END IF;
        UPDATE loyalty_wallet
           SET owed = owed + rest, debt_blocks = coalesce((e->>'blk')::boolean, debt_blocks)
         WHERE id = the_wallet;
    END IF;
END;
$$;
