-- Books that have aged, made set by set. Only the rows are made that the ledger itself would have
-- written; triggers and foreign keys are off while they are.

-- Further members H…, each with an empty wallet. Wallets and accounts are numbered in step.
CREATE OR REPLACE FUNCTION bench_members(the_program bigint, how_many bigint) RETURNS void
LANGUAGE plpgsql SET session_replication_role = replica AS $$
DECLARE
    units bigint := (SELECT min(id) FROM loyalty_wallettype WHERE program_id = the_program);
    customers bigint := bench_reserve('members_customer', how_many);
    accounts bigint := bench_reserve('loyalty_account', how_many);
    memberships bigint := bench_reserve('loyalty_membership', how_many);
    wallets bigint := bench_reserve('loyalty_wallet', how_many);
BEGIN
    INSERT INTO members_customer (id, public_id, external_id, email, phone, given_name, family_name, locale,
                                  country, tags, attributes, created_at, updated_at)
    OVERRIDING SYSTEM VALUE
    SELECT customers + n, gen_random_uuid(), 'H' || n, '', '', '', '', '', '', '{}', '{}',
           now(), now()
      FROM generate_series(1, how_many) n;
    INSERT INTO loyalty_account (id, kind, program_id) OVERRIDING SYSTEM VALUE
    SELECT accounts + n, 'membership', the_program FROM generate_series(1, how_many) n;
    INSERT INTO loyalty_membership (id, public_id, program_id, customer_id, account_id, status, source,
                                    card_number, enrolled_at, created_at)
    OVERRIDING SYSTEM VALUE
    SELECT memberships + n, gen_random_uuid(), the_program, customers + n, accounts + n, 'active', 'import',
           'aged' || memberships + n, '2020-01-01', '2020-01-01'
      FROM generate_series(1, how_many) n;
    INSERT INTO loyalty_wallet (id, account_id, wallet_type_id) OVERRIDING SYSTEM VALUE
    SELECT wallets + n, accounts + n, units FROM generate_series(1, how_many) n;
END;
$$;

-- The last number before `how_many` new ones.
CREATE OR REPLACE FUNCTION bench_reserve(the_table text, how_many bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    the_sequence text := pg_get_serial_sequence(the_table, 'id');
    before bigint := nextval(the_sequence) - 1;
BEGIN
    PERFORM setval(the_sequence, before + how_many);
    RETURN before;
END;
$$;

-- Lots of 100 units, one each time, for `wallets` wallets from `first_wallet` on in turn. They expire one
-- after the other in (`expires_from`, `expires_to`], a year after they were earned. `used_up`: nothing is
-- left of them; `bench_write_down` has to say why.
CREATE OR REPLACE FUNCTION bench_lots(
    first_wallet bigint, wallets bigint, how_many bigint, expires_from timestamptz, expires_to timestamptz,
    used_up boolean
) RETURNS void
LANGUAGE plpgsql SET session_replication_role = replica AS $$
DECLARE
    w record;
    transfers bigint := bench_reserve('loyalty_transfer', how_many);
    lots bigint := bench_reserve('loyalty_lot', how_many);
    a_year CONSTANT interval := '1 year';
    step interval := (expires_to - expires_from) / how_many;
BEGIN
    SELECT first.account_id - first.id AS to_account, t.id AS units, i.id AS issued,
           (SELECT min(id) FROM loyalty_earningruleversion) AS rule,
           (SELECT max(id) FROM loyalty_lotpolicy WHERE wallet_type_id = t.id) AS policy
      INTO w
      FROM loyalty_wallet first JOIN loyalty_wallettype t ON t.id = first.wallet_type_id
      JOIN loyalty_account i ON i.program_id = t.program_id AND i.kind = 'issued'
     WHERE first.id = first_wallet;
    INSERT INTO loyalty_transfer (id, kind, wallet_type_id, from_account_id, to_account_id, wallet_id,
                                  amount, debt_change, occurred_at, recorded_at, booked_on, key,
                                  request_hash, source, rule_version_id, explanation, reason, note)
    OVERRIDING SYSTEM VALUE
    SELECT transfers + n, 'accrual', w.units, w.issued, wallet + w.to_account, wallet, 100, 0, at, at, at::date,
           'aged:' || transfers + n, decode(md5(n::text), 'hex'), 'import', w.rule,
           '{"rule": "Base rate", "version": 1, "steps": [["rate", "1", "1", "money"]]}', '', ''
      FROM generate_series(1, how_many) n
     CROSS JOIN LATERAL (SELECT first_wallet + n * 7919 % wallets AS wallet,
                                expires_from + step * n - a_year AS at) x;
    INSERT INTO loyalty_lot (id, wallet_id, transfer_id, origin_id, earned_at, granted, remaining,
                             spendable_at, expires_at, due_at, policy_id)
    OVERRIDING SYSTEM VALUE
    SELECT lots + n, first_wallet + n * 7919 % wallets, transfers + n, transfers + n, at - a_year, 100,
           CASE WHEN used_up THEN 0 ELSE 100 END, at - a_year, at, CASE WHEN NOT used_up THEN at END,
           w.policy
      FROM generate_series(1, how_many) n
     CROSS JOIN LATERAL (SELECT expires_from + step * n AS at) x;
    UPDATE loyalty_wallet
       SET balance = balance + s.units, next_change_at = least(next_change_at, s.first_due)
      FROM (SELECT wallet_id, sum(remaining) AS units, min(due_at) AS first_due
              FROM loyalty_lot WHERE id > lots AND id <= lots + how_many AND due_at IS NOT NULL
             GROUP BY wallet_id) s
     WHERE loyalty_wallet.id = s.wallet_id;
END;
$$;

-- All lots of which nothing is left have expired.
CREATE OR REPLACE FUNCTION bench_write_down() RETURNS void
LANGUAGE plpgsql SET session_replication_role = replica AS $$
DECLARE
    transfers bigint := bench_reserve(
        'loyalty_transfer', (SELECT count(*) FROM loyalty_lot WHERE due_at IS NULL));
BEGIN
    CREATE TEMP TABLE gone AS
    SELECT l.*, transfers + row_number() OVER (ORDER BY l.id) AS new_id
      FROM loyalty_lot l WHERE l.due_at IS NULL;
    INSERT INTO loyalty_transfer (id, kind, wallet_type_id, from_account_id, to_account_id, wallet_id,
                                  amount, debt_change, occurred_at, recorded_at, booked_on, key,
                                  request_hash, source, explanation, reason, note)
    OVERRIDING SYSTEM VALUE
    SELECT gone.new_id, 'expiry', w.wallet_type_id, w.account_id, x.id, w.id, gone.granted, 0,
           gone.expires_at, gone.expires_at, gone.expires_at::date,
           'expiry:' || gone.id || ':' || gone.new_id, '', 'job', '{}', '', ''
      FROM gone JOIN loyalty_wallet w ON w.id = gone.wallet_id
      JOIN loyalty_wallettype t ON t.id = w.wallet_type_id
      JOIN loyalty_account x ON x.program_id = t.program_id AND x.kind = 'expired'
     ORDER BY gone.id;
    INSERT INTO loyalty_lotuse (lot_id, transfer_id, amount)
    SELECT id, new_id, granted FROM gone ORDER BY id;
    DROP TABLE gone;
END;
$$;
