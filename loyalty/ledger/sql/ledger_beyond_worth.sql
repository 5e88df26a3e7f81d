-- What units paid beyond what they are worth, in a tier in which they pay another worth, is a cost: all of
-- it when they pay, less as they come back. The spend says how much (`worth_said`); what is booked is the
-- difference to what its lines come to, so posting the same again books nothing.
CREATE OR REPLACE FUNCTION ledger_beyond_worth(entries jsonb, at_now timestamptz) RETURNS void
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
BEGIN
    INSERT INTO loyalty_discountentry (program_id, kind, subject, turn, amount, occurred_at, booked_on,
                                       recorded_at)
    SELECT u.program_id, 'worth', 'spend:' || s.id, b.lines, c.cost - b.booked, s.at, s.day, at_now
      FROM (SELECT spend.id, spend.wallet_type_id, spend.amount,
                   (spend.explanation->>'beyond')::numeric AS beyond, max(x.at) AS at, max(x.day) AS day
              FROM jsonb_to_recordset(entries) AS x(key text, dir text, why jsonb, at timestamptz, day date)
              JOIN loyalty_transfer own ON own.key = x.key
              JOIN loyalty_transfer spend ON spend.id = coalesce(own.reverses_id, own.corrects_id, own.id)
             WHERE (x.dir = 'back' OR x.why ? 'beyond') AND spend.explanation ? 'beyond'
             GROUP BY spend.id) s
      JOIN loyalty_wallettype u ON u.id = s.wallet_type_id
     CROSS JOIN LATERAL (SELECT coalesce(sum(r.amount), 0) AS units FROM loyalty_transfer r
                          WHERE r.reverses_id = s.id OR r.corrects_id = s.id) back
     CROSS JOIN LATERAL (SELECT round(s.beyond * (s.amount - back.units) / s.amount, 4) AS cost) c
     CROSS JOIN LATERAL (SELECT count(*) AS lines, coalesce(sum(e.amount), 0) AS booked
                           FROM loyalty_discountentry e WHERE e.subject = 'spend:' || s.id) b
     WHERE c.cost <> b.booked;
END;
$$;
