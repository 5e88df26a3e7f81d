import django.db.models.deletion
from django.db import migrations, models

from loyalty.ledger.functions import install


class Migration(migrations.Migration):
    dependencies = [
        ("loyalty", "0014_told_late"),
    ]

    operations = [
        # What another index begins with needs none of its own, and no key is looked for by its
        # beginning.
        migrations.AlterField(
            model_name="lotuse",
            name="transfer",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="lot_uses",
                to="loyalty.transfer",
            ),
        ),
        migrations.AlterField(
            model_name="transfer",
            name="wallet_type",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="loyalty.wallettype",
            ),
        ),
        migrations.AlterField(
            model_name="transfer",
            name="key",
            field=models.CharField(max_length=200),
        ),
        migrations.AddConstraint(
            model_name="transfer",
            constraint=models.UniqueConstraint(fields=("key",), name="transfer_key"),
        ),
        *install(),
    ]
