"""Users are found by their key as Django finds them, whoever asks."""

import pytest
from django.contrib.auth.models import Group

from members.models import User

pytestmark = pytest.mark.django_db


def test_a_group_has_only_its_own_users_by_their_key():
    ann, bob = (User.objects.create_user(f"{name}@x.example") for name in ("ann", "bob"))
    group = Group.objects.create(name="Repair")
    group.user_set.add(ann)
    assert group.user_set.get(pk=ann.pk) == ann
    with pytest.raises(User.DoesNotExist):
        group.user_set.get(pk=bob.pk)


def test_a_key_may_come_as_text_and_may_be_nobodys():
    ann = User.objects.create_user("ann@x.example")
    assert User.objects.get(pk=f"{ann.pk}") == User.objects.get(pk=ann.pk) == ann
    for nobody in (0, None):
        with pytest.raises(User.DoesNotExist):
            User.objects.get(pk=nobody)
