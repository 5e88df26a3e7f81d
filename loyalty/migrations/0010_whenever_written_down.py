from django.db import migrations

from loyalty.ledger.functions import install

# One takes a further argument now, the other is gone.
FORMER = ("ledger_unexpire", "ledger_unexpire_since")
ARGUMENTS = "bigint, bigint, text, timestamptz, date, text, timestamptz"


class Migration(migrations.Migration):
    dependencies = [
        ("loyalty", "0009_gifts"),
    ]

    operations = [
        *(
            migrations.RunSQL(
                f"DROP FUNCTION IF EXISTS {name}({ARGUMENTS})", migrations.RunSQL.noop
            )
            for name in FORMER
        ),
        *install(),
    ]
