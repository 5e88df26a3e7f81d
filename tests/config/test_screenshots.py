"""What `make screenshots` takes pictures of is there."""

from __future__ import annotations

import pytest
from django.urls import get_resolver

from tests.demo_subjects import FIXED, WIZARD_STEPS, Demo
from tests.pictures import Page
from tests.screenshots import PAGES

SUBJECTS = Demo().subjects()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_picture_takes_what_the_demonstration_has(page: Page) -> None:
    _name, *taken = page.url
    named = {*taken, *([page.query[1]] if page.query else [])}
    assert named - set(SUBJECTS) == set()


def test_each_picture_is_of_an_address_that_there_is() -> None:
    spaces = get_resolver().namespace_dict
    for page in PAGES:
        space, _colon, name = page.url[0].rpartition(":")
        patterns = spaces[space][1].reverse_dict if space else get_resolver().reverse_dict
        assert name in patterns, page.name


def test_steps_of_the_wizard_stand_for_themselves() -> None:
    assert [SUBJECTS[step]() for step in WIZARD_STEPS] == list(WIZARD_STEPS)


def test_what_needs_no_looking_up_is_not_called_like_what_does() -> None:
    assert {name: SUBJECTS[name]() for name in FIXED} == FIXED
