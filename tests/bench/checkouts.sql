-- What a cart's way is compared with: the same rows written by plain SQL that knows everything
-- beforehand. Needs raw.sql and rewards.sql.

-- Reserve: a unit spent, a reward taken, and the cart that keeps both.
CREATE OR REPLACE FUNCTION bench_cart_reserve(
    buyer text, the_reward bigint, the_key text, at_now timestamptz
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    m record;
    c bigint;
BEGIN
    SELECT m_.id, w.id AS wallet, w.account_id, w.wallet_type_id INTO m
      FROM members_customer c_
      JOIN loyalty_membership m_ ON m_.customer_id = c_.id
      JOIN loyalty_wallet w ON w.account_id = m_.account_id
     WHERE c_.external_id = buyer;
    PERFORM bench_reserve(buyer, the_reward, the_key, at_now);
    PERFORM bench_spend(m.wallet, m.account_id, 1, the_key || ' units', at_now);
    INSERT INTO rewards_checkout (public_id, membership_id, source, cart, status, reserved_until, round,
                                  request_hash, currency, goods, shipping, discount, voucher_discount, total,
                                  tax, paid_units, paid_gift_cards, lines, order_external_id, created_at, reason)
    SELECT gen_random_uuid(), m.id, 'raw', the_key, 'reserved', at_now + interval '30 minutes', 1,
           decode(md5(the_key), 'hex'), 'USD', 499, 0, 0, 5, 494, 0, 0.01, 0,
           jsonb_agg(jsonb_build_object('line_no', n, 'sku', 'SKU-' || n, 'quantity', '1',
                                        'unit_price', '49.90', 'total', '49.40')), '', at_now, ''
      FROM generate_series(1, 10) n
    RETURNING id INTO c;
    INSERT INTO rewards_checkoutunits (checkout_id, wallet_type_id, amount, transfer_id)
    SELECT c, m.wallet_type_id, 0.01, t.id FROM loyalty_transfer t WHERE t.key = the_key || ' units';
    INSERT INTO rewards_checkoutreward (checkout_id, redemption_id, amount)
    SELECT c, r.id, 5 FROM rewards_redemption r WHERE r.key = the_key;
END;
$$;

-- Commit: the reward handed out and used, the units a tender of the order to come, the cart paid.
CREATE OR REPLACE FUNCTION bench_cart_commit(the_key text, at_now timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    c record;
    v bigint;
BEGIN
    SELECT id INTO c FROM rewards_checkout WHERE source = 'raw' AND cart = the_key FOR UPDATE;
    PERFORM bench_issue(the_key, at_now);
    SELECT voucher_id INTO v FROM rewards_redemption WHERE key = the_key;
    INSERT INTO rewards_voucheruse (voucher_id, slot, checkout, state, discount, created_at, closed_at)
    VALUES (v, 1, 'raw/' || the_key, 'used', 5, at_now, at_now);
    UPDATE rewards_voucher SET status = 'used', closed_at = at_now WHERE id = v;
    UPDATE rewards_redemption SET status = 'used', closed_at = at_now WHERE key = the_key;
    INSERT INTO loyalty_unittender (source, order_external_id, wallet_type_id, transfer_id, amount, recorded_at)
    SELECT 'raw', the_key, u.wallet_type_id, u.transfer_id, u.amount, at_now
      FROM rewards_checkoutunits u WHERE u.checkout_id = c.id;
    UPDATE rewards_checkout
       SET status = 'committed', committed_at = at_now, order_external_id = the_key WHERE id = c.id;
END;
$$;
