import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.operations
import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
import django.db.models.functions.text
import django.utils.timezone
import members.models.audit
import pgtrigger.compiler
import uuid
from decimal import Decimal
from pathlib import Path
from django.conf import settings
from django.db import migrations, models
from django.db.migrations.operations import RunSQL

from members.tables_at_once import CreateTables

SOURCE = Path(__file__).parents[1] / "selectors" / "sql" / "similar_customers.sql"


class Migration(migrations.Migration):

    replaces = [
        ('members', '0001_initial'),
        ('members', '0002_customer_search'),
        ('members', '0003_job_done_before'),
        ('members', '0004_jobs_resume_and_log'),
        ('members', '0005_merged_customers'),
        ('members', '0006_segments'),
        ('members', '0007_followed_customers'),
        ('members', '0008_staff_phone'),
        ('members', '0009_storefront'),
        ('members', '0010_event_wishes'),
        ('members', '0011_one_order_for_equal_names'),
        ('members', '0012_what_was_worked_out_since'),
        ('members', '0013_what_is_forgotten'),
        ('members', '0014_day_of_first_order'),
        ('members', '0015_sign_in_elsewhere'),
        ('members', '0016_auditors'),
        ('members', '0017_roles_of_programs'),
        ('members', '0018_tasks_and_tags'),
    ]

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        django.contrib.postgres.operations.TrigramExtension(),
        # An index calls it.
        RunSQL(
            members.models.audit.TEXT_FUNCTION,
            "DROP FUNCTION members_audit_text(text, text, text, jsonb, jsonb)",
        ),
        CreateTables([
            migrations.CreateModel(
                name='User',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('password', models.CharField(max_length=128, verbose_name='password')),
                    ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                    ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                    ('email', models.EmailField(max_length=254, verbose_name='e-mail address')),
                    ('name', models.CharField(blank=True, max_length=150, verbose_name='name')),
                    ('is_active', models.BooleanField(default=True, verbose_name='may sign in')),
                    ('date_joined', models.DateTimeField(default=django.utils.timezone.now, verbose_name='joined')),
                    ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                    ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(django.db.models.functions.text.Lower('email'), name='user_email_unique')],
                },
            ),
            migrations.CreateModel(
                name='ApiKey',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(help_text='Who uses it: “Web shop”.', max_length=100, verbose_name='name')),
                    ('prefix', models.CharField(max_length=12, unique=True)),
                    ('key_hash', models.BinaryField(max_length=32, unique=True)),
                    ('scopes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), size=None)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('expires_at', models.DateTimeField(blank=True, null=True, verbose_name='expires')),
                    ('revoked_at', models.DateTimeField(blank=True, null=True)),
                    ('last_used_at', models.DateTimeField(blank=True, null=True)),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('former_hash', models.BinaryField(max_length=32, null=True)),
                    ('former_until', models.DateTimeField(null=True)),
                    ('rotated_at', models.DateTimeField(null=True)),
                ],
                options={
                    'ordering': ['-id'],
                    'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('former_hash', None), ('former_until', None)), models.Q(('former_hash__isnull', False), ('former_until__isnull', False)), _connector='OR'), name='api_key_former_secret_ends')],
                },
            ),
            migrations.CreateModel(
                name='AuditEntry',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('at', models.DateTimeField(auto_now_add=True)),
                    ('actor_label', models.CharField(max_length=200)),
                    ('action', models.CharField(max_length=64)),
                    ('target', models.CharField(max_length=160)),
                    ('target_label', models.CharField(max_length=200)),
                    ('before', models.JSONField(null=True)),
                    ('after', models.JSONField(null=True)),
                    ('reason', models.TextField(blank=True)),
                    ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('erased_at', models.DateTimeField(null=True)),
                    ('place', models.CharField(blank=True, db_default='', default='', max_length=50)),
                    ('program', models.BigIntegerField(null=True)),
                    ('way', models.CharField(blank=True, choices=[('screen', 'Screen'), ('api', 'API'), ('command', 'Command'), ('job', 'Job')], db_default='', default='', max_length=16)),
                    ('way_name', models.CharField(blank=True, db_default='', default='', max_length=100)),
                ],
                options={
                    'ordering': ['-id'],
                    'indexes': [models.Index(fields=['target', '-id'], name='audit_target'), models.Index(fields=['actor', '-id'], name='audit_actor'), models.Index(fields=['way', '-id'], name='audit_way'), models.Index(condition=models.Q(('program__isnull', False)), fields=['program', '-id'], name='audit_program'), django.contrib.postgres.indexes.GinIndex(django.contrib.postgres.indexes.OpClass(members.models.audit.AuditText(), name='gin_trgm_ops'), name='audit_text')],
                    'triggers': [pgtrigger.compiler.Trigger(name='audit_immutable', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='d169495067f16b7b8532135590e86f688f34db6f', operation='DELETE', pgid='pgtrigger_audit_immutable_5c241', table='members_auditentry', when='BEFORE')), pgtrigger.compiler.Trigger(name='audit_only_forgets', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    IF NEW.erased_at IS NULL\n       OR (NEW.id, NEW.at, NEW.actor_id, NEW.action, NEW.target)\n          IS DISTINCT FROM (OLD.id, OLD.at, OLD.actor_id, OLD.action, OLD.target)\n       OR (NEW.way, NEW.way_name, NEW.program) IS DISTINCT FROM (OLD.way, OLD.way_name, OLD.program)\n       OR NEW.place NOT IN (OLD.place, '')\n       OR NEW.actor_label NOT IN (OLD.actor_label, '')\n       OR NEW.target_label NOT IN (OLD.target_label, '') OR NEW.reason NOT IN (OLD.reason, '')\n       OR EXISTS (\n           SELECT FROM (VALUES (OLD.before, NEW.before), (OLD.after, NEW.after)) x(was, becomes)\n            WHERE jsonb_typeof(x.was) IS DISTINCT FROM jsonb_typeof(x.becomes)\n               OR CASE WHEN jsonb_typeof(x.was) = 'object' THEN EXISTS (\n                      SELECT FROM jsonb_each(x.was) o FULL JOIN jsonb_each(x.becomes) n USING (key)\n                       WHERE n.value IS DISTINCT FROM o.value\n                         AND (o.value IS NULL OR n.value IS DISTINCT FROM 'null'::jsonb))\n                  ELSE x.was IS DISTINCT FROM x.becomes END) THEN\n        RAISE EXCEPTION 'Cannot update rows from members_auditentry, but for forgetting';\n    END IF;\n    RETURN NEW;\n", hash='970dc3ca87c792015c22e94e9737a3725853a002', operation='UPDATE', pgid='pgtrigger_audit_only_forgets_f2fff', table='members_auditentry', when='BEFORE'))],
                },
            ),
            migrations.CreateModel(
                name='Customer',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('public_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                    ('external_id', models.CharField(blank=True, help_text='The number under which your shop knows this person.', max_length=128, null=True, unique=True, verbose_name='customer number')),
                    ('given_name', models.CharField(blank=True, max_length=100, verbose_name='given name')),
                    ('family_name', models.CharField(blank=True, max_length=100, verbose_name='family name')),
                    ('email', models.EmailField(blank=True, max_length=254, verbose_name='e-mail')),
                    ('phone', models.CharField(blank=True, help_text='As +60123456789.', max_length=20, verbose_name='phone')),
                    ('locale', models.CharField(blank=True, max_length=16, verbose_name='language')),
                    ('country', models.CharField(blank=True, max_length=2, verbose_name='country')),
                    ('birthday', models.DateField(blank=True, null=True, verbose_name='birthday')),
                    ('tags', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), blank=True, default=list, size=None)),
                    ('attributes', models.JSONField(blank=True, default=dict)),
                    ('created_at', models.DateTimeField(auto_now_add=True, db_index=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('search_text', models.GeneratedField(db_persist=True, expression=models.Func(django.db.models.functions.text.Lower(django.db.models.functions.text.Concat('given_name', models.Value(' '), 'family_name', models.Value(' '), 'email', models.Value(' '), 'phone', models.Value(' '), 'external_id', output_field=models.TextField())), models.Value('àáâãäåāăąạảấầẩẫậắằẳẵặçćĉċčďđèéêëēĕėęěẹẻẽếềểễệĝğġģĥħìíîïĩīĭįıỉịĵķĺļľłñńņňòóôõöøōŏőơọỏốồổỗộớờởỡợŕŗřśŝşšșţťŧțùúûüũūŭůűųưụủứừửữựŵýÿŷỳỵỷỹźżžάέήίϊΐόςύϋΰώ'), models.Value('aaaaaaaaaaaaaaaaaaaaacccccddeeeeeeeeeeeeeeeeegggghhiiiiiiiiiiijkllllnnnnoooooooooooooooooooooorrrsssssttttuuuuuuuuuuuuuuuuuuwyyyyyyyzzzαεηιιιοσυυυω'), function='translate', output_field=models.TextField()), output_field=models.TextField())),
                    ('user', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='customer', to=settings.AUTH_USER_MODEL)),
                    ('merged_into', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='duplicates', to='members.customer')),
                    ('tokens_from', models.DateTimeField(blank=True, editable=False, null=True)),
                ],
                options={
                    'indexes': [django.contrib.postgres.indexes.GinIndex(fields=['search_text'], name='customer_search', opclasses=['gin_trgm_ops']), models.Index(condition=models.Q(('merged_into', None), _negated=True), fields=['merged_into'], name='customer_merged'), models.Index(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.functions.datetime.ExtractMonth('birthday'), '*', models.Value(100)), '+', django.db.models.functions.datetime.ExtractDay('birthday')), models.F('id'), condition=models.Q(('birthday', None), _negated=True), name='customer_day_of_birth'), django.contrib.postgres.indexes.GinIndex(fields=['tags'], name='customer_tags')],
                    'constraints': [models.UniqueConstraint(django.db.models.functions.text.Lower('email'), condition=models.Q(('email', ''), _negated=True), name='customer_email_unique'), models.UniqueConstraint(condition=models.Q(('phone', ''), _negated=True), fields=('phone',), name='customer_phone_unique'), models.CheckConstraint(condition=models.Q(('phone', ''), ('phone__regex', '^\\+[1-9][0-9]{5,17}$'), _connector='OR'), name='customer_phone_e164'), models.CheckConstraint(condition=models.Q(('external_id', ''), _negated=True), name='customer_external_id_not_blank'), models.CheckConstraint(condition=models.Q(('merged_into', models.F('id')), _negated=True), name='customer_not_into_itself')],
                    'triggers': [pgtrigger.compiler.Trigger(name='customer_merged_in_one_step', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."merged_into_id" IS NOT NULL)', func="\n                    IF EXISTS (SELECT 1 FROM members_customer\n                                WHERE (id = NEW.merged_into_id AND merged_into_id IS NOT NULL)\n                                   OR merged_into_id = NEW.id) THEN\n                        RAISE EXCEPTION 'customer % cannot be merged into %',\n                            NEW.id, NEW.merged_into_id USING ERRCODE = 'check_violation';\n                    END IF;\n                    RETURN NEW;\n                ", hash='c36aeedaa107a15bfe611ff2ce7b44656b09499f', operation='INSERT OR UPDATE OF "merged_into_id"', pgid='pgtrigger_customer_merged_in_one_step_b5965', table='members_customer', when='BEFORE')), pgtrigger.compiler.Trigger(name='tell_new', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    INSERT INTO members_outboxevent\n           (kind, payload, created_at, available_at, attempts, last_error)\n    SELECT 'customers.changed', jsonb_build_object('customers', jsonb_agg(c.customer)),\n           now(), now(), 0, ''\n      FROM (SELECT d.customer, (row_number() OVER () - 1) / 1000 AS part\n              FROM (SELECT DISTINCT x.customer FROM (SELECT n.id AS customer FROM new_rows n) x\n                     WHERE x.customer IS NOT NULL) d) c\n     GROUP BY c.part;\n    RETURN NULL;\n", hash='592c8439cc0b45917f855a4d1ff192607f838b9f', level='STATEMENT', operation='INSERT', pgid='pgtrigger_tell_new_b5b6c', referencing='REFERENCING NEW TABLE AS new_rows ', table='members_customer', when='AFTER')), pgtrigger.compiler.Trigger(name='tell_changed', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    INSERT INTO members_outboxevent\n           (kind, payload, created_at, available_at, attempts, last_error)\n    SELECT 'customers.changed', jsonb_build_object('customers', jsonb_agg(c.customer)),\n           now(), now(), 0, ''\n      FROM (SELECT d.customer, (row_number() OVER () - 1) / 1000 AS part\n              FROM (SELECT DISTINCT x.customer FROM (\n        SELECT unnest(ARRAY[o.id, n.id]) AS customer\n          FROM old_rows o JOIN new_rows n ON n.id = o.id\n         WHERE (o.attributes, o.birthday, o.country, o.created_at, o.email, o.external_id, o.family_name, o.given_name, o.id, o.locale, o.merged_into_id, o.phone, o.tags) IS DISTINCT FROM (n.attributes, n.birthday, n.country, n.created_at, n.email, n.external_id, n.family_name, n.given_name, n.id, n.locale, n.merged_into_id, n.phone, n.tags)) x\n                     WHERE x.customer IS NOT NULL) d) c\n     GROUP BY c.part;\n    RETURN NULL;\n", hash='4655fe8c1dab07b8e84340bfe8682a59ccfb9858', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_tell_changed_a9ff9', referencing='REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ', table='members_customer', when='AFTER')), pgtrigger.compiler.Trigger(name='new_for_followers', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    IF NOT EXISTS (SELECT FROM members_eventwish WHERE kind = 'told.customers') THEN\n        RETURN NULL;\n    END IF;\n    INSERT INTO members_outboxevent\n           (kind, payload, created_at, available_at, attempts, last_error)\n    SELECT 'told.customers',\n           jsonb_build_object('rows', jsonb_agg(\n               jsonb_build_array(x.id, x.was, x.became, x.changed) ORDER BY x.id)),\n           now(), now(), 0, ''\n      FROM (SELECT r.*, (row_number() OVER (ORDER BY r.id) - 1) / 200 AS part FROM (SELECT n.id, NULL::text AS was, coalesce(n.merged_into_id::text, '') AS became, '[]'::jsonb AS changed FROM new_rows n) r) x\n     GROUP BY x.part ORDER BY x.part;\n    RETURN NULL;\n", hash='7cb773a14523add77290fef8118c0adb9d6dd93f', level='STATEMENT', operation='INSERT', pgid='pgtrigger_new_for_followers_334a9', referencing='REFERENCING NEW TABLE AS new_rows ', table='members_customer', when='AFTER')), pgtrigger.compiler.Trigger(name='changed_for_followers', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    IF NOT EXISTS (SELECT FROM members_eventwish WHERE kind = 'told.customers') THEN\n        RETURN NULL;\n    END IF;\n    INSERT INTO members_outboxevent\n           (kind, payload, created_at, available_at, attempts, last_error)\n    SELECT 'told.customers',\n           jsonb_build_object('rows', jsonb_agg(\n               jsonb_build_array(x.id, x.was, x.became, x.changed) ORDER BY x.id)),\n           now(), now(), 0, ''\n      FROM (SELECT r.*, (row_number() OVER (ORDER BY r.id) - 1) / 200 AS part FROM (\n        SELECT n.id, coalesce(o.merged_into_id::text, '') AS was, coalesce(n.merged_into_id::text, '') AS became,\n               to_jsonb(array_remove(ARRAY[CASE WHEN o.attributes IS DISTINCT FROM n.attributes THEN 'attributes' END, CASE WHEN o.birthday IS DISTINCT FROM n.birthday THEN 'birthday' END, CASE WHEN o.country IS DISTINCT FROM n.country THEN 'country' END, CASE WHEN o.created_at IS DISTINCT FROM n.created_at THEN 'created_at' END, CASE WHEN o.email IS DISTINCT FROM n.email THEN 'email' END, CASE WHEN o.external_id IS DISTINCT FROM n.external_id THEN 'external_id' END, CASE WHEN o.family_name IS DISTINCT FROM n.family_name THEN 'family_name' END, CASE WHEN o.given_name IS DISTINCT FROM n.given_name THEN 'given_name' END, CASE WHEN o.locale IS DISTINCT FROM n.locale THEN 'locale' END, CASE WHEN o.merged_into_id IS DISTINCT FROM n.merged_into_id THEN 'merged_into_id' END, CASE WHEN o.phone IS DISTINCT FROM n.phone THEN 'phone' END, CASE WHEN o.tags IS DISTINCT FROM n.tags THEN 'tags' END], NULL)) AS changed\n          FROM old_rows o JOIN new_rows n ON n.id = o.id\n         WHERE (o.attributes, o.birthday, o.country, o.created_at, o.email, o.external_id, o.family_name, o.given_name, o.locale, o.merged_into_id, o.phone, o.tags) IS DISTINCT FROM (n.attributes, n.birthday, n.country, n.created_at, n.email, n.external_id, n.family_name, n.given_name, n.locale, n.merged_into_id, n.phone, n.tags)) r) x\n     GROUP BY x.part ORDER BY x.part;\n    RETURN NULL;\n", hash='b29a72d4ee0bbd5f5ddbfb60862751074f238330', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_changed_for_followers_7217e', referencing='REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ', table='members_customer', when='AFTER'))],
                },
            ),
            migrations.CreateModel(
                name='CustomerNote',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('text', models.TextField(max_length=4000, verbose_name='note')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('author', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('customer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notes', to='members.customer')),
                ],
                options={
                    'ordering': ['-created_at', '-id'],
                },
            ),
            migrations.CreateModel(
                name='IdempotencyRecord',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('key', models.CharField(max_length=255)),
                    ('request_hash', models.BinaryField(max_length=32)),
                    ('status', models.PositiveSmallIntegerField(null=True)),
                    ('body', models.JSONField(null=True)),
                    ('created_at', models.DateTimeField(auto_now_add=True, db_index=True)),
                    ('api_key', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='members.apikey')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('api_key', 'key'), name='idempotency_key_once')],
                },
            ),
            migrations.CreateModel(
                name='Job',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('public_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                    ('kind', models.CharField(max_length=64)),
                    ('label', models.CharField(max_length=200)),
                    ('fingerprint', models.CharField(max_length=64)),
                    ('params', models.JSONField(default=dict)),
                    ('state', models.CharField(choices=[('queued', 'Waiting'), ('running', 'Running'), ('succeeded', 'Done'), ('failed', 'Failed'), ('cancelled', 'Cancelled')], default='queued', max_length=16)),
                    ('done', models.BigIntegerField(default=0)),
                    ('total', models.BigIntegerField(default=0)),
                    ('checkpoint', models.JSONField(default=dict)),
                    ('result', models.JSONField(default=dict)),
                    ('error', models.TextField(blank=True)),
                    ('cancel_requested', models.BooleanField(default=False)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('started_at', models.DateTimeField(null=True)),
                    ('heartbeat_at', models.DateTimeField(null=True)),
                    ('finished_at', models.DateTimeField(null=True)),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('done_before', models.BigIntegerField(default=0)),
                    ('attempts', models.PositiveSmallIntegerField(default=0)),
                    ('queued_at', models.DateTimeField(null=True)),
                    ('worker', models.CharField(blank=True, max_length=120)),
                ],
                options={
                    'ordering': ['-id'],
                    'constraints': [models.UniqueConstraint(condition=models.Q(('state__in', ['queued', 'running', 'failed'])), fields=('kind', 'fingerprint'), name='job_once_at_a_time')],
                },
            ),
            migrations.CreateModel(
                name='JobError',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('file', models.CharField(max_length=16)),
                    ('row', models.BigIntegerField()),
                    ('column', models.CharField(max_length=64)),
                    ('value', models.CharField(max_length=200)),
                    ('reason', models.CharField(max_length=300)),
                    ('job', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='errors', to='members.job')),
                ],
                options={
                    'ordering': ['file', 'row', 'column'],
                    'constraints': [models.UniqueConstraint(fields=('job', 'file', 'row', 'column'), name='job_error_once')],
                },
            ),
            migrations.CreateModel(
                name='Merchant',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=120, verbose_name='name')),
                    ('logo', models.FileField(blank=True, help_text='PNG, JPEG or WebP, at most 512 kB, best at least 128 pixels high.', upload_to='merchant/', validators=[django.core.validators.FileExtensionValidator(['png', 'jpg', 'jpeg', 'webp'])], verbose_name='logo')),
                    ('accent_color', models.CharField(default='#0f766e', max_length=7, validators=[django.core.validators.RegexValidator('^#[0-9a-fA-F]{6}$', 'Write a color like #0f766e.')], verbose_name='accent color')),
                    ('currency', models.CharField(default='USD', max_length=3, verbose_name='currency')),
                    ('time_zone', models.CharField(default='UTC', max_length=64, verbose_name='time zone')),
                    ('locale', models.CharField(default='en', max_length=16, verbose_name='language')),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('shop_origins', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=255), blank=True, default=list, size=None, verbose_name='shop addresses')),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='merchant_single_row'), models.CheckConstraint(condition=models.Q(('currency__regex', '^[A-Z]{3}$')), name='merchant_currency_iso')],
                },
            ),
            migrations.CreateModel(
                name='OutboxEvent',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('kind', models.CharField(max_length=64)),
                    ('payload', models.JSONField(default=dict)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('available_at', models.DateTimeField(auto_now_add=True)),
                    ('delivered_at', models.DateTimeField(null=True)),
                    ('attempts', models.PositiveSmallIntegerField(default=0)),
                    ('last_error', models.TextField(blank=True)),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('delivered_at', None)), fields=['available_at', 'id'], name='outbox_waiting')],
                },
            ),
            migrations.CreateModel(
                name='StaffMember',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('role', models.CharField(choices=[('administrator', 'Administrator'), ('marketing_manager', 'Marketing manager'), ('support_agent', 'Support agent'), ('analyst', 'Analyst'), ('auditor', 'Auditor')], max_length=32, verbose_name='role')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='staff_member', to=settings.AUTH_USER_MODEL)),
                    ('phone', models.CharField(blank=True, db_default='', default='', help_text='As +60123456789. Companies whose account they manage see it.', max_length=20, verbose_name='phone')),
                    ('programs', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), blank=True, db_default=[], default=list, size=None)),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('phone', ''), ('phone__regex', '^\\+[1-9][0-9]{5,17}$'), _connector='OR'), name='staff_phone_e164'), models.CheckConstraint(condition=models.Q(('role__in', ['administrator', 'marketing_manager', 'support_agent', 'analyst', 'auditor'])), name='staff_role_known'), models.CheckConstraint(condition=models.Q(models.Q(('role', 'administrator'), _negated=True), ('programs', []), _connector='OR'), name='staff_administrators_see_all')],
                },
            ),
            migrations.CreateModel(
                name='JobLogLine',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('at', models.DateTimeField()),
                    ('level', models.CharField(choices=[('info', 'Note'), ('warning', 'Warning'), ('error', 'Error')], default='info', max_length=8)),
                    ('text', models.CharField(max_length=500)),
                    ('job', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='log_lines', to='members.job')),
                ],
                options={
                    'ordering': ['-id'],
                },
            ),
            migrations.CreateModel(
                name='CustomerMerge',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('public_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                    ('merged_at', models.DateTimeField()),
                    ('reason', models.CharField(blank=True, default='', max_length=300)),
                    ('record', models.JSONField(default=dict)),
                    ('undone_at', models.DateTimeField(null=True)),
                    ('kept', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='merges', to='members.customer')),
                    ('merged', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='merges_away', to='members.customer')),
                    ('merged_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('undone_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('kept', models.F('merged')), _negated=True), name='merge_of_two'), models.UniqueConstraint(condition=models.Q(('undone_at', None)), fields=('merged',), name='merge_in_force_once'), models.CheckConstraint(condition=models.Q(('undone_by', None), ('undone_at__isnull', False), _connector='OR'), name='merge_undone_at_a_time')],
                },
            ),
            migrations.CreateModel(
                name='CustomerFacts',
                fields=[
                    ('customer', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='facts', serialize=False, to='members.customer')),
                    ('orders', models.PositiveIntegerField(default=0)),
                    ('ordered', models.DecimalField(decimal_places=4, default=0, max_digits=18)),
                    ('returned', models.DecimalField(decimal_places=4, default=0, max_digits=18)),
                    ('goods', models.DecimalField(decimal_places=4, default=0, max_digits=18)),
                    ('discounts', models.DecimalField(decimal_places=4, default=0, max_digits=18)),
                    ('first_order_at', models.DateTimeField(null=True)),
                    ('last_order_at', models.DateTimeField(null=True)),
                    ('categories', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=128), default=list, size=None)),
                    ('activities', models.JSONField(default=dict)),
                    ('as_of', models.DateTimeField()),
                    ('spend', models.GeneratedField(db_persist=True, expression=django.db.models.expressions.CombinedExpression(models.F('ordered'), '-', models.F('returned')), output_field=models.DecimalField(decimal_places=4, max_digits=18))),
                    ('average_order', models.GeneratedField(db_persist=True, expression=models.Case(models.When(models.Q(('orders__gt', 0)), then=models.ExpressionWrapper(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('ordered'), '-', models.F('returned')), '/', models.F('orders')), output_field=models.DecimalField(decimal_places=2, max_digits=18))), default=models.Value(None), output_field=models.DecimalField(decimal_places=2, max_digits=18)), output_field=models.DecimalField(decimal_places=2, max_digits=18))),
                    ('purchase_cycle', models.GeneratedField(db_persist=True, expression=models.Case(models.When(models.Q(('orders__gt', 1)), then=models.ExpressionWrapper(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.functions.datetime.Extract(models.ExpressionWrapper(django.db.models.expressions.CombinedExpression(models.F('last_order_at'), '-', models.F('first_order_at')), output_field=models.DurationField()), 'epoch'), '/', models.Value(Decimal('86400'))), '/', django.db.models.expressions.CombinedExpression(models.F('orders'), '-', models.Value(1))), output_field=models.DecimalField(decimal_places=2, max_digits=18))), default=models.Value(None), output_field=models.DecimalField(decimal_places=2, max_digits=18)), output_field=models.DecimalField(decimal_places=2, max_digits=18))),
                    ('discount_share', models.GeneratedField(db_persist=True, expression=models.Case(models.When(models.Q(('goods__gt', 0)), then=models.ExpressionWrapper(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.Value(Decimal('100')), '*', models.F('discounts')), '/', models.F('goods')), output_field=models.DecimalField(decimal_places=2, max_digits=18))), default=models.Value(None), output_field=models.DecimalField(decimal_places=2, max_digits=18)), output_field=models.DecimalField(decimal_places=2, max_digits=18))),
                    ('returns_share', models.GeneratedField(db_persist=True, expression=models.Case(models.When(models.Q(('ordered__gt', 0)), then=models.ExpressionWrapper(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.Value(Decimal('100')), '*', models.F('returned')), '/', models.F('ordered')), output_field=models.DecimalField(decimal_places=2, max_digits=18))), default=models.Value(None), output_field=models.DecimalField(decimal_places=2, max_digits=18)), output_field=models.DecimalField(decimal_places=2, max_digits=18))),
                    ('spend_percentile', models.DecimalField(decimal_places=2, max_digits=5, null=True)),
                ],
                options={
                    'indexes': [models.Index(fields=['spend'], name='facts_spend'), models.Index(fields=['last_order_at'], name='facts_last_order'), django.contrib.postgres.indexes.GinIndex(fields=['categories'], name='facts_categories'), models.Index(fields=['as_of'], name='facts_as_of'), models.Index(models.Func('first_order_at', template="EXTRACT(MONTH FROM %(expressions)s AT TIME ZONE 'UTC') * 100 + EXTRACT(DAY FROM %(expressions)s AT TIME ZONE 'UTC')"), models.F('customer'), condition=models.Q(('first_order_at', None), _negated=True), name='facts_day_of_first_order')],
                },
            ),
            migrations.CreateModel(
                name='Segment',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('public_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                    ('code', models.CharField(help_text='Short name for rules, files and the API. Stays as it is.', max_length=64, unique=True, validators=[django.core.validators.RegexValidator('^[a-z0-9][a-z0-9-]*$', 'Use lower-case letters, digits and hyphens.')], verbose_name='code')),
                    ('name', models.CharField(max_length=120, verbose_name='name')),
                    ('description', models.TextField(blank=True, max_length=2000, verbose_name='description')),
                    ('kind', models.CharField(choices=[('dynamic', 'By a condition'), ('static', 'A list')], default='dynamic', max_length=16)),
                    ('condition', models.JSONField(blank=True, default=dict)),
                    ('size', models.PositiveIntegerField(db_default=0, default=0)),
                    ('refreshed_at', models.DateTimeField(null=True)),
                    ('archived_at', models.DateTimeField(null=True)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['name', 'id'],
                    'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['dynamic', 'static'])), name='segment_kind_known'), models.CheckConstraint(condition=models.Q(('kind', 'dynamic'), ('condition', {}), _connector='OR'), name='segment_list_has_no_condition')],
                },
            ),
            migrations.CreateModel(
                name='SegmentMember',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('since', models.DateTimeField()),
                    ('customer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='segments', to='members.customer')),
                    ('segment', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='members', to='members.segment')),
                ],
                options={
                    'indexes': [models.Index(fields=['segment', '-since', '-id'], name='segment_member_newest')],
                    'constraints': [models.UniqueConstraint(fields=('segment', 'customer'), name='segment_member_once')],
                },
            ),
            migrations.CreateModel(
                name='SegmentSize',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('day', models.DateField()),
                    ('size', models.PositiveIntegerField()),
                    ('segment', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='sizes', to='members.segment')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('segment', 'day'), name='segment_size_once')],
                },
            ),
            migrations.CreateModel(
                name='EventWish',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('follower', models.CharField(max_length=32)),
                    ('kind', models.CharField(max_length=64)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('kind', 'follower'), name='event_wish_once')],
                },
            ),
            migrations.CreateModel(
                name='SignInProvider',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('code', models.SlugField(help_text='In its addresses, and never changed: “google”.', max_length=32, unique=True, verbose_name='code')),
                    ('name', models.CharField(help_text='As customers know it: Google.', max_length=40, verbose_name='name')),
                    ('issuer', models.URLField(max_length=255, verbose_name='issuer')),
                    ('client_id', models.CharField(max_length=191, verbose_name='client ID')),
                    ('secret', models.BinaryField()),
                    ('is_on', models.BooleanField(default=True, verbose_name='customers can use it')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                ],
                options={
                    'ordering': ['name', 'id'],
                },
            ),
            migrations.CreateModel(
                name='AuditSeal',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('entry_id', models.BigIntegerField()),
                    ('salt', models.BinaryField(max_length=16, null=True)),
                    ('content', models.BinaryField(max_length=32)),
                    ('digest', models.BinaryField(max_length=32)),
                    ('sealed_at', models.DateTimeField()),
                ],
                options={
                    'ordering': ['id'],
                    'indexes': [models.Index(fields=['entry_id', '-id'], name='audit_seal_entry'), models.Index(condition=models.Q(('salt', None)), fields=['entry_id'], name='audit_seal_forgotten')],
                    'triggers': [pgtrigger.compiler.Trigger(name='audit_seal_stays', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='528fb5bb708612b2945f85eed8fec70823242da6', operation='DELETE', pgid='pgtrigger_audit_seal_stays_448e6', table='members_auditseal', when='BEFORE')), pgtrigger.compiler.Trigger(name='audit_seal_only_loses_salt', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    IF NEW.salt IS NOT NULL\n       OR (NEW.id, NEW.entry_id, NEW.content, NEW.digest, NEW.sealed_at)\n          IS DISTINCT FROM (OLD.id, OLD.entry_id, OLD.content, OLD.digest, OLD.sealed_at) THEN\n        RAISE EXCEPTION 'Cannot update rows from members_auditseal, but for forgetting';\n    END IF;\n    RETURN NEW;\n", hash='233d77d1d6e73d43507c7b0f01c74e5c679ba291', operation='UPDATE', pgid='pgtrigger_audit_seal_only_loses_salt_a5b11', table='members_auditseal', when='BEFORE'))],
                },
            ),
            migrations.CreateModel(
                name='SignIn',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('session_key', models.CharField(max_length=40, unique=True)),
                    ('device', models.CharField(max_length=100)),
                    ('place', models.CharField(max_length=50)),
                    ('signed_in_at', models.DateTimeField()),
                    ('last_seen_at', models.DateTimeField()),
                    ('ended_at', models.DateTimeField(null=True)),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sign_ins', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['-last_seen_at'],
                    'indexes': [models.Index(fields=['user', '-last_seen_at'], name='sign_in_latest')],
                },
            ),
            migrations.CreateModel(
                name='CustomerTask',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('text', models.CharField(max_length=300, verbose_name='what')),
                    ('due_on', models.DateField(verbose_name='due')),
                    ('created_at', models.DateTimeField()),
                    ('done_at', models.DateTimeField(null=True)),
                    ('assignee', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='tasks', to=settings.AUTH_USER_MODEL)),
                    ('author', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('customer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tasks', to='members.customer')),
                    ('done_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['due_on', 'id'],
                    'indexes': [models.Index(condition=models.Q(('done_at', None)), fields=['assignee', 'due_on', 'id'], name='customer_task_to_do')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('text', ''), _negated=True), name='customer_task_says_what'), models.CheckConstraint(condition=models.Q(('done_at__isnull', False), ('done_by', None), _connector='OR'), name='customer_task_done_by_somebody')],
                },
            ),
        ]),
        # The setting the function carries is known once the library is loaded in this session.
        RunSQL("SELECT show_limit()", RunSQL.noop),
        RunSQL(
            [SOURCE.read_text(encoding="utf-8")],
            "DROP FUNCTION members_similar_customers(text, integer, real)",
        ),
    ]
