import django.contrib.postgres.fields
from django.db import migrations, models

from loyalty.ledger.functions import install


class Migration(migrations.Migration):

    dependencies = [
        ('loyalty', '0020_account_codes'),
    ]

    operations = [
        migrations.AddField(
            model_name='order',
            name='coupons',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), db_default=[], default=list, size=None),
        ),
        migrations.AddField(
            model_name='order',
            name='payment_method',
            field=models.CharField(blank=True, db_default='', default='', max_length=32),
        ),
        migrations.AddField(
            model_name='orderline',
            name='brand',
            field=models.CharField(blank=True, db_default='', default='', max_length=128),
        ),
        *install("orders_write"),
    ]
