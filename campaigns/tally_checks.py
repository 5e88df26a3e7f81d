"""Whether what is added up of challenges, journeys, broadcasts and experiments is what there is."""

from __future__ import annotations

from django.utils.translation import gettext_noop as _

from campaigns.models.tally_triggers import ARMS, ENTRIES, PASSAGES, RECIPIENTS

CHECKS: dict[str, str] = {
    _("as many take part in a challenge as are counted"): ENTRIES.drifts(),
    _("as many are where in a journey as are counted"): PASSAGES.drifts(),
    _("a broadcast is for as many as are counted"): RECIPIENTS.drifts(),
    _("as many are in an arm of an experiment as are counted"): ARMS.drifts(),
}
