-- Changes whenever a program goes live, is archived, or changes in what the engine reads.
CREATE OR REPLACE FUNCTION programs_fingerprint() RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT coalesce(string_agg(id || ':' || status || revision, ',' ORDER BY id), '-')
      FROM loyalty_program WHERE status <> 'draft';
$$;
