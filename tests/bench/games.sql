-- What a draw is compared with: the same rows written by plain SQL that knows beforehand what is won.
CREATE OR REPLACE FUNCTION bench_draw(
    the_game bigint, the_seed bigint, the_prize bigint, the_member bigint, the_turn integer, at_now timestamptz
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    w record;
    t bigint;
    p bigint;
    won numeric;
BEGIN
    SELECT w_.id, w_.account_id, w_.wallet_type_id
      INTO w
      FROM loyalty_membership m JOIN loyalty_wallet w_ ON w_.account_id = m.account_id
     WHERE m.id = the_member
       FOR NO KEY UPDATE OF w_;
    PERFORM FROM campaigns_gameseed WHERE id = the_seed FOR SHARE;
    INSERT INTO campaigns_gameplay (public_id, game_id, membership_id, source, occasion, granted_at, used_at)
    VALUES (gen_random_uuid(), the_game, the_member, 'free', 'raw:' || the_turn, at_now, at_now)
    RETURNING id INTO p;
    UPDATE campaigns_gameprize SET taken = taken + 1 WHERE id = the_prize AND taken < stock
    RETURNING units INTO won;
    INSERT INTO loyalty_transfer (kind, wallet_type_id, from_account_id, to_account_id, wallet_id, amount,
                                  debt_change, occurred_at, recorded_at, booked_on, key, request_hash,
                                  source, explanation, reason, note)
    VALUES ('adjustment', w.wallet_type_id, (SELECT id FROM loyalty_account WHERE kind = 'issued' LIMIT 1),
            w.account_id, w.id, won, 0, at_now, at_now, at_now::date, 'raw:' || p,
            decode(md5(p::text), 'hex'), 'account', '{}', 'game', '')
    RETURNING id INTO t;
    INSERT INTO loyalty_lot (wallet_id, transfer_id, origin_id, earned_at, granted, remaining, spendable_at,
                             expires_at, due_at, policy_id)
    VALUES (w.id, t, t, at_now, won, won, at_now, NULL, 'infinity',
            (SELECT max(id) FROM loyalty_lotpolicy));
    UPDATE loyalty_wallet SET balance = balance + won::bigint WHERE id = w.id;
    INSERT INTO members_outboxevent (kind, payload, created_at, available_at, attempts, last_error)
    VALUES ('bench', '{}', at_now, at_now, 0, '');
    INSERT INTO campaigns_gamedraw (public_id, game_id, play_id, membership_id, seed_id, turn, nonce, passed,
                                    proof, number, drawn_id, prize_id, instead, units, cost, day, drawn_at,
                                    key, transfer_id)
    VALUES (gen_random_uuid(), the_game, p, the_member, the_seed, the_turn, '', 0,
            encode(sha256(p::text::bytea), 'hex'), 0, the_prize, the_prize, '', won, 0, at_now::date, at_now,
            'raw:' || p, t);
END;
$$;
