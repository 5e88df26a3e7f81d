from django.db import migrations

from loyalty.ledger.functions import install


class Migration(migrations.Migration):
    dependencies = [
        ("loyalty", "0029_order_discounts"),
    ]

    operations = [
        *install(
            "ledger_back",
            "ledger_lapsed_elsewhere",
            "ledger_out",
            "ledger_reached",
            "ledger_post",
        ),
    ]
