from django.db import migrations

from loyalty.ledger.functions import install


class Migration(migrations.Migration):
    dependencies = [
        ("loyalty", "0012_pools"),
    ]

    operations = [*install("ledger_post")]
