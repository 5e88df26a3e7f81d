"""Where pictures of rewards are read: by everybody, as everybody may see what is on the shelf."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from members.picture_files import serve_picture
from rewards.models import Reward


@require_safe
def reward_picture(request: HttpRequest, name: str) -> HttpResponseBase:
    """A picture that some reward shows; nothing else that is kept there."""
    reward = Reward.objects.filter(picture=f"rewards/{name}").first()
    return serve_picture(reward.picture if reward else None)
