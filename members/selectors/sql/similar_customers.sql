-- Customers with a detail that is spelled much like the text, best first.
--
-- `<%` uses the trigram index, but its threshold is a setting of the session; as a setting of this
-- function it holds here and nowhere else. 0.4 finds one slip in a word of five letters.
CREATE OR REPLACE FUNCTION members_similar_customers(wanted text, at_most integer)
RETURNS TABLE (id bigint, score real)
LANGUAGE sql STABLE PARALLEL SAFE
SET pg_trgm.word_similarity_threshold = 0.4
AS $$
    SELECT customer.id, word_similarity(wanted, customer.search_text) AS score
      FROM members_customer AS customer
     WHERE wanted <% customer.search_text
     ORDER BY score DESC, customer.id DESC
     LIMIT at_most
$$;
