import django.db.models.deletion
from django.db import migrations, models
from django.db.migrations.operations import RunSQL

from loyalty.ledger.functions import install

# What is derived is derived anew: every day with movements is told again, and a worker follows.
TELL_ALL_DAYS = """
    INSERT INTO members_outboxevent (kind, payload, created_at, available_at, attempts, last_error)
    SELECT 'ledger.posted', jsonb_build_object('days', jsonb_agg(jsonb_build_array(wallet_type_id, booked_on))),
           now(), now(), 0, ''
      FROM (SELECT DISTINCT wallet_type_id, booked_on FROM loyalty_transfer) d
     GROUP BY wallet_type_id, date_trunc('month', booked_on);
"""


class Migration(migrations.Migration):

    dependencies = [
        ('loyalty', '0017_multiplying'),
    ]

    operations = [
        migrations.CreateModel(
            name='LotPosition',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=16)),
                ('earned_in', models.DateField()),
                ('ends', models.CharField(choices=[('date', 'On a day'), ('inactivity', 'With inactivity'), ('none', 'Never, or not known yet'), ('past', 'Expired')], max_length=16)),
                ('expires_on', models.DateField(null=True)),
                ('granted', models.BigIntegerField(default=0)),
                ('used', models.BigIntegerField(default=0)),
                ('until', models.DateField()),
            ],
        ),
        migrations.CreateModel(
            name='LotTotal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=16)),
                ('earned_in', models.DateField()),
                ('ends', models.CharField(choices=[('date', 'On a day'), ('inactivity', 'With inactivity'), ('none', 'Never, or not known yet'), ('past', 'Expired')], max_length=16)),
                ('expires_on', models.DateField(null=True)),
                ('granted', models.BigIntegerField(default=0)),
                ('used', models.BigIntegerField(default=0)),
                ('day', models.DateField()),
            ],
        ),
        RunSQL(["DELETE FROM loyalty_dailytotal", "SET CONSTRAINTS ALL IMMEDIATE"], RunSQL.noop),
        migrations.RemoveConstraint(
            model_name='dailytotal',
            name='daily_total_once',
        ),
        migrations.AddField(
            model_name='dailytotal',
            name='account',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='loyalty.account'),
        ),
        migrations.AddConstraint(
            model_name='dailytotal',
            constraint=models.UniqueConstraint(fields=('wallet_type', 'day', 'kind', 'account'), name='daily_total_once'),
        ),
        migrations.AddField(
            model_name='lotposition',
            name='wallet_type',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='loyalty.wallettype'),
        ),
        migrations.AddField(
            model_name='lottotal',
            name='wallet_type',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='loyalty.wallettype'),
        ),
        migrations.AddConstraint(
            model_name='lotposition',
            constraint=models.UniqueConstraint(fields=('wallet_type', 'until', 'kind', 'earned_in', 'ends', 'expires_on'), name='lot_position_once', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='lotposition',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ends', 'date'), ('expires_on__isnull', False)), models.Q(('ends__in', ['inactivity', 'none', 'past']), ('expires_on', None)), _connector='OR'), name='lot_position_end'),
        ),
        migrations.AddConstraint(
            model_name='lottotal',
            constraint=models.UniqueConstraint(fields=('wallet_type', 'day', 'kind', 'earned_in', 'ends', 'expires_on'), name='lot_total_once', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='lottotal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ends', 'date'), ('expires_on__isnull', False)), models.Q(('ends__in', ['inactivity', 'none']), ('expires_on', None)), _connector='OR'), name='lot_total_end'),
        ),
        migrations.AlterField(
            model_name='lotchange',
            name='reason',
            field=models.CharField(choices=[('order', 'The order went on'), ('held', 'Held back'), ('released', 'Released'), ('confirmed', 'Confirmed early'), ('extended', 'Extended'), ('reinstated', 'Brought back'), ('restored', 'A spend was undone'), ('warned', 'A warning went out'), ('policy', 'The expiry policy was changed for units that exist'), ('inactive', 'Nothing happened for too long'), ('renewed', 'An activity was told late')], max_length=16),
        ),
        RunSQL(
            "DROP FUNCTION IF EXISTS ledger_renew(bigint, timestamptz, timestamptz, boolean)",
            RunSQL.noop,
        ),
        *install(
            "ledger_end_idle",
            "ledger_renew_lots",
            "ledger_refresh",
            "ledger_renew",
            "ledger_unexpire_renewed",
            "ledger_unexpire",
            "ledger_back",
            "ledger_in",
            "ledger_out",
            "ledger_move",
        ),
        RunSQL([TELL_ALL_DAYS], RunSQL.noop),
    ]
