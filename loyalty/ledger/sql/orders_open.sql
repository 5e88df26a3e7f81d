-- First of the two round trips of a batch of orders: lock, then say what is known.
--
-- Locks the wallets of the named customers in these programs, in id order, so that two orders of one
-- member are judged one after the other. The facts come from a second statement, whose snapshot is
-- taken once the locks are held. `order_id` of an unknown order is the number it will get.
CREATE OR REPLACE FUNCTION orders_open(
    the_source text, numbers text[], customer_numbers text[], program_ids bigint[]
) RETURNS TABLE (
    ord bigint, order_id bigint, known boolean, body_hash bytea, parked boolean,
    customer_id bigint, memberships jsonb
)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    PERFORM 1 FROM loyalty_wallet w
     WHERE w.account_id IN (
        SELECT m.account_id FROM members_customer c JOIN loyalty_membership m ON m.customer_id = c.id
         WHERE c.external_id = ANY (customer_numbers) AND m.program_id = ANY (program_ids))
     ORDER BY w.id FOR NO KEY UPDATE;
    RETURN QUERY
    SELECT x.ord, coalesce(o.id, nextval(pg_get_serial_sequence('loyalty_order', 'id'))),
           o.id IS NOT NULL, o.body_hash,
           EXISTS (SELECT 1 FROM loyalty_refund r
                    WHERE r.source = the_source AND r.order_external_id = x.number
                      AND r.order_id IS NULL AND r.order_external_id <> ''),
           c.id,
           (SELECT jsonb_agg(jsonb_build_object(
                       'id', m.id, 'program', m.program_id, 'status', m.status, 'account', m.account_id,
                       'wallets', (SELECT jsonb_object_agg(w.wallet_type_id, w.id)
                                     FROM loyalty_wallet w WHERE w.account_id = m.account_id)))
              FROM loyalty_membership m
             WHERE m.customer_id = c.id AND m.program_id = ANY (program_ids))
      FROM unnest(numbers, customer_numbers) WITH ORDINALITY AS x(number, customer, ord)
      LEFT JOIN loyalty_order o ON o.source = the_source AND o.external_id = x.number
      LEFT JOIN members_customer c ON c.external_id = x.customer;
END;
$$;
