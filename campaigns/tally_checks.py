"""Whether what is added up of challenges and journeys is what there is."""

from __future__ import annotations

from django.utils.translation import gettext_noop as _

from campaigns.models.tally_triggers import ENTRIES, PASSAGES

CHECKS: dict[str, str] = {
    _("as many take part in a challenge as are counted"): ENTRIES.drifts(),
    _("as many are where in a journey as are counted"): PASSAGES.drifts(),
}
