-- Posts a batch of movements, all or nothing, and says for each key which transfer it became.
--
-- `entries` is an array of objects; `loyalty/ledger/posting.py` builds them and documents the fields.
-- Order of work: put what is of closed books on the first open day (`ledger_booked`), lock the wallets in
-- id order, then look up the keys (the other way round deadlocks), bring stale wallets up to `at_now`, post
-- what comes in, then what goes out. So a batch is judged by its net effect, and the debt that a clawback
-- may leave is settled once. The kinds of movements have a function each: `ledger_in`, `ledger_back`,
-- `ledger_reinstate`, `ledger_settle`, `ledger_repay`, `ledger_move`, `ledger_owe`, `ledger_out`.
--
-- Errors: SL001 not enough units, SL002 key used for another movement, SL003 over-corrected,
--         SL005 cannot be reversed; 40001 the wallet was merged into another: look again.
CREATE OR REPLACE FUNCTION ledger_post(entries jsonb, at_now timestamptz)
RETURNS TABLE (key text, transfer_id bigint, replayed boolean)
LANGUAGE plpgsql
-- Planning anew costs more than running; and a plan made while a table was small must not scan it
-- once it is large.
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    ids bigint[];
    singly bigint[];
    stale bigint[];
    looks_back boolean;
    reaches boolean;
    brings boolean;
    beyond boolean;
    takes boolean;
    any_merged boolean;
    reused text;
    posted jsonb;
    first_id bigint := nextval('loyalty_transfer_id_seq');
    e record;
    t_id bigint;
BEGIN
    entries := ledger_booked(entries);
    SELECT array_agg(DISTINCT x.w), array_agg(DISTINCT x.w) FILTER (WHERE x.until IS NOT NULL),
           bool_or(x.dir IN ('back', 'unexpire')
                   OR x.dir = 'out' AND (x.debt OR x.own IS NOT NULL OR x.at < at_now)),
           bool_or(x.w2 IS NOT NULL OR coalesce(x.cor, x.rev) IS NOT NULL
                   OR x.dir IN ('back', 'unexpire')),
           bool_or(x.dir = 'in'), bool_or(x.dir <> 'in'), bool_or(x.dir = 'back' OR x.why ? 'beyond')
      INTO ids, singly, looks_back, reaches, brings, takes, beyond
      FROM jsonb_to_recordset(entries) AS x(
        w bigint, w2 bigint, until text, dir text, debt boolean, own bigint, cor bigint, rev bigint,
        at timestamptz, why jsonb);
    IF ids IS NULL THEN
        RETURN;
    END IF;
    IF reaches THEN
        ids := ids || ledger_reached(entries);
    END IF;
    -- Wallets that owe something, and those whose units an activity renews, go one by one.
    SELECT coalesce(array_agg(id) FILTER (WHERE owed > 0 OR id = ANY (singly)), '{}'),
           array_agg(id) FILTER (WHERE next_change_at <= at_now), bool_or(merged_into_id IS NOT NULL)
      INTO singly, stale, any_merged
      FROM (SELECT id, owed, next_change_at, merged_into_id FROM loyalty_wallet WHERE id = ANY (ids)
             ORDER BY id FOR NO KEY UPDATE) locked;

    SELECT jsonb_object_agg(t.key, t.id), min(t.key) FILTER (WHERE t.request_hash <> decode(x.hash, 'hex'))
      INTO posted, reused
      FROM jsonb_to_recordset(entries) AS x(key text, hash text) JOIN loyalty_transfer t ON t.key = x.key;
    IF reused IS NOT NULL THEN
        RAISE EXCEPTION 'the key % was used for another movement', reused
            USING ERRCODE = 'SL002', DETAIL = reused;
    END IF;
    IF posted IS NULL THEN
        posted := '{}';
    ELSE
        RETURN QUERY SELECT p.key, p.value::bigint, true FROM jsonb_each_text(posted) p;
    END IF;
    IF any_merged THEN
        -- What was spent from a merged wallet may return to it, and what it holds may leave for another.
        SELECT x.key INTO e
          FROM jsonb_to_recordset(entries) AS x(key text, dir text, w bigint, w2 bigint)
          JOIN loyalty_wallet m
            ON m.merged_into_id IS NOT NULL
           AND m.id = CASE WHEN x.dir IN ('back', 'unexpire', 'move', 'owe') THEN x.w2 ELSE x.w END
         WHERE NOT posted ? x.key LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'the wallet of % was merged into another', e.key
                USING ERRCODE = 'serialization_failure', DETAIL = e.key;
        END IF;
    END IF;
    IF stale IS NOT NULL THEN
        PERFORM ledger_catch_up(stale, at_now);
    END IF;

    IF brings THEN
        -- Incoming lots on all other wallets: one statement for them. The transfers' numbers are
        -- drawn beforehand: joining what was inserted with what was sent would take their product.
        RETURN QUERY
        WITH incoming AS MATERIALIZED (
            SELECT x.*, nextval('loyalty_transfer_id_seq') AS t_id
              FROM jsonb_to_recordset(entries) AS x(
                key text, hash text, dir text, kind text, w bigint, wt bigint, p bigint, a bigint, n bigint,
                at timestamptz, day date, src text, o bigint, rf bigint, rv bigint, why jsonb,
                actor bigint, reason text, note text, sp timestamptz, ex timestamptz, plan timestamptz,
                ren boolean, pol bigint)
             WHERE x.dir = 'in' AND NOT x.w = ANY (singly) AND NOT posted ? x.key
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
            INSERT INTO loyalty_lot (wallet_id, transfer_id, origin_id, earned_at, granted, remaining,
                                     spendable_at, expires_at, planned_expires_at, renewable, due_at, policy_id)
            SELECT i.w, i.t_id, i.t_id, i.at, i.n, i.n, i.sp, i.ex, i.plan, coalesce(i.ren, false),
                   coalesce(i.ex, '9999-12-31 00:00:00+00'), i.pol
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
    END IF;

    IF takes OR singly <> '{}' THEN
        -- The rest, one by one: what comes in with more to it, what is put back, then what goes out.
        FOR e IN
            SELECT entry, entry->>'key' AS key, entry->>'dir' AS dir
              FROM jsonb_array_elements(entries) WITH ORDINALITY AS x(entry, ord)
             WHERE NOT posted ? (entry->>'key')
               AND (entry->>'dir' <> 'in' OR (entry->>'w')::bigint = ANY (singly))
             ORDER BY CASE entry->>'dir' WHEN 'in' THEN 0 WHEN 'back' THEN 1 WHEN 'unexpire' THEN 1
                                         WHEN 'settle' THEN 2 WHEN 'repay' THEN 3 WHEN 'move' THEN 4
                                         ELSE 5 END, ord
        LOOP
            t_id := nextval('loyalty_transfer_id_seq');
            CASE e.dir
                WHEN 'in' THEN PERFORM ledger_in(e.entry, t_id, at_now);
                WHEN 'back' THEN PERFORM ledger_back(e.entry, t_id, at_now);
                WHEN 'unexpire' THEN PERFORM ledger_reinstate(e.entry, t_id, at_now);
                WHEN 'settle' THEN PERFORM ledger_settle(e.entry, t_id, at_now);
                WHEN 'repay' THEN PERFORM ledger_repay(e.entry, t_id, at_now);
                WHEN 'move' THEN PERFORM ledger_move(e.entry, t_id, at_now);
                WHEN 'owe' THEN PERFORM ledger_owe(e.entry, t_id, at_now);
                ELSE PERFORM ledger_out(e.entry, t_id, at_now);
            END CASE;
            IF any_merged AND e.dir IN ('back', 'unexpire') THEN
                PERFORM ledger_pass_on(e.entry, at_now);
            END IF;
            -- A move of as many as there are may have been of none.
            CONTINUE WHEN e.entry->>'most' IS NOT NULL
                      AND NOT EXISTS (SELECT 1 FROM loyalty_transfer t WHERE t.id = t_id);
            RETURN QUERY SELECT e.key, t_id, false;
        END LOOP;
    END IF;

    IF beyond THEN
        PERFORM ledger_beyond_worth(entries, at_now);
    END IF;
    IF looks_back OR singly <> '{}' THEN
        -- Other days may have moved too: something expired, or settled a debt, or did not expire after all.
        PERFORM ledger_tell(first_id, ids, at_now);
        RETURN;
    END IF;
    INSERT INTO members_outboxevent (kind, payload, created_at, available_at, attempts, last_error)
    SELECT 'ledger.posted', jsonb_build_object('days', jsonb_agg(jsonb_build_array(d.wt, d.day))),
           at_now, at_now, 0, ''
      FROM (SELECT DISTINCT x.wt, x.day
              FROM jsonb_to_recordset(entries) AS x(key text, wt bigint, day date)
             WHERE NOT posted ? x.key) d
    HAVING count(*) > 0;
END;
$$;
