-- Nobody closes books while this transaction books something; who closes them waits for it. What is open
-- is known to the statements that come after this one.
CREATE OR REPLACE FUNCTION ledger_hold_books() RETURNS void
LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock_shared(hashtext('loyalty.books'), 0);
$$;
