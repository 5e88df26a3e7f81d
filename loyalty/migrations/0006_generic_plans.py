from django.db import migrations

from loyalty.ledger.functions import install


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0005_trigger_texts")]

    operations = [*install()]
