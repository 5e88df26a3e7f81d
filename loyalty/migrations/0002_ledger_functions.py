from django.db import migrations
from django.db.migrations.operations import RunSQL


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0001_initial")]

    operations = [
        # Balances change in place: room on the page keeps those updates off the indexes.
        RunSQL("ALTER TABLE loyalty_wallet SET (fillfactor = 70)", RunSQL.noop),
        RunSQL("ALTER TABLE loyalty_lot SET (fillfactor = 90)", RunSQL.noop),
    ]
