"""Queries read as Django would put them into words."""

import pytest
from django.db import connection
from django.db.backends.postgresql import compiler as of_django
from django.db.models import Count, F, QuerySet, Value
from django.db.models.expressions import Col
from django.db.models.functions import Lower

from config.database import compiler as ours
from loyalty.models import Membership, Program, WalletType
from members.models import Customer

ORDERED: dict[str, QuerySet] = {
    "by a name": Program.objects.order_by("name", "-pk"),
    "the other way round": Program.objects.order_by("name", "-pk").reverse(),
    "as the model says": Program.objects.all(),
    "by what belongs to it": WalletType.objects.order_by("program__name", "code"),
    "with what belongs to it": WalletType.objects.select_related("program").order_by("program"),
    "by what is added": Program.objects.annotate(many=Count("wallet_types")).order_by("-many"),
    "by what is added and left out": Program.objects.alias(low=Lower("name")).order_by("low"),
    "some values": Program.objects.values_list("code", "name").order_by("name"),
    "values by another name": Program.objects.values(title=F("name")).order_by("title", "code"),
    "each once": Program.objects.values("name").distinct().order_by("code"),
    "by an expression": Program.objects.order_by(Lower("name").desc(), F("code")),
    "by a column that it has": Program.objects.values("name").order_by(F("name")),
    "by nothing": Program.objects.annotate(one=Value(1)).order_by("one"),
    "of both": Program.objects.values("code")
    .union(Program.objects.values("name"))
    .order_by("code"),
    "within another": Membership.objects.filter(
        customer__in=Customer.objects.order_by("family_name")[:3]
    ).order_by("customer__family_name"),
}  # fmt: skip


@pytest.mark.parametrize("rows", ORDERED.values(), ids=ORDERED)
def test_rows_are_ordered_as_by_django(rows):
    assert connection.ops.compiler("SQLCompiler") is ours.SQLCompiler
    own = ours.SQLCompiler(rows.query.clone(), connection, "default").as_sql()
    assert own == of_django.SQLCompiler(rows.query.clone(), connection, "default").as_sql()


@pytest.mark.parametrize("rows", ["by a name", "by what belongs to it", "by what is added"])
def test_ordering_by_names_does_not_look_who_each_column_is(rows, monkeypatch):
    def refuse(column: Col) -> int:
        raise AssertionError(f"{column} was looked at")

    monkeypatch.setattr(Col, "__hash__", refuse)
    query = ORDERED[rows].query.clone()
    # Those are told apart by their columns.
    query.group_by = None
    ours.SQLCompiler(query, connection, "default").as_sql()
