"""Every kind of program over the API: what is read of a draft from the gallery is put back,
elsewhere too, and it can be taken live by it."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from loyalty.models import Program
from loyalty.program_templates.kinds import ProgramTemplate
from loyalty.program_templates.registry import TEMPLATES
from tests.api.conftest import ApiClient

PATH = "/programs/club/definition"


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda item: item.code)
def test_a_kind_of_the_gallery_is_put_back_unchanged_taken_live_and_made_elsewhere(
    template: ProgramTemplate, manager: Client, api: ApiClient
) -> None:
    start = {"program_name": "Club", "currency": "USD", "time_zone": "UTC"}
    saved = manager.post(reverse("loyalty_backoffice:template_page", args=[template.code]), start)
    assert saved.status_code == 302, saved.context["form"].errors
    draft = api.get(PATH)
    said = draft.json()
    assert said["status"] == "draft"
    again = api.put(PATH, said, If_Match=draft["ETag"])
    assert again.status_code == 200, again.json()
    assert again.json()["changes"] == []
    launched = api.put(PATH, said | {"status": "live"}, If_Match=draft["ETag"])
    assert launched.status_code == 200, launched.json()
    live = api.get(PATH)
    assert live.json()["status"] == "live"
    again = api.put(PATH, live.json(), If_Match=live["ETag"])
    assert again.status_code == 200, again.json()
    assert again.json()["changes"] == []
    assert Program.objects.get().status == "live"
    other = said | {"code": "other"}
    made = api.put("/programs/other/definition", other)
    assert made.status_code == 201, made.json()
    assert api.get("/programs/other/definition").json() == other
