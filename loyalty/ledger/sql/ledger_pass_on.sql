-- What has come back to a wallet that was merged into another (a spend was undone, expired units were
-- brought back) goes on to that one.
CREATE OR REPLACE FUNCTION ledger_pass_on(e jsonb, at_now timestamptz) RETURNS void
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    units bigint;
    w record;
BEGIN
    SELECT n.id, n.account_id, n.wallet_type_id, x.id AS transit,
           greatest((at_now AT TIME ZONE p.time_zone)::date, o.open_from) AS day INTO w
      FROM loyalty_wallet m
      JOIN loyalty_wallet n ON n.id = m.merged_into_id
      JOIN loyalty_wallettype t ON t.id = n.wallet_type_id
      JOIN loyalty_program p ON p.id = t.program_id
      JOIN loyalty_account x ON x.program_id = p.id AND x.kind = 'transit'
      LEFT JOIN ledger_open_days() o ON o.program_id = p.id
     WHERE m.id = (e->>'w')::bigint;
    SELECT sum(remaining) INTO units FROM loyalty_lot
     WHERE wallet_id = (e->>'w')::bigint AND due_at IS NOT NULL AND due_at > at_now;
    IF w.id IS NULL OR units IS NULL THEN
        RETURN;
    END IF;
    PERFORM ledger_move(
        e - 'rev' - 'cor' - 'own' - 'o' - 'rf' - 'rv' - 'until' - 'reason' - 'note' || jsonb_build_object(
            'key', e->>'key' || ':passed_on', 'kind', 'merge', 'p', w.transit, 'n', units, 'at', at_now,
            'day', w.day, 'w2', w.id, 'a2', w.account_id, 'pend', true, 'keep', true,
            'why', jsonb_build_object('code', 'passed_on')),
        nextval('loyalty_transfer_id_seq'), at_now);
END;
$$;
