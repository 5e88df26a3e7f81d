-- Second round trip: new orders with their lines and tenders, their evaluations, and the movements
-- that follow from them, in one call. The arrays' columns: `loyalty/services/order_batches.py`.
CREATE OR REPLACE FUNCTION orders_write(
    orders jsonb, lines jsonb, tenders jsonb, evaluations jsonb, entries jsonb, at_now timestamptz
) RETURNS TABLE (key text, transfer_id bigint, replayed boolean)
LANGUAGE plpgsql
-- Planning anew costs more than running; and a plan made while a table was small must not scan it
-- once it is large.
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
BEGIN
    PERFORM orders_hold(ARRAY(SELECT (o->>3)::bigint FROM jsonb_array_elements(orders) AS o));
    INSERT INTO loyalty_order (
        id, source, external_id, customer_id, status, placed_at, currency, total, tax_total,
        taxes_included, shipping_total, discount_total, channel, store, paid_at, fulfilled_at, completed_at,
        sequence, changed_at, body_hash, payment_method, coupons, partner_id, recorded_at)
    OVERRIDING SYSTEM VALUE
    SELECT (o->>0)::bigint, o->>1, o->>2, (o->>3)::bigint, o->>4, (o->>5)::timestamptz, o->>6,
           (o->>7)::numeric, (o->>8)::numeric, (o->>9)::boolean, (o->>10)::numeric, (o->>11)::numeric,
           o->>12, o->>13, (o->>14)::timestamptz, (o->>15)::timestamptz, (o->>16)::timestamptz,
           (o->>17)::bigint, (o->>18)::timestamptz, decode(o->>19, 'hex'), o->>20,
           (o->>21)::varchar[], (o->>22)::bigint, at_now
      FROM jsonb_array_elements(orders) AS o;
    INSERT INTO loyalty_orderline (
        order_id, line_no, sku, name, category, tags, quantity, unit_price, discount, total, tax,
        stored_value, brand, unit_cost)
    SELECT (l->>0)::bigint, (l->>1)::int, l->>2, l->>3, l->>4, (l->>5)::varchar[], (l->>6)::numeric,
           (l->>7)::numeric, (l->>8)::numeric, (l->>9)::numeric, (l->>10)::numeric, (l->>11)::boolean,
           l->>12, (l->>13)::numeric
      FROM jsonb_array_elements(lines) AS l;
    IF jsonb_array_length(tenders) > 0 THEN
        INSERT INTO loyalty_tender (order_id, kind, amount)
        SELECT (t->>0)::bigint, t->>1, (t->>2)::numeric FROM jsonb_array_elements(tenders) AS t;
    END IF;
    INSERT INTO loyalty_orderevaluation (order_id, program_id, membership_id, rule_versions, context)
    SELECT (v->>0)::bigint, (v->>1)::bigint, (v->>2)::bigint, (v->>3)::bigint[], v->4
      FROM jsonb_array_elements(evaluations) AS v;
    RETURN QUERY SELECT * FROM ledger_post(entries, at_now);
END;
$$;
