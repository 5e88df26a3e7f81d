-- Says how many of the units asked for could have been spent, and of which movement that is.
CREATE OR REPLACE FUNCTION ledger_refuse_spend(e jsonb, spendable bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'only % of % units can be spent', spendable, e->>'n'
        USING ERRCODE = 'SL001', DETAIL = spendable::text, HINT = e->>'key';
END;
$$;
