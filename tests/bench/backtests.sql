-- A shop's past: orders of 300 days from 1 January 2024 on, one customer for twenty of them, one to
-- five lines each. What is there already stays.
CREATE OR REPLACE FUNCTION bench_past(first bigint, last bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    CREATE TEMP TABLE bench_past_lines ON COMMIT DROP AS
    SELECT g AS number, k AS line_no,
           'SKU-' || (g * 7919 + k * 131) % 5000 AS sku, 'Category ' || (g * 31 + k * 17) % 12 AS category,
           1 + (g + k) % 3 AS quantity, (100 + (g * 7919 + k * 104729) % 9800) / 100.0 AS total
      FROM generate_series(first, last) g, generate_series(1, 1 + g % 5) k;

    INSERT INTO members_customer (public_id, external_id, given_name, family_name, email, phone, locale, country,
                                  tags, attributes, created_at, updated_at)
    SELECT gen_random_uuid(), 'BT' || n, '', '', '', '', '', '', '{}', '{}', '2023-12-01', '2023-12-01'
      FROM generate_series(first / 20, last / 20) n
        ON CONFLICT DO NOTHING;

    INSERT INTO loyalty_order (source, external_id, customer_id, status, placed_at, currency, total, tax_total,
                               taxes_included, shipping_total, discount_total, channel, store, body_hash,
                               recorded_at)
    SELECT 'backtest', 'BT' || l.number, c.id, 'completed',
           timestamptz '2024-01-01 08:00+00' + l.number * 7919 % 300 * interval '1 day'
               + l.number % 50000 * interval '1 second',
           'USD', l.total, 0, true, 0, 0, CASE WHEN l.number % 2 = 0 THEN 'web' ELSE 'till' END,
           'Store ' || l.number % 12, sha256(l.number::text::bytea), '2025-01-01'
      FROM (SELECT number, sum(total) AS total FROM bench_past_lines GROUP BY number) l
      JOIN members_customer c ON c.external_id = 'BT' || l.number / 20;

    INSERT INTO loyalty_orderline (order_id, line_no, sku, name, category, tags, quantity, unit_price, discount,
                                   total, tax, stored_value)
    SELECT o.id, l.line_no, l.sku, '', l.category, '{}', l.quantity, round(l.total / l.quantity, 4), 0, l.total,
           0, false
      FROM bench_past_lines l
      JOIN loyalty_order o ON o.source = 'backtest' AND o.external_id = 'BT' || l.number;
END;
$$;
