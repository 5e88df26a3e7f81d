-- What Setia is compared with: the same rows written by plain SQL that knows everything beforehand.

-- E: one complete accrual (order, line, evaluation, transfer, lot, wallet, event) in one call.
CREATE OR REPLACE FUNCTION bench_accrual(buyer text, at_now timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    w record;
    o bigint;
    t bigint;
BEGIN
    SELECT w_.id, w_.account_id, w_.wallet_type_id, m.id AS membership, m.program_id, c.id AS customer
      INTO w
      FROM members_customer c
      JOIN loyalty_membership m ON m.customer_id = c.id
      JOIN loyalty_wallet w_ ON w_.account_id = m.account_id
     WHERE c.external_id = buyer
       FOR NO KEY UPDATE OF w_;
    o := nextval('loyalty_order_id_seq');
    INSERT INTO loyalty_order (id, source, external_id, customer_id, status, placed_at, currency, total,
                               tax_total, taxes_included, shipping_total, discount_total, channel, store,
                               body_hash, recorded_at)
    OVERRIDING SYSTEM VALUE
    VALUES (o, 'raw', 'E' || o, w.customer, 'completed', at_now, 'USD', 49.90, 0, true, 0, 0, '', '',
            decode(md5(o::text), 'hex'), at_now);
    INSERT INTO loyalty_orderline (order_id, line_no, sku, name, category, tags, quantity, unit_price,
                                   discount, total, tax, stored_value)
    VALUES (o, 1, 'SKU-1', '', 'GROCERY', '{}', 1, 49.90, 0, 49.90, 0, false);
    INSERT INTO loyalty_orderevaluation (order_id, program_id, membership_id, rule_versions, context)
    VALUES (o, w.program_id, w.membership, '{1}', '{}');
    INSERT INTO loyalty_transfer (kind, wallet_type_id, from_account_id, to_account_id, wallet_id, amount,
                                  debt_change, occurred_at, recorded_at, booked_on, key, request_hash,
                                  source, order_id, rule_version_id, explanation, reason, note)
    VALUES ('accrual', w.wallet_type_id, (SELECT id FROM loyalty_account WHERE kind = 'issued' LIMIT 1),
            w.account_id, w.id, 49, 0, at_now, at_now, at_now::date, 'raw:' || o,
            decode(md5(o::text), 'hex'), 'api', o, (SELECT min(id) FROM loyalty_earningruleversion),
            '{"rule": "Base rate", "version": 1, "steps": [["rate", "1", "1", "money"]]}', '', '')
    RETURNING id INTO t;
    INSERT INTO loyalty_lot (wallet_id, transfer_id, origin_id, earned_at, granted, remaining, spendable_at,
                             expires_at, due_at, policy_id)
    VALUES (w.id, t, t, at_now, 49, 49, at_now, at_now + interval '1 year', at_now + interval '1 year',
            (SELECT max(id) FROM loyalty_lotpolicy));
    UPDATE loyalty_wallet
       SET balance = balance + 49, next_change_at = least(next_change_at, at_now + interval '1 year')
     WHERE id = w.id;
    INSERT INTO members_outboxevent (kind, payload, created_at, available_at, attempts, last_error)
    VALUES ('bench', '{}', at_now, at_now, 0, '');
END;
$$;

-- A spend: first-expiring first, and no lot is looked at beyond the ones that suffice.
CREATE OR REPLACE FUNCTION bench_spend(
    the_wallet bigint, the_account bigint, units bigint, the_key text, at_now timestamptz
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    w record;
    lot record;
    t bigint := nextval('loyalty_transfer_id_seq');
    missing bigint := units;
    part bigint;
BEGIN
    SELECT wallet_type_id, balance INTO w FROM loyalty_wallet WHERE id = the_wallet FOR NO KEY UPDATE;
    INSERT INTO loyalty_transfer (id, kind, wallet_type_id, from_account_id, to_account_id, wallet_id, amount,
                                  debt_change, occurred_at, recorded_at, booked_on, key, request_hash,
                                  source, explanation, reason, note)
    OVERRIDING SYSTEM VALUE
    VALUES (t, 'redemption', w.wallet_type_id, the_account,
            (SELECT id FROM loyalty_account WHERE kind = 'redeemed' LIMIT 1), the_wallet, units, 0, at_now,
            at_now, at_now::date, the_key, decode(md5(the_key), 'hex'), 'api', '{}', '', '');
    FOR lot IN
        SELECT id, remaining FROM loyalty_lot
         WHERE wallet_id = the_wallet AND due_at > at_now AND spendable_at <= at_now ORDER BY due_at, id
    LOOP
        part := least(missing, lot.remaining);
        UPDATE loyalty_lot
           SET remaining = remaining - part, due_at = CASE WHEN remaining > part THEN due_at END
         WHERE id = lot.id;
        INSERT INTO loyalty_lotuse (lot_id, transfer_id, amount) VALUES (lot.id, t, part);
        missing := missing - part;
        EXIT WHEN missing = 0;
    END LOOP;
    IF missing > 0 THEN
        RAISE EXCEPTION 'wallet % has not enough', the_wallet;
    END IF;
    UPDATE loyalty_wallet SET balance = balance - units WHERE id = the_wallet;
    INSERT INTO members_outboxevent (kind, payload, created_at, available_at, attempts, last_error)
    VALUES ('bench', '{}', at_now, at_now, 0, '');
END;
$$;

-- A whole file load, set by set, from two staged text tables.
CREATE OR REPLACE FUNCTION bench_load(the_source text, the_program bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    issued bigint := (SELECT id FROM loyalty_account WHERE kind = 'issued' AND program_id = the_program);
    units bigint := (SELECT min(id) FROM loyalty_wallettype WHERE program_id = the_program);
    rule bigint := (SELECT min(v.id) FROM loyalty_earningruleversion v
                      JOIN loyalty_earningrule r ON r.id = v.rule_id WHERE r.program_id = the_program);
    policy bigint := (SELECT max(id) FROM loyalty_lotpolicy WHERE wallet_type_id = units);
    loaded bigint;
BEGIN
    INSERT INTO members_customer (public_id, external_id, email, phone, given_name, family_name, locale,
                                  country, tags, attributes, created_at, updated_at)
    SELECT gen_random_uuid(), customer_id, '', '', '', '', '', '', '{}', '{}', now(), now()
      FROM (SELECT DISTINCT customer_id FROM bench_orders) d;
    CREATE TEMP TABLE joined ON COMMIT DROP AS
    SELECT c.id AS customer, nextval('loyalty_account_id_seq') AS account,
           nextval('loyalty_membership_id_seq') AS membership,
           nextval('loyalty_wallet_id_seq') AS wallet, c.external_id
      FROM (SELECT DISTINCT customer_id FROM bench_orders) d
      JOIN members_customer c ON c.external_id = d.customer_id;
    INSERT INTO loyalty_account (id, kind, program_id) OVERRIDING SYSTEM VALUE
    SELECT account, 'membership', the_program FROM joined;
    INSERT INTO loyalty_membership (id, public_id, program_id, customer_id, account_id, status, source,
                                    card_number, enrolled_at, created_at)
    OVERRIDING SYSTEM VALUE
    SELECT membership, gen_random_uuid(), the_program, customer, account, 'active', 'import',
           'raw' || membership, now(), now() FROM joined;
    INSERT INTO loyalty_wallet (id, account_id, wallet_type_id) OVERRIDING SYSTEM VALUE
    SELECT wallet, account, units FROM joined;
    CREATE TEMP TABLE priced ON COMMIT DROP AS
    SELECT nextval('loyalty_order_id_seq') AS id,
           nextval('loyalty_transfer_id_seq') AS transfer,
           o.order_id AS number, o.currency, j.*, o.placed_at::timestamp AT TIME ZONE 'UTC' AS at,
           o.total::numeric AS total, floor(greatest(o.total::numeric, 0))::bigint AS units
      FROM bench_orders o JOIN joined j ON j.external_id = o.customer_id;
    ANALYZE priced;
    INSERT INTO loyalty_order (id, source, external_id, customer_id, status, placed_at, currency, total,
                               tax_total, taxes_included, shipping_total, discount_total, channel, store,
                               body_hash, recorded_at)
    OVERRIDING SYSTEM VALUE
    SELECT id, the_source, number, customer, 'completed', at, currency, total, 0, true, 0, 0, '', '',
           decode(md5(number), 'hex'), now() FROM priced;
    GET DIAGNOSTICS loaded = ROW_COUNT;
    INSERT INTO loyalty_orderline (order_id, line_no, sku, name, category, tags, quantity, unit_price,
                                   discount, total, tax, stored_value)
    SELECT p.id, l.line_no::int, l.sku, '', l.category, '{}', l.quantity::numeric, l.unit_price::numeric,
           l.discount::numeric, l.line_total::numeric, 0, false
      FROM bench_lines l JOIN priced p ON p.number = l.order_id;
    INSERT INTO loyalty_orderevaluation (order_id, program_id, membership_id, rule_versions, context)
    SELECT id, the_program, membership, ARRAY[rule], '{}' FROM priced;
    INSERT INTO loyalty_transfer (id, kind, wallet_type_id, from_account_id, to_account_id, wallet_id,
                                  amount, debt_change, occurred_at, recorded_at, booked_on, key,
                                  request_hash, source, order_id, rule_version_id, explanation, reason, note)
    OVERRIDING SYSTEM VALUE
    SELECT transfer, 'accrual', units_.id, issued, account, wallet, p.units, 0, at, now(), at::date,
           'raw:' || p.id, decode(md5(number), 'hex'), 'import', p.id, rule,
           jsonb_build_object('rule', 'Base rate', 'version', 1, 'order', number, 'currency', currency,
                              'steps', jsonb_build_array(jsonb_build_array('goods', total::text),
                                                         jsonb_build_array('rate', '1', '1', 'money'))),
           '', ''
      FROM priced p CROSS JOIN (SELECT units AS id) units_ WHERE p.units > 0;
    INSERT INTO loyalty_lot (wallet_id, transfer_id, origin_id, earned_at, granted, remaining, spendable_at,
                             expires_at, due_at, policy_id)
    SELECT wallet, transfer, transfer, at, p.units, p.units, at, at + interval '1 year',
           at + interval '1 year', policy
      FROM priced p WHERE p.units > 0;
    UPDATE loyalty_wallet w SET balance = s.units, next_change_at = s.next
      FROM (SELECT wallet, sum(p.units) AS units, min(at) + interval '1 year' AS next
              FROM priced p WHERE p.units > 0 GROUP BY wallet) s
     WHERE w.id = s.wallet;
    RETURN loaded;
END;
$$;
