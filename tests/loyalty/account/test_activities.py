"""What members read of what they were given for activities and on days of the year."""

import datetime as dt
from collections.abc import Callable

from django.test import Client
from django.utils import timezone

from loyalty.selectors.programs import definition_of
from loyalty.services.activity_decisions import reverse_activity
from loyalty.services.occasions import give_occasions
from loyalty.services.programs import apply_definition
from members.models import Customer
from members.services.audit import SYSTEM
from tests.loyalty.account.conftest import Shop
from tests.loyalty.account.reading import text_of
from tests.loyalty.factories import make_type, reward, tell, told


def test_the_history_says_what_for(
    maya: Customer, sign_in: Callable[[Customer], Client], shop: Shop
) -> None:
    make_type(told="Review of {subject}")
    definition = definition_of(shop.program, timezone.now())
    unit = definition.wallet_types[0].code
    day = {"code": "day", "name": "Day", "kind": "occasion", "units": 7, "wallet_type": unit}
    data = definition.model_dump(mode="json", exclude_none=True)
    data["earning_rules"] += [reward(wallet_type=unit), day]
    now = timezone.now()
    changed = type(definition).model_validate(data)
    apply_definition(changed, actor=SYSTEM, now=now - dt.timedelta(days=2))
    birthday = now.astimezone(shop.program.zone).date().replace(year=1992)
    Customer.objects.filter(pk=maya.pk).update(external_id="maya", birthday=birthday)
    assert give_occasions(now) == 1
    [first] = tell(told("V1", at=now, buyer="maya", subject="MUG", subject_name="Blue Mug"))
    tell(told("V2", at=now, buyer="maya", subject="CUP", subject_name="Red Cup"))
    assert first.activity is not None
    reverse_activity(
        activity=first.activity, actor=SYSTEM, note="Copied", source="backoffice", now=now
    )

    text = text_of(sign_in(maya), "/me/history/")

    assert "Review of Red Cup" in text
    assert "Taken back: Review of Blue Mug" in text
    assert "Happy birthday" in text
    assert "Copied" not in text  # that was for colleagues
