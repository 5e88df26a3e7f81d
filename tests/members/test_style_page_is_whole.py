"""No component can be forgotten on the style page."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from django.template import Template
from django.test import Client
from django.test.utils import instrumented_test_render  # type: ignore[attr-defined]

from members.components import KeptNode
from members.models import StaffMember, User
from members.templatetags.setia_menus import _entry

pytestmark = pytest.mark.django_db

COMPONENTS = Path(settings.BASE_DIR) / "templates" / "components"


def test_every_component_is_shown(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    # Elsewhere only the page's own template is told (`tests/rendering.py`).
    monkeypatch.setattr(Template, "_render", instrumented_test_render)
    # Entries of the menu, and what is the same on every page, are drawn once for a process.
    _entry.cache_clear()
    monkeypatch.setattr(KeptNode, "render", lambda node, context: node.nodelist.render(context))
    user = User.objects.create_user("sam@example.com", name="Sam Support")
    StaffMember.objects.create(user=user, role=StaffMember.Role.SUPPORT_AGENT)
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    page = client.get("/backoffice/styleguide/")
    shown = {template.name for template in page.templates}
    every = {f"components/{path.name}" for path in COMPONENTS.glob("*.html")}
    assert every
    assert every - shown == set()
