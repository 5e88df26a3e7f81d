"""What conditions can ask of a customer: the fields of this application."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache, partial, reduce
from operator import and_, attrgetter, or_
from typing import Any

from django.db.models import (
    Case,
    Exists,
    ExpressionWrapper,
    Func,
    IntegerField,
    OuterRef,
    Q,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Cast, Concat, ExtractYear
from django.db.models.lookups import GreaterThan
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _

from members.conditions import values
from members.conditions.fields import CUSTOMER, SEGMENTS, Field, FieldFamily, register_fields
from members.conditions.moments import Moment, kept_on
from members.genders import GENDERS
from members.selectors.customer_values import IN_USE, values_in_use
from members.selectors.profile_questions import (
    answer_choices,
    question_choices,
    question_words,
)
from members.selectors.segments import segment_choices


def register() -> None:
    register_fields("customer", _("Customer"), (*_FIELDS, _ANSWERS, _ATTRIBUTES, _DRAWS, _SEGMENTS))


def _field(name: str, label: Any, kind: values.ValueType, help: Any = "") -> Field:
    return Field(
        f"customer.{name}", label, kind, CUSTOMER, attrgetter(name), help=help, column=name,
        suggest=partial(values_in_use, name) if name in IN_USE else None,
    )  # fmt: skip


def attribute_text(attributes: Mapping[str, Any], key: str) -> str | None:
    """An attribute of the merchant's own as text, as the database casts it."""
    value = attributes.get(key)
    return value if value is None or isinstance(value, str) else json.dumps(value)


@lru_cache(maxsize=1024)  # the same name is the same field
def _attribute(key: str) -> Field:
    return Field(
        f"customer.attributes.{key}",
        key,
        values.TEXT,
        CUSTOMER,
        lambda customer: attribute_text(customer.attributes, key),
        help=_("An attribute that your shop sends with the customer."),
        query=lambda operator, operand, moment: _attribute_query(key, operator, operand, moment),
    )


def _attribute_query(key: str, operator: Any, operand: Any, moment: Any) -> Q:
    """As text, whatever kind of JSON it is."""
    from django.db.models.fields.json import KeyTextTransform

    from members.models import Customer

    column = "attribute_text"
    known = ~Q(**{f"{column}__isnull": True}) & ~Q(**{column: ""})
    asked = operator.query(column, operand, moment)
    found = ~known | asked if operator.unknown else known & asked
    with_text = Customer.objects.annotate(attribute_text=KeyTextTransform(key, "attributes"))
    return Q(Exists(with_text.filter(found, pk=OuterRef("pk"))))


def age_on(birthday: dt.date | None, moment: Moment) -> int | None:
    """Full years; whoever was born on 29 February is a year older on the 28th, where there is no
    29th."""
    if birthday is None:
        return None
    today = moment.today
    to_come = birthday.month * 100 + birthday.day > max(kept_on(today))
    return today.year - birthday.year - to_come


def _age_query(operator: Any, operand: Any, moment: Moment) -> Q:
    """As `age_on` says."""
    from members.models import Customer
    from members.models.customers import day_of_birth

    born = day_of_birth()
    to_come = Case(When(GreaterThan(born, max(kept_on(moment.today))), then=1), default=0)
    age = ExpressionWrapper(
        moment.today.year - ExtractYear("birthday") - to_come, output_field=IntegerField()
    )
    asked = operator.query("age", operand, moment)
    known = Q(birthday__isnull=False)
    found = ~known | asked if operator.unknown else known & asked
    return Q(Exists(Customer.objects.annotate(age=age).filter(found, pk=OuterRef("pk"))))


# Numbers are drawn from 0 to this one.
HIGHEST = 99


def drawn_number(name: str, public_id: object) -> int:
    """From 0 to 99, the same for the same name and person whenever and wherever it is asked."""
    digest = hashlib.sha256(f"{name}:{public_id}".encode()).digest()
    return int.from_bytes(digest[:4], "big") % (HIGHEST + 1)


class DrawnNumber(Func):
    """`drawn_number` in the database, of a text."""

    template = (
        "mod(('x' || encode(substring(sha256(convert_to(%(expressions)s, 'UTF8')) from 1 for 4),"
        " 'hex'))::bit(32)::bigint, 100)::integer"
    )
    output_field = IntegerField()

    @classmethod
    def of(cls, name: str, column: str) -> DrawnNumber:
        return cls(Concat(Value(f"{name}:"), Cast(column, TextField())))


@lru_cache(maxsize=1024)
def _draw(name: str) -> Field:
    return Field(
        f"customer.draw.{name}",
        _("number drawn for %(name)s") % {"name": name},
        values.NUMBER,
        CUSTOMER,
        # Who is not kept yet draws once they are. What they are told before is what those get who
        # are not kept aside: the lowest numbers are.
        lambda customer: drawn_number(name, customer.public_id) if customer.pk else HIGHEST,
        query=lambda operator, operand, moment: _draw_query(name, operator, operand, moment),
    )


def _draw_query(name: str, operator: Any, operand: Any, moment: Any) -> Q:
    """Everybody has a number."""
    from members.models import Customer

    drawn = Customer.objects.annotate(drawn=DrawnNumber.of(name, "public_id"))
    return Q(Exists(drawn.filter(operator.query("drawn", operand, moment), pk=OuterRef("pk"))))


@lru_cache(maxsize=1024)
def _answer(code: str) -> Field:
    return Field(
        f"customer.answers.{code}",
        lazy(partial(question_words, code), str)(),
        values.LIST,
        CUSTOMER,
        lambda customer: customer.answers.get(code, ()),
        query=lambda operator, operand, moment: _answer_query(code, operator, operand, moment),
        choices=partial(answer_choices, code),
        closed=True,
    )


def _answer_query(code: str, operator: Any, operand: Any, _moment: Any) -> Q:
    """Whoever has not answered has chosen none of them."""
    answered = Q(answers__has_key=code)
    chosen = {choice: Q(answers__contains={code: [choice]}) for choice in operand or ()}
    match operator.code:
        case "has_any":
            return reduce(or_, chosen.values())
        case "has_all":
            return reduce(and_, chosen.values())
        case "has_none":
            return ~reduce(or_, chosen.values())
    return ~answered if operator.code == "empty" else answered


_FIELDS = (
    _field("country", _("country"), values.TEXT, _("Two letters, as GR.")),
    _field("locale", _("language"), values.TEXT, _("As el or zh-hans.")),
    _field("tags", _("tags"), values.LIST, _("Labels that your shop or your team gave.")),
    _field("birthday", _("birthday"), values.ANNIVERSARY, _("29 February is kept on the 28th.")),
    Field(
        "customer.gender",
        _("gender"),
        values.TEXT,
        CUSTOMER,
        attrgetter("gender"),
        help=_("Where they said it."),
        column="gender",
        choices=lambda: [(code, str(name)) for code, name in GENDERS.items()],
        closed=True,
    ),
    Field(
        "customer.age",
        _("age"),
        values.NUMBER,
        CUSTOMER,
        repr,
        help=_("In full years."),
        query=_age_query,
        read_at=lambda customer, moment: age_on(customer.birthday, moment),
    ),
    _field("email", _("e-mail"), values.TEXT),
    _field("phone", _("phone"), values.TEXT, _("As +60123456789.")),
    _field("created_at", _("known since"), values.INSTANT, _("When Setia first heard of them.")),
)


def _segments_query(operator: Any, operand: Any, _moment: Any) -> Q:
    from members.models import Segment, SegmentMember

    anywhere = SegmentMember.objects.filter(customer=OuterRef("pk"))

    def inside(codes: Any) -> Q:
        segments = Segment.objects.filter(code__in=codes).values("pk")
        return Q(Exists(anywhere.filter(segment__in=segments)))

    match operator.code:
        case "has_any":
            return inside(operand)
        case "has_all":
            found = Q()
            for code in operand:
                found &= inside([code])
            return found
        case "has_none":
            return ~inside(operand)
    in_any = Q(Exists(anywhere))
    return ~in_any if operator.code == "empty" else in_any


_SEGMENTS = Field(
    "customer.segments", _("segments"), values.LIST, SEGMENTS, lambda codes: codes,
    help=_("Groups of customers, as they were last worked out."),
    query=_segments_query, choices=segment_choices, closed=True,
)  # fmt: skip

_DRAWS = FieldFamily(
    "customer.draw.", _("number drawn for"), CUSTOMER, _draw,
    help=_("From 0 to 99, by chance, the same for ever: at least 10 is nine in ten of them. Each "
           "name draws anew."),
)  # fmt: skip

_ANSWERS = FieldFamily(
    "customer.answers.", _("answer to a question"), CUSTOMER, _answer, names=question_choices,
    help=_("What they chose where you ask them about themselves."),
)  # fmt: skip

_ATTRIBUTES = FieldFamily("customer.attributes.", _("attribute"), CUSTOMER, _attribute)
