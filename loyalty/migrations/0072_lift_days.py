from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0071_economics")]

    operations = [
        migrations.AddField(
            "economicscenario",
            "lift_since",
            models.DateField(null=True, verbose_name="first day of the lift"),
        ),
        migrations.AddField(
            "economicscenario",
            "lift_until",
            models.DateField(null=True, verbose_name="last day of the lift"),
        ),
    ]
