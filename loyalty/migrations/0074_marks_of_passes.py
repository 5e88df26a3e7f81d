from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0073_program_reviews")]

    operations = [
        migrations.RenameField("walletpass", "told_at", "apple_told_at"),
        migrations.AddField("walletpass", "google_told_at", models.DateTimeField(null=True)),
    ]
