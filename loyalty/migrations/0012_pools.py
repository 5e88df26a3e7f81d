import django.core.validators
import django.db.models.deletion
import uuid
from django.db import migrations, models

from loyalty.ledger.functions import install


class Migration(migrations.Migration):
    dependencies = [
        ("loyalty", "0011_merged_members"),
    ]

    operations = [
        migrations.CreateModel(
            name="Pool",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[("household", "Household"), ("company", "Company")],
                        default="household",
                        max_length=16,
                        verbose_name="kind",
                    ),
                ),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                (
                    "status",
                    models.CharField(
                        choices=[("open", "Open"), ("closed", "Closed")],
                        default="open",
                        max_length=16,
                        verbose_name="status",
                    ),
                ),
                (
                    "contribution",
                    models.CharField(
                        choices=[
                            ("all", "Everything that members earn"),
                            ("share", "A share of what members earn"),
                            ("by_hand", "What members put in themselves"),
                        ],
                        default="all",
                        max_length=16,
                        verbose_name="what goes into the pool",
                    ),
                ),
                (
                    "share",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(100),
                        ],
                        verbose_name="share in percent",
                    ),
                ),
                (
                    "spending",
                    models.CharField(
                        choices=[
                            ("everyone", "Every member"),
                            ("owners", "Owners only"),
                            ("named", "Owners, and members who were named"),
                        ],
                        default="everyone",
                        max_length=16,
                        verbose_name="who may spend",
                    ),
                ),
                (
                    "leaving",
                    models.CharField(
                        choices=[
                            ("own", "What is left of what they put in"),
                            ("stays", "Nothing: it stays in the pool"),
                            ("equal_share", "An equal share of what is there"),
                        ],
                        default="own",
                        max_length=16,
                        verbose_name="what members who leave get back",
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="pool",
                        to="loyalty.account",
                    ),
                ),
                (
                    "program",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="pools",
                        to="loyalty.program",
                    ),
                ),
            ],
            options={
                "ordering": ["name", "pk"],
            },
        ),
        migrations.CreateModel(
            name="PoolMember",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[("owner", "Owner"), ("member", "Member")],
                        default="member",
                        max_length=16,
                        verbose_name="role",
                    ),
                ),
                (
                    "may_spend",
                    models.BooleanField(db_default=False, default=False, verbose_name="may spend"),
                ),
                (
                    "contributes",
                    models.BooleanField(db_default=True, default=True, verbose_name="contributes"),
                ),
                ("joined_at", models.DateTimeField()),
                ("left_at", models.DateTimeField(null=True)),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="pool_members",
                        to="loyalty.membership",
                    ),
                ),
                (
                    "pool",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="members",
                        to="loyalty.pool",
                    ),
                ),
            ],
            options={
                "ordering": ["joined_at", "pk"],
            },
        ),
        migrations.AddConstraint(
            model_name="pool",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["household", "company"])), name="pool_kind_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="pool",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("contribution", "share"), ("share__range", (1, 100))),
                    models.Q(models.Q(("contribution", "share"), _negated=True), ("share", None)),
                    _connector="OR",
                ),
                name="pool_share_where_shared",
            ),
        ),
        migrations.AddConstraint(
            model_name="pool",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("closed_at", None), ("status", "open")),
                    models.Q(("closed_at__isnull", False), ("status", "closed")),
                    _connector="OR",
                ),
                name="pool_closed_at",
            ),
        ),
        migrations.AddConstraint(
            model_name="poolmember",
            constraint=models.UniqueConstraint(
                condition=models.Q(("left_at", None)),
                fields=("membership",),
                name="pool_member_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="poolmember",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("left_at", None), ("left_at__gte", models.F("joined_at")), _connector="OR"
                ),
                name="pool_member_time",
            ),
        ),
        *install(),
    ]
