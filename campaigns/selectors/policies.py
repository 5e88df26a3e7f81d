"""What the merchant has settled about messages."""

from __future__ import annotations

from campaigns.models import MessagingPolicy, OccasionSetting
from campaigns.occasions import Occasion, all_occasions
from members.prepared import KeptQuery

_POLICY: KeptQuery[MessagingPolicy] = KeptQuery(lambda pk: MessagingPolicy.objects.filter(pk=pk))
_SETTING: KeptQuery[OccasionSetting] = KeptQuery(
    lambda code: OccasionSetting.objects.filter(code=code)
)


def get_policy() -> MessagingPolicy:
    """The one policy; the usual one until somebody changes it."""
    return _POLICY.first(1) or MessagingPolicy(pk=1)


def setting_of(occasion: Occasion) -> OccasionSetting:
    """How the occasion is told; off until somebody switches it on."""
    found = _SETTING.first(occasion.code)
    return found or OccasionSetting(code=occasion.code, topic=occasion.topic)


def settings_by_code() -> dict[str, OccasionSetting]:
    """Of all occasions that can be switched on; one query."""
    known = {setting.code: setting for setting in OccasionSetting.objects.all()}
    return {
        occasion.code: known.get(occasion.code)
        or OccasionSetting(code=occasion.code, topic=occasion.topic)
        for occasion in all_occasions()
        if not (occasion.always_by or occasion.only_in_journeys)
    }
