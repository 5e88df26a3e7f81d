"""The pictures of rewards: each has a file of its own."""

from __future__ import annotations

from functools import partial

from django.core.files.base import File
from django.db import transaction

from members.picture_files import keep_picture
from members.services.audit import Actor, record_audit
from rewards.models import Reward

LEAST_SIDE = 64


@transaction.atomic
def set_picture(*, reward: Reward, upload: File[bytes] | None, actor: Actor) -> Reward:
    """Show this picture with the reward; None: its icon. The one before is thrown away. Raises
    DomainError where the file is no picture that can serve."""
    found = Reward.objects.select_for_update(no_key=True).get(pk=reward.pk)
    before, storage = found.picture.name or "", found.picture.storage
    keep_picture(
        found.picture, upload, field="picture", of=found.public_id.hex, least_side=LEAST_SIDE
    )
    after = found.picture.name or ""
    if after == before:
        return found
    found.save(update_fields=["picture", "updated_at"])
    record_audit(
        actor=actor, action="reward.picture_changed", target=found,
        before={"picture": bool(before)}, after={"picture": bool(after)},
    )  # fmt: skip
    if before:
        transaction.on_commit(partial(storage.delete, before))
    return found


def copy_picture(*, of: Reward, to: Reward, actor: Actor) -> None:
    """Another reward looks like this one."""
    if of.picture and of.picture.storage.exists(of.picture.name or ""):
        with of.picture.open("rb") as file:
            set_picture(reward=to, upload=file, actor=actor)
