-- The keys of all whom a batch of orders or refunds is about, in order: see `orders_open`.
CREATE OR REPLACE FUNCTION orders_people(
    the_source text, numbers text[], customer_numbers text[], customer_keys bigint[]
) RETURNS bigint[]
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
BEGIN
    RETURN (
        SELECT coalesce(array_agg(DISTINCT coalesce(c.merged_into_id, c.id)), '{}')
          FROM (SELECT id, merged_into_id FROM members_customer WHERE external_id = ANY (customer_numbers)
                 UNION ALL
                SELECT id, merged_into_id FROM members_customer WHERE id = ANY (customer_keys)
                 UNION ALL
                SELECT b.id, b.merged_into_id
                  FROM unnest(numbers, customer_numbers, customer_keys)
                       AS x(number, customer_number, customer_key)
                  JOIN loyalty_order o ON o.source = the_source AND o.external_id = x.number
                  JOIN members_customer b ON b.id = o.customer_id
                 WHERE x.customer_number IS NULL AND x.customer_key IS NULL) c);
END;
$$;
