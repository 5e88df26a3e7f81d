"""Whatever color a merchant chooses, what is written on and beside it stays readable."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from members import branding
from members.selectors.merchants import get_merchant

COLORS = ["#000000", "#ffffff", "#ffd400", "#0f766e", "#e11d48", "#7f7f7f", "#00ff00", "#1e3a8a"]
AA = 4.5


def values(css: str, name: str) -> list[str]:
    line = re.search(rf"{name}: ([^;]+);", css)
    assert line
    return re.findall(r"#[0-9a-f]{6}", line[1])


@pytest.mark.parametrize("accent", COLORS)
def test_text_on_the_accent_is_readable_also_when_hovered(accent: str) -> None:
    css = branding.accent_css(accent)
    (foreground,) = values(css, "--setia-accent-fg")
    (hover,) = values(css, "--setia-accent-hover")
    for ground in (accent, hover):
        colors = branding.parse_hex(foreground), branding.parse_hex(ground)
        assert branding.contrast(*colors) >= AA


@pytest.mark.parametrize("accent", COLORS)
def test_accent_text_is_readable_in_both_themes(accent: str) -> None:
    light, dark = values(branding.accent_css(accent), "--tblr-primary")
    assert branding.contrast(branding.parse_hex(light), branding.LIGHT_SURFACE) >= AA
    assert branding.contrast(branding.parse_hex(dark), branding.DARK_SURFACE) >= AA


def test_contrast_is_that_of_the_standard() -> None:
    assert branding.contrast(branding.WHITE, (0.0, 0.0, 0.0)) == pytest.approx(21)
    gray = branding.parse_hex("#767676")
    assert branding.contrast(gray, branding.WHITE) == pytest.approx(4.54, abs=0.01)


@pytest.mark.django_db
def test_a_versioned_stylesheet_may_be_kept_for_good(client: Client) -> None:
    merchant = get_merchant()
    merchant.accent_color = "#e11d48"
    merchant.save()
    url = reverse("members:branding")
    version = branding.accent_version("#e11d48")
    response = client.get(url, {"v": version})
    assert response["Content-Type"] == "text/css; charset=utf-8"
    assert "immutable" in response["Cache-Control"]
    assert b"#e11d48" in response.content
    assert client.get(url, {"v": "old"})["Cache-Control"] == "no-cache"


def test_a_new_color_has_a_new_address() -> None:
    assert branding.accent_version("#e11d48") != branding.accent_version("#e11d49")
