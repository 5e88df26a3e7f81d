"""Walking through the wizard as a browser without JavaScript does: each step is read, and its form
is sent as it is shown, but for what is said otherwise."""

from __future__ import annotations

import re
from collections.abc import Mapping

from django.http import HttpResponse
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone

from loyalty.backoffice.wizard import keep_answers
from loyalty.backoffice.wizard_forms import QuestionsForm
from loyalty.backoffice.wizard_screens import asked_context, form_of
from loyalty.backoffice.wizard_steps import step_named
from loyalty.models import ProgramDraft
from tests.loyalty.backoffice.conftest import url
from tests.loyalty.backoffice.tier_forms import values_of


def begin(client: Client, mode: str) -> ProgramDraft:
    answer = client.post(url("wizard_start"), {"mode": mode})
    draft = ProgramDraft.objects.latest("created_at")
    assert answer.headers["Location"] == at(draft, draft.step)
    return draft


def at(draft: ProgramDraft, step: str) -> str:
    return url("wizard_step", draft.public_id, step)


def text(answer: HttpResponse) -> str:
    plain = re.sub(r"<svg.*?</svg>|<[^>]+>", " ", answer.content.decode(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", plain)


def fields(client: Client, address: str) -> dict[str, str]:
    """What a browser would send of the step's form, as it is shown."""
    return sent_of(client.get(address).content.decode())


def sent_of(page: str) -> dict[str, str]:
    """The same of a page that was read. What is beside the form is not part of it."""
    form = page[page.index('id="wizard-form"') :]
    form = form[: form.index("</form>")]
    found = values_of(form)
    for name, value in re.findall(
        r'<input [^>]*type="radio" name="([^"]*)" value="([^"]*)"[^>]* checked', form
    ):
        found[name] = value
    return found


def answer(client: Client, address: str, **said: str) -> str:
    """Send a step as it is shown, with other answers; where it leads to."""
    return sent(client, address, {**fields(client, address), **said})


def sent(client: Client, address: str, values: Mapping[str, str]) -> str:
    """Where a form leads to that is accepted."""
    reply = client.post(address, values)
    assert reply.status_code == 302, text(reply)
    return str(reply.headers["Location"])


def preview(
    client: Client, draft: ProgramDraft, step: str, known: Mapping[str, str] | None = None,
    **said: str,
) -> str:  # fmt: skip
    """What is beside a step's form with other answers; `known`: what a browser would send of it."""
    address = url("wizard_preview", draft.public_id, step)
    reply = client.post(address, {**(known or fields(client, at(draft, step))), **said})
    assert reply.status_code == 200
    return text(reply)


def typed(page: str) -> set[str]:
    """The names of what is typed in: texts, numbers and days."""
    inputs = re.findall(r"<input [^>]*form-control[^>]*>", page)
    return {name for tag in inputs for name in re.findall(r' name="([^"]*)"', tag)}


def drawn(draft: ProgramDraft) -> dict[str, str]:
    """What a browser would send of the step that the draft has come to, without its page around."""
    step, now = step_named(draft, draft.step), timezone.now()
    assert step is not None
    form = form_of(draft, step, None, now)
    if isinstance(form, QuestionsForm):
        context = asked_context(draft, step, form, now)
        inputs = render_to_string("loyalty/backoffice/wizard/questions.html", context)
    else:
        inputs = "".join(map(str, form or ()))
    return sent_of(f'<form id="wizard-form">{inputs}</form>')


def go_on(draft: ProgramDraft, **said: str) -> None:
    """Answer the step that the draft has come to as it is drawn, with other answers; without a
    request."""
    step, now = step_named(draft, draft.step), timezone.now()
    assert step is not None
    form = form_of(draft, step, {**drawn(draft), **said}, now)
    assert form is None or form.is_valid(), form and form.errors
    keep_answers(draft, step, form, now)
    draft.refresh_from_db()


def come_to(draft: ProgramDraft, step: str, **said: str) -> str:
    """Likewise up to a step, with these answers wherever they are asked for. Its address."""
    while draft.step != step:
        go_on(draft, **said)
    return at(draft, step)
