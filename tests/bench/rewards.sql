-- What taking a reward is compared with: the same rows written by plain SQL that knows everything
-- beforehand. Needs raw.sql.

-- Reserve: the units spent, the stock one less, the redemption.
CREATE OR REPLACE FUNCTION bench_reserve(buyer text, the_reward bigint, the_key text, at_now timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    m record;
BEGIN
    SELECT m_.id, w.id AS wallet, w.account_id INTO m
      FROM members_customer c
      JOIN loyalty_membership m_ ON m_.customer_id = c.id
      JOIN loyalty_wallet w ON w.account_id = m_.account_id
     WHERE c.external_id = buyer;
    PERFORM bench_spend(m.wallet, m.account_id, 1, the_key, at_now);
    UPDATE rewards_reward SET taken = taken + 1 WHERE id = the_reward AND stock IS NOT NULL;
    INSERT INTO rewards_redemption (public_id, reward_id, membership_id, status, units, spent_id, stocked, key,
                                    source, reserved_until, created_at, reason, overridden, override_reason,
                                    gift, message, draw)
    SELECT gen_random_uuid(), the_reward, m.id, 'reserved', 1, t.id, true, the_key, 'api',
           at_now + interval '15 minutes', at_now, '', '{}', '', '', '', '{}'
      FROM loyalty_transfer t WHERE t.key = the_key;
END;
$$;

-- Issue: a code, and the redemption that has it.
CREATE OR REPLACE FUNCTION bench_issue(the_key text, at_now timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    r record;
    v bigint;
BEGIN
    SELECT d.id, d.reward_id, d.membership_id, p.program_id INTO r
      FROM rewards_redemption d JOIN rewards_reward p ON p.id = d.reward_id
     WHERE d.key = the_key FOR UPDATE OF d;
    INSERT INTO rewards_voucher (public_id, code, written, program_id, reward_id, membership_id, status, terms,
                                 issued_at, created_at)
    VALUES (gen_random_uuid(), upper(md5(the_key)), upper(md5(the_key)), r.program_id, r.reward_id,
            r.membership_id, 'issued', '{"kind": "amount_off", "name": "5 off", "combines": false}', at_now,
            at_now)
    RETURNING id INTO v;
    UPDATE rewards_redemption SET status = 'issued', voucher_id = v, issued_at = at_now WHERE id = r.id;
END;
$$;
