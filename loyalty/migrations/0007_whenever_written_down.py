from django.db import migrations

from loyalty.ledger.functions import install

# One takes a further argument now, the other is gone.
FORMER = ("ledger_unexpire", "ledger_unexpire_since")
ARGUMENTS = "bigint, bigint, text, timestamptz, date, text, timestamptz"


class Migration(migrations.Migration):
    dependencies = [
        ("loyalty", "0006_windows"),
    ]

    operations = [
        *(
            migrations.RunSQL(
                f"DROP FUNCTION IF EXISTS {name}({ARGUMENTS})", migrations.RunSQL.noop
            )
            for name in FORMER
        ),
        *install(
            "ledger_use",
            "ledger_own_lots",
            "ledger_unexpire",
            "ledger_unexpire_renewed",
            "ledger_take_late",
            "ledger_catch_up",
            "ledger_tell",
            "ledger_in",
            "ledger_back",
            "ledger_reinstate",
            "ledger_move",
            "ledger_out",
            "ledger_post",
            "ledger_expire_due",
            "ledger_refresh_stale",
            "ledger_retime",
        ),
    ]
