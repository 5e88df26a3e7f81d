from django.db import migrations

from loyalty.ledger.functions import install


class Migration(migrations.Migration):
    dependencies = [
        ("loyalty", "0013_fewer_locks"),
    ]

    operations = [
        *install("ledger_take_late"),
    ]
