-- Customers with a detail that is spelled much like the text, best first; `least_alike`: how much at
-- least, between 0 and 1. 0.4 finds one slip in a word of five letters.
--
-- `<%` uses the trigram index, but its threshold is a setting of the session; what this function
-- makes of it holds here and nowhere else. Comparing a row costs more than finding it, and of a
-- million people a hundred thousand may resemble each other a little. So those are looked for first
-- who are nearly the same, others only where these are too few, and of very many just some.
CREATE OR REPLACE FUNCTION members_similar_customers(wanted text, at_most integer, least_alike real)
RETURNS TABLE (id bigint, score real)
LANGUAGE plpgsql STABLE
SET pg_trgm.word_similarity_threshold = 0.4
AS $$
DECLARE
    compared CONSTANT integer := 500;
    alike real;
    found bigint[] := '{}';
BEGIN
    FOREACH alike IN ARRAY ARRAY[0.9, 0.6, 0.4] LOOP
        alike := greatest(alike, least_alike);
        PERFORM set_config('pg_trgm.word_similarity_threshold', alike::text, true);
        found := found || ARRAY(
            SELECT customer.id FROM members_customer AS customer
             WHERE wanted <% customer.search_text AND customer.id <> ALL(found) LIMIT compared);
        EXIT WHEN cardinality(found) >= at_most OR alike = least_alike;
    END LOOP;
    RETURN QUERY
        SELECT customer.id, word_similarity(wanted, customer.search_text) AS score
          FROM members_customer AS customer
         WHERE customer.id = ANY(found)
         ORDER BY score DESC, customer.id DESC
         LIMIT at_most;
END
$$;
