"""One draft in two windows: what was answered in one of them is not written over by the other
without a word."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from loyalty.backoffice.wizard_forms import StepForm
from loyalty.models import ProgramDraft
from loyalty.services.program_drafts import storable

# What a step's page carries: the answers that it was opened with.
SEEN = "seen"
_PARTS = ("situation", "answers", "base", "launch")


def seen_of(draft: ProgramDraft, form: StepForm | None) -> str:
    """A sign of what is kept now of what a step asks; of everything where it asks nothing."""
    text = json.dumps(_kept(draft, form), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def is_stale(request: HttpRequest, draft: ProgramDraft, form: StepForm | None) -> bool:
    """Whether the page was opened before what it asks was answered otherwise elsewhere. Of a form
    that is valid: where it says the same, nothing is lost. A page that carries no sign is new."""
    seen = request.POST.get(SEEN, "")
    if not seen or seen == seen_of(draft, form):
        return False
    kept = _kept(draft, form)
    return form is None or {**kept, **storable(form.kept())} != kept


def changed_words() -> str:
    return _("This was changed in another window after you opened it here. What you typed is still"
             " here: continue once more to keep it instead.")  # fmt: skip


def review_words() -> str:
    return _("Answers were changed in another window. This is the program as it is now: look at it"
             " before you create it.")  # fmt: skip


def _kept(draft: ProgramDraft, form: StepForm | None) -> dict[str, Any]:
    if form is None:
        return {"template": draft.template, **{name: getattr(draft, name) for name in _PARTS}}
    if form.part == "template":
        known = {"template": draft.template, "program_name": draft.name}
        return {name: known[name] for name in form.fields}
    part: dict[str, Any] = getattr(draft, form.part)
    # Several steps ask for `answers`, each for its own.
    if form.part == "answers":
        part = {name: part.get(name) for name in form.fields}
    return {"template": draft.template, **part}
