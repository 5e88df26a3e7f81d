-- Says how many of the units asked for could have been spent.
CREATE OR REPLACE FUNCTION ledger_refuse_spend(spendable bigint, units bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'only % of % units can be spent', spendable, units
        USING ERRCODE = 'SL001', DETAIL = spendable::text;
END;
$$;
