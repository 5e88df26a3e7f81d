"""Where pictures of posts are read: they belong to the teaser, and nobody guesses their names."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from campaigns.models import Post
from members.picture_files import serve_picture


@require_safe
def post_picture(request: HttpRequest, name: str) -> HttpResponseBase:
    """A picture that some post shows; nothing else that is kept there."""
    post = Post.objects.filter(picture=f"posts/{name}").exclude(picture="").first()
    return serve_picture(post.picture if post else None)
