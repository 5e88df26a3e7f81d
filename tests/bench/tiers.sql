-- One function names tables that are made later.
SET check_function_bodies = off;

-- Members T1 … Tn, who joined over a year, each with an order in their first year of membership and one in
-- their second; and their rows as of the instant `at`, as they follow from these orders.
CREATE OR REPLACE FUNCTION bench_tier_orders(program bigint, upto timestamptz) RETURNS void LANGUAGE sql AS $$
    INSERT INTO loyalty_order (source, external_id, customer_id, status, placed_at, currency, total, tax_total,
                               taxes_included, shipping_total, discount_total, channel, store, body_hash,
                               recorded_at)
    SELECT 'tiers', c.external_id || '-' || y.year, c.id, 'completed',
           m.enrolled_at + y.year * interval '1 year' + interval '2 days', 'USD',
           (m.id * 7919 * (y.year + 1)) % 2400 + 10, 0, true, 0, 0, '', '', sha256(c.external_id::bytea), upto
      FROM loyalty_membership m JOIN members_customer c ON c.id = m.customer_id
     CROSS JOIN (VALUES (0), (1)) y (year)
     WHERE m.program_id = program AND c.external_id LIKE 'T%';
$$;

CREATE OR REPLACE FUNCTION bench_tier_judged(program bigint) RETURNS void LANGUAGE sql AS $$
    INSERT INTO loyalty_orderevaluation (order_id, program_id, membership_id, rule_versions, context)
    SELECT o.id, program, m.id, '{}', '{}'
      FROM loyalty_order o
      JOIN loyalty_membership m ON m.customer_id = o.customer_id AND m.program_id = program
     WHERE o.source = 'tiers';
$$;

CREATE OR REPLACE VIEW bench_tier_levels AS
    SELECT t.id, t.position AS rank, t.threshold, t.code,
           lead(t.threshold) OVER (PARTITION BY t.tier_set_id ORDER BY t.position) AS below
      FROM loyalty_tier t WHERE t.tier_set_id = (SELECT max(id) FROM loyalty_tierset);

CREATE OR REPLACE FUNCTION bench_tier_rows(program bigint) RETURNS void LANGUAGE sql AS $$
    DELETE FROM loyalty_membertier;
    INSERT INTO loyalty_membertier (membership_id, tier_id, since, total, lost_at, falls_to_id, changes_at, by_clock,
                                    turn, landing)
    SELECT m.id, greatest(one.id, two.id),
           CASE WHEN two.rank > one.rank THEN o2.placed_at WHEN one.rank > 0 THEN o1.placed_at
                ELSE m.enrolled_at END,
           o2.total,
           CASE WHEN one.rank > two.rank THEN turn.at WHEN two.rank > 0 THEN turn.at + interval '1 year' END,
           CASE WHEN one.rank > two.rank THEN two.id WHEN two.rank > 0 THEN base.id END,
           turn.at, true, turn.at, 0
      FROM loyalty_membership m
     CROSS JOIN LATERAL (SELECT m.enrolled_at + interval '2 years' AS at) turn
      JOIN members_customer c ON c.id = m.customer_id
      JOIN loyalty_order o1 ON o1.source = 'tiers' AND o1.external_id = c.external_id || '-0'
      JOIN loyalty_order o2 ON o2.source = 'tiers' AND o2.external_id = c.external_id || '-1'
      JOIN bench_tier_levels one ON o1.total >= one.threshold AND (one.below IS NULL OR o1.total < one.below)
      JOIN bench_tier_levels two ON o2.total >= two.threshold AND (two.below IS NULL OR o2.total < two.below)
      JOIN bench_tier_levels base ON base.rank = 0
     WHERE m.program_id = program;
$$;

-- The comparison: a review as somebody would write it who knows that nothing but time has passed, with the changes
-- that it says and an event for each.
CREATE OR REPLACE FUNCTION bench_review(program bigint, upto timestamptz) RETURNS void LANGUAGE sql AS $$
    WITH written AS (
        UPDATE bench_membertier r
           SET tier_id = least(had.id, reached.id),
               since = CASE WHEN reached.rank < had.rank THEN r.turn ELSE r.since END,
               total = 0,
               lost_at = CASE WHEN least(had.rank, reached.rank) > 0 THEN r.turn + interval '1 year' END,
               falls_to_id = CASE WHEN least(had.rank, reached.rank) > 0 THEN base.id END,
               changes_at = r.turn + interval '1 year', turn = r.turn + interval '1 year'
          FROM bench_tier_levels had, bench_tier_levels reached, bench_tier_levels base
         WHERE r.changes_at <= upto AND r.tier_id = had.id AND base.rank = 0
           AND r.total >= reached.threshold AND (reached.below IS NULL OR r.total < reached.below)
        RETURNING r.membership_id, had.code AS was, had.rank AS before, reached.rank AS after,
                  reached.code AS became, r.since),
    changed AS (
        INSERT INTO bench_tierchange (membership_id, was, became, at, why, recorded_at)
        SELECT membership_id, was, became, since, 'review', upto FROM written WHERE after < before
        RETURNING id, membership_id, was, became, at, why)
    INSERT INTO bench_outboxevent (kind, payload, created_at, available_at, attempts, last_error)
    SELECT 'tier.changed', jsonb_build_object('change', id, 'membership', membership_id, 'program', program,
                                              'from', was, 'to', became, 'reason', why, 'at', at),
           now(), now(), 0, ''
      FROM changed;
$$;

-- One member with so many orders, spread over ten years.
CREATE OR REPLACE FUNCTION bench_long_history(program bigint, member bigint, orders int, begins timestamptz)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO loyalty_order (source, external_id, customer_id, status, placed_at, currency, total, tax_total,
                               taxes_included, shipping_total, discount_total, channel, store, body_hash,
                               recorded_at)
    SELECT 'long', orders || '-' || n, m.customer_id, 'completed', begins + n * (interval '3650 days' / orders),
           'USD', 1, 0, true, 0, 0, '', '', sha256(n::text::bytea), begins
      FROM loyalty_membership m, generate_series(0, orders - 1) n
     WHERE m.id = member;

    INSERT INTO loyalty_orderevaluation (order_id, program_id, membership_id, rule_versions, context)
    SELECT o.id, program, m.id, '{}', '{}'
      FROM loyalty_order o JOIN loyalty_membership m ON m.customer_id = o.customer_id
     WHERE m.id = member AND o.source = 'long';
$$;

CREATE OR REPLACE FUNCTION bench_tier_people(people int, upto timestamptz) RETURNS void LANGUAGE sql AS $$
    INSERT INTO members_customer (public_id, external_id, given_name, family_name, email, phone, locale, country,
                                  tags, attributes, created_at, updated_at)
    SELECT gen_random_uuid(), 'T' || n, '', '', '', '', '', '', '{}', '{}', upto, upto
      FROM generate_series(1, people) n;
$$;
