-- Posts a batch of movements, all or nothing, and says for each key which transfer it became.
--
-- `entries` is an array of objects; `loyalty/ledger/posting.py` builds them and documents the fields.
-- Order of work: lock the wallets in id order, then look up the keys (the other way round deadlocks),
-- bring stale wallets up to `at_now`, post what comes in, then what goes out. So a batch is judged by
-- its net effect, and the debt that a clawback may leave is settled once.
--
-- Errors: SL001 not enough units, SL002 key used for another movement, SL003 over-corrected,
--         SL005 cannot be reversed.
CREATE OR REPLACE FUNCTION ledger_post(entries jsonb, at_now timestamptz)
RETURNS TABLE (key text, transfer_id bigint, replayed boolean)
LANGUAGE plpgsql
-- Planning anew costs more than running; and a plan made while a table was small must not scan it
-- once it is large.
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    ids bigint[];
    indebted bigint[];
    stale bigint[];
    posted jsonb;
    e record;
    w record;
    t_id bigint;
    rest bigint;
    repaid bigint;
BEGIN
    SELECT array_agg(DISTINCT x.w ORDER BY x.w) INTO ids
      FROM jsonb_to_recordset(entries) AS x(w bigint);
    IF ids IS NULL THEN
        RETURN;
    END IF;
    PERFORM 1 FROM loyalty_wallet WHERE id = ANY (ids) ORDER BY id FOR NO KEY UPDATE;

    SELECT x.key INTO e FROM jsonb_to_recordset(entries) AS x(key text, hash text)
      JOIN loyalty_transfer t ON t.key = x.key AND t.request_hash <> decode(x.hash, 'hex')
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the key % was used for another movement', e.key
            USING ERRCODE = 'SL002', DETAIL = e.key;
    END IF;
    SELECT jsonb_object_agg(t.key, t.id) INTO posted
      FROM jsonb_to_recordset(entries) AS x(key text) JOIN loyalty_transfer t ON t.key = x.key;
    posted := coalesce(posted, '{}');
    RETURN QUERY SELECT p.key, p.value::bigint, true FROM jsonb_each_text(posted) p;

    SELECT array_agg(id) FILTER (WHERE next_change_at <= at_now),
           coalesce(array_agg(id) FILTER (WHERE owed > 0), '{}')
      INTO stale, indebted FROM loyalty_wallet WHERE id = ANY (ids);
    IF stale IS NOT NULL THEN
        PERFORM ledger_refresh(stale, at_now);
    END IF;

    -- Incoming lots on wallets without debt: one statement for all of them. The transfers' numbers are
    -- drawn beforehand: joining what was inserted with what was sent would take their product.
    RETURN QUERY
    WITH incoming AS MATERIALIZED (
        SELECT x.*, nextval(pg_get_serial_sequence('loyalty_transfer', 'id')) AS t_id
          FROM jsonb_to_recordset(entries) AS x(
            key text, hash text, dir text, kind text, w bigint, wt bigint, p bigint, a bigint, n bigint,
            at timestamptz, day date, src text, o bigint, rf bigint, rv bigint, why jsonb,
            actor bigint, reason text, note text, sp timestamptz, ex timestamptz, pol bigint)
         WHERE x.dir = 'in' AND NOT x.w = ANY (indebted) AND NOT posted ? x.key
    ), inserted AS (
        INSERT INTO loyalty_transfer (
            id, kind, wallet_type_id, from_account_id, to_account_id, wallet_id, amount, occurred_at,
            recorded_at, booked_on, key, request_hash, source, order_id, refund_id, rule_version_id,
            explanation, actor_id, reason, note)
        OVERRIDING SYSTEM VALUE
        SELECT i.t_id, i.kind, i.wt, i.p, i.a, i.w, i.n, i.at, at_now, i.day, i.key, decode(i.hash, 'hex'), i.src,
               i.o, i.rf, i.rv, i.why, i.actor, coalesce(i.reason, ''), coalesce(i.note, '')
          FROM incoming i
    ), granted AS (
        INSERT INTO loyalty_lot (wallet_id, transfer_id, granted, remaining, spendable_at, expires_at,
                                 due_at, expiry_policy_id)
        SELECT i.w, i.t_id, i.n, i.n, i.sp, i.ex, coalesce(i.ex, '9999-12-31 00:00:00+00'), i.pol
          FROM incoming i
    ), held AS (
        UPDATE loyalty_wallet AS wallet
           SET balance = wallet.balance + s.balance, pending = wallet.pending + s.pending,
               next_change_at = least(wallet.next_change_at, s.next_change_at)
          FROM (
            SELECT i.w,
                   coalesce(sum(i.n) FILTER (WHERE i.sp <= at_now), 0) AS balance,
                   coalesce(sum(i.n) FILTER (WHERE i.sp > at_now), 0) AS pending,
                   min(CASE WHEN i.sp > at_now THEN least(i.sp, i.ex) ELSE i.ex END) AS next_change_at
              FROM incoming i WHERE i.ex IS NULL OR i.ex > at_now
             GROUP BY i.w
          ) s
         WHERE wallet.id = s.w
    )
    SELECT i.key, i.t_id, false FROM incoming i;

    -- The rest, one by one: incoming on indebted wallets, what is put back, then what goes out.
    FOR e IN
        SELECT * FROM (
          SELECT *, row_number() OVER () AS ord FROM jsonb_to_recordset(entries) AS r(
            key text, hash text, dir text, kind text, w bigint, wt bigint, p bigint, a bigint, n bigint,
            at timestamptz, day date, src text, o bigint, rf bigint, rv bigint, rev bigint, cor bigint,
            why jsonb, actor bigint, reason text, note text, sp timestamptz, ex timestamptz, pol bigint,
            own bigint, debt boolean, pend boolean)) x
         WHERE NOT posted ? x.key AND (x.dir <> 'in' OR x.w = ANY (indebted))
         ORDER BY CASE x.dir WHEN 'in' THEN 0 WHEN 'back' THEN 1 ELSE 2 END, x.ord
    LOOP
        SELECT * INTO w FROM loyalty_wallet WHERE id = e.w;
        rest := 0;
        t_id := nextval(pg_get_serial_sequence('loyalty_transfer', 'id'));

        IF e.dir = 'in' THEN
            -- Matured units repay the debt first; pending ones do so as they mature, since what
            -- can be spent is balance minus owed.
            repaid := CASE WHEN e.sp <= at_now AND (e.ex IS NULL OR e.ex > at_now)
                           THEN least(w.owed, e.n) ELSE 0 END;
            INSERT INTO loyalty_transfer (
                id, kind, wallet_type_id, from_account_id, to_account_id, wallet_id, amount, debt_change,
                occurred_at, recorded_at, booked_on, key, request_hash, source, order_id, refund_id,
                rule_version_id, explanation, actor_id, reason, note)
            VALUES (t_id, e.kind, e.wt, e.p, e.a, e.w, e.n, -repaid, e.at, at_now, e.day, e.key,
                    decode(e.hash, 'hex'), e.src, e.o, e.rf, e.rv, e.why, e.actor,
                    coalesce(e.reason, ''), coalesce(e.note, ''));
            INSERT INTO loyalty_lot (wallet_id, transfer_id, granted, remaining, spendable_at, expires_at,
                                     due_at, expiry_policy_id)
            VALUES (e.w, t_id, e.n, e.n - repaid, e.sp, e.ex,
                    CASE WHEN e.n > repaid THEN coalesce(e.ex, '9999-12-31 00:00:00+00') END, e.pol);
            IF repaid > 0 THEN
                INSERT INTO loyalty_lotuse (lot_id, transfer_id, amount)
                SELECT id, t_id, repaid FROM loyalty_lot WHERE transfer_id = t_id;
            END IF;
            UPDATE loyalty_wallet SET owed = owed - repaid WHERE id = e.w;
            PERFORM ledger_refresh(ARRAY[e.w], at_now);

        ELSIF e.dir = 'back' THEN
            -- A spend is undone: the same lots get their units back.
            IF EXISTS (SELECT 1 FROM loyalty_transfer WHERE id = e.rev AND debt_change <> 0) THEN
                RAISE EXCEPTION 'transfer % left a debt and cannot be reversed', e.rev
                    USING ERRCODE = 'SL005', DETAIL = e.key;
            END IF;
            INSERT INTO loyalty_transfer (
                id, kind, wallet_type_id, from_account_id, to_account_id, wallet_id, amount,
                occurred_at, recorded_at, booked_on, key, request_hash, source, order_id, reverses_id,
                explanation, actor_id, reason, note)
            VALUES (t_id, e.kind, e.wt, e.p, e.a, e.w, e.n, e.at, at_now, e.day, e.key,
                    decode(e.hash, 'hex'), e.src, e.o, e.rev, e.why, e.actor,
                    coalesce(e.reason, ''), coalesce(e.note, ''));
            UPDATE loyalty_lot l
               SET remaining = l.remaining + u.amount,
                   due_at = coalesce(l.expires_at, '9999-12-31 00:00:00+00')
              FROM loyalty_lotuse u WHERE u.transfer_id = e.rev AND u.lot_id = l.id;
            INSERT INTO loyalty_lotuse (lot_id, transfer_id, amount)
            SELECT lot_id, t_id, -amount FROM loyalty_lotuse WHERE transfer_id = e.rev;
            PERFORM ledger_refresh(ARRAY[e.w], at_now);

        ELSE
            -- What a gift had repaid may be owed again when the gift is undone.
            repaid := coalesce(
                (SELECT greatest(-debt_change, 0) FROM loyalty_transfer WHERE id = e.rev), 0);
            IF NOT e.debt AND w.owed > 0 AND w.balance - w.owed < e.n - repaid THEN
                RAISE EXCEPTION 'only % of % units can be spent', greatest(w.balance - w.owed, 0), e.n
                    USING ERRCODE = 'SL001', DETAIL = greatest(w.balance - w.owed, 0)::text;
            END IF;
            -- Uses before their transfer: what could not be taken belongs on the transfer as its debt.
            rest := ledger_take(e.w, t_id, e.n, e.own, coalesce(e.pend, false), e.at, at_now);
            IF rest > repaid AND NOT e.debt THEN
                RAISE EXCEPTION 'only % of % units can be spent', e.n - rest, e.n
                    USING ERRCODE = 'SL001', DETAIL = (e.n - rest)::text;
            END IF;
            INSERT INTO loyalty_transfer (
                id, kind, wallet_type_id, from_account_id, to_account_id, wallet_id, amount, debt_change,
                occurred_at, recorded_at, booked_on, key, request_hash, source, order_id, refund_id,
                rule_version_id, reverses_id, corrects_id, explanation, actor_id, reason, note)
            VALUES (t_id, e.kind, e.wt, e.a, e.p, e.w, e.n, rest, e.at, at_now, e.day, e.key,
                    decode(e.hash, 'hex'), e.src, e.o, e.rf, e.rv, e.rev, e.cor, e.why, e.actor,
                    coalesce(e.reason, ''), coalesce(e.note, ''));
            IF rest > 0 THEN
                UPDATE loyalty_wallet SET owed = owed + rest WHERE id = e.w;
            END IF;
        END IF;
        RETURN QUERY SELECT e.key::text, t_id, false;
    END LOOP;

    -- What follows outside this transaction (daily totals first of all) is told which days moved.
    INSERT INTO members_outboxevent (kind, payload, created_at, available_at, attempts, last_error)
    SELECT 'ledger.posted', jsonb_build_object('days', jsonb_agg(jsonb_build_array(d.wt, d.day))),
           at_now, at_now, 0, ''
      FROM (SELECT DISTINCT x.wt, x.day
              FROM jsonb_to_recordset(entries) AS x(key text, wt bigint, day date)
             WHERE NOT posted ? x.key) d
    HAVING count(*) > 0;
END;
$$;
