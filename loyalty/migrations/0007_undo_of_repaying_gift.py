from django.db import migrations

from loyalty.ledger.functions import install


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0006_generic_plans")]

    operations = install("ledger_post")
