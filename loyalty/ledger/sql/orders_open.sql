-- First of the two round trips of a batch of orders or refunds: lock, then say what is known.
--
-- A customer is named by the merchant's number or by our key; both arrays run along `numbers`. Who was
-- merged into somebody is that one, and an order that names nobody is of whom it was given to.
-- Locks the customers' wallets in these programs and those of their pools, in id order, so that two
-- orders of one member are judged one after the other. The facts come from a later statement, whose
-- snapshot is taken once the
-- locks are held. `order_id` of an unknown order is the number it will get.
CREATE OR REPLACE FUNCTION orders_open(
    the_source text, numbers text[], customer_numbers text[], customer_keys bigint[],
    program_ids bigint[]
) RETURNS TABLE (
    ord bigint, order_id bigint, known boolean, body_hash bytea, parked boolean,
    customer_id bigint, memberships jsonb, fingerprint text
)
LANGUAGE plpgsql
-- Planning anew costs more than running; and a plan made while a table was small must not scan it
-- once it is large.
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    people bigint[] := '{}';
    before bigint[];
BEGIN
    LOOP
        before := people;
        people := orders_people(the_source, numbers, customer_numbers, customer_keys);
        -- Who was merged, or parted again, while we waited for a lock is locked as who they are now.
        EXIT WHEN people = before;
        PERFORM 1 FROM loyalty_wallet w
         WHERE w.account_id IN (
            SELECT m.account_id FROM loyalty_membership m
             WHERE m.customer_id = ANY (people) AND m.program_id = ANY (program_ids)
             UNION ALL
            SELECT p.account_id FROM loyalty_membership m
              JOIN loyalty_poolmember pm ON pm.membership_id = m.id AND pm.left_at IS NULL
              JOIN loyalty_pool p ON p.id = pm.pool_id
             WHERE m.customer_id = ANY (people) AND m.program_id = ANY (program_ids))
         ORDER BY w.id FOR NO KEY UPDATE;
    END LOOP;
    RETURN QUERY
    SELECT x.ord, coalesce(o.id, nextval('loyalty_order_id_seq')),
           o.id IS NOT NULL, o.body_hash,
           EXISTS (SELECT 1 FROM loyalty_refund r
                    WHERE r.source = the_source AND r.order_external_id = x.number
                      AND r.order_id IS NULL AND r.order_external_id <> '')
           OR EXISTS (SELECT 1 FROM loyalty_unittender u
                       WHERE u.source = the_source AND u.order_external_id = x.number
                         AND u.order_id IS NULL),
           coalesce(c.merged_into_id, c.id),
           (SELECT jsonb_agg(jsonb_build_object(
                       'id', m.id, 'program', m.program_id, 'status', m.status, 'account', m.account_id,
                       'since', m.earns_from,
                       'away', (SELECT jsonb_agg(jsonb_build_array(a.began_at, a.ended_at))
                                  FROM loyalty_absence a WHERE a.membership_id = m.id),
                       'wallets', (SELECT jsonb_object_agg(w.wallet_type_id, w.id)
                                     FROM loyalty_wallet w WHERE w.account_id = m.account_id)))
              FROM loyalty_membership m
             WHERE m.customer_id = coalesce(c.merged_into_id, c.id) AND m.program_id = ANY (program_ids)),
           programs_fingerprint()
      FROM unnest(numbers, customer_numbers, customer_keys) WITH ORDINALITY
           AS x(number, customer_number, customer_key, ord)
      LEFT JOIN loyalty_order o ON o.source = the_source AND o.external_id = x.number
      LEFT JOIN members_customer c
        ON c.id = CASE WHEN x.customer_key IS NOT NULL THEN x.customer_key
                       WHEN x.customer_number IS NULL THEN o.customer_id
                       ELSE (SELECT k.id FROM members_customer k WHERE k.external_id = x.customer_number) END;
END;
$$;
