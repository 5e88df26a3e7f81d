from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("campaigns", "0040_games_begin_with_their_program"),
    ]

    operations = [
        migrations.AlterField(
            model_name='passagestep',
            name='outcome',
            field=models.CharField(choices=[('told', 'Told'), ('told_before', 'Was told already'), ('withheld', 'Not told: compared without it'), ('nothing', 'There was nothing to tell'), ('waits', 'Waits'), ('yes', 'It holds'), ('no', 'It does not hold'), ('given', 'Given'), ('refused', 'Could not be given')], max_length=16),
        ),
    ]
