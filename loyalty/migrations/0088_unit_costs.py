from django.db import migrations

import loyalty.models.orders
from loyalty.ledger.functions import install


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0087_orders_in_order")]

    operations = [
        migrations.AddField(
            model_name="orderline",
            name="unit_cost",
            field=loyalty.models.orders.MoneyField(decimal_places=4, max_digits=18, null=True),
        ),
        *install("orders_write"),
    ]
