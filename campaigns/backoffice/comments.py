"""What members say to posts: let through, or hidden."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from campaigns.backoffice.community_menu import NAMESPACE
from campaigns.backoffice.posts import tabs
from campaigns.community_badges import badges_of
from campaigns.selectors.posts import comment_queue, comments
from campaigns.services.post_comments import decide_comment
from members.errors import DomainError
from members.paging import paginate
from members.policy import acting, is_allowed, staff_view

MODERATE = "community.moderate"
SHOWN_DECIDED = 20
ORDERINGS = {"oldest": ("written_at", "pk")}


@require_safe
@staff_view("programs.view")
def comment_list(request: HttpRequest) -> HttpResponse:
    """What waits and what is complained of, oldest first; and what was decided last."""
    page = paginate(comment_queue(), request=request, orderings=ORDERINGS, default="oldest")
    decided = list(
        comments().filter(decided_at__isnull=False).order_by("-decided_at", "-pk")[:SHOWN_DECIDED]
    )
    badges = badges_of([row.membership for row in page.items], timezone.now())
    context = {
        "title": _("Comments"),
        "page": page,
        "rows": [(row, badges.get(row.membership_id, "")) for row in page.items],
        "decided": decided,
        "tabs": tabs(request, "comment_list"),
        "may_decide": is_allowed(request.user, MODERATE),
    }
    return render(request, "community/backoffice/comment_list.html", context)


@require_POST
@staff_view(MODERATE)
def comment_act(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Let it be read, or hide it."""
    found = get_object_or_404(comments(), public_id=public_id)
    act = request.POST.get("act")
    if act not in ("show", "hide"):
        raise Http404("There is no such thing to do.")
    try:
        decide_comment(
            comment=found, shown=act == "show", actor=acting(request), now=timezone.now(),
            name=request.POST.get("name"),
        )  # fmt: skip
        words = _("Members can read it.") if act == "show" else _("Nobody reads it.")
        messages.success(request, words)
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect(f"{NAMESPACE}:comment_list")
