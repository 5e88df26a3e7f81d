from django.db import migrations

from loyalty.ledger.functions import install


class Migration(migrations.Migration):
    """A spend that is refused says which one it is."""

    dependencies = [("loyalty", "0045_stored_value_stays_where_it_is")]
    operations = [
        *install("ledger_refuse_spend", "ledger_repay", "ledger_move", "ledger_out"),
        migrations.RunSQL(
            "DROP FUNCTION IF EXISTS ledger_refuse_spend(bigint, bigint)", migrations.RunSQL.noop
        ),
    ]
