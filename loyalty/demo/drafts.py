"""Two programs in the demonstration that nobody has finished in the wizard: a club with tiers for
the best customers, and a quick one."""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone

from loyalty.drafted_programs import margin_of, template_of
from loyalty.models import ProgramDraft
from loyalty.selectors.order_history import history_period, purchase_habits, spend_spread
from loyalty.services.program_drafts import begin_draft, keep_in_draft
from loyalty.suggested_answers import suggest
from members.models import User

Mode = ProgramDraft.Mode
BEGUN = ((Mode.FULL, "tiered-points", "Harvest Table"), (Mode.STARTER, "points", "Corner Club"))


def answer_the_wizard() -> None:
    """Each once, by the administrator; whoever loads the demonstration again finds them there."""
    owner = User.objects.get(email=settings.SETIA_DEMO_LOGINS[0][1])
    if ProgramDraft.objects.filter(owner=owner).exists():
        return
    for mode, template, name in BEGUN:
        _answer(owner, mode, template, name)


def _answer(owner: User, mode: str, code: str, name: str) -> None:
    now = timezone.now()
    draft = begin_draft(owner=owner, mode=mode, step="review", now=now)
    situation = {"situation": {"margin": "30"}}
    draft = keep_in_draft(draft=draft, now=now, template=code, parts=situation)
    template, period = template_of(draft), history_period(draft.situation["currency"], now)
    answers = {"program_name": name}
    if template is not None and period is not None:
        habits, spread = purchase_habits(period), spend_spread(period)
        answers |= suggest(template, habits, margin_of(draft), spread)
    keep_in_draft(draft=draft, now=now, parts={"answers": answers})
