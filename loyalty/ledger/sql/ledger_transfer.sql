-- Inserts the transfer of one movement (see `ledger_post`) and returns its number. `incoming`: whether
-- the units arrive in the wallet or leave it.
CREATE OR REPLACE FUNCTION ledger_transfer(
    e jsonb, t_id bigint, units bigint, debt_change bigint, incoming boolean, at_now timestamptz
) RETURNS void
LANGUAGE sql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
    INSERT INTO loyalty_transfer (
        id, kind, wallet_type_id, from_account_id, to_account_id, wallet_id, amount, debt_change,
        occurred_at, recorded_at, booked_on, key, request_hash, source, order_id, refund_id,
        rule_version_id, reverses_id, corrects_id, pair_id, explanation, actor_id, reason, note)
    OVERRIDING SYSTEM VALUE
    SELECT t_id, r.kind, r.wt, CASE WHEN incoming THEN r.p ELSE r.a END,
           CASE WHEN incoming THEN r.a ELSE r.p END, r.w, units, debt_change, r.at, at_now, r.day, r.key,
           decode(r.hash, 'hex'), r.src, r.o, r.rf, r.rv, r.rev, r.cor, r.pair, r.why, r.actor,
           coalesce(r.reason, ''), coalesce(r.note, '')
      FROM jsonb_to_record(e) AS r(
        key text, hash text, kind text, w bigint, wt bigint, p bigint, a bigint, at timestamptz, day date,
        src text, o bigint, rf bigint, rv bigint, rev bigint, cor bigint, pair bigint, why jsonb,
        actor bigint, reason text, note text);
$$;
