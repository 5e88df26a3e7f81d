"""The pages of the development inbox. They exist in development only: config/urls.py."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from config.devmail.messages import list_messages, path_of, read_message


@require_safe
def inbox_list(request: HttpRequest) -> HttpResponse:
    return render(request, "dev/inbox_list.html", {"mails": list_messages(settings.DEVMAIL_DIR)})


@require_safe
def inbox_message(request: HttpRequest, name: str) -> HttpResponse:
    try:
        mail = read_message(settings.DEVMAIL_DIR, name)
    except FileNotFoundError:
        raise Http404(_("There is no such message.")) from None
    return render(request, "dev/inbox_message.html", {"mail": mail})


@require_safe
def inbox_source(request: HttpRequest, name: str) -> HttpResponse:
    """The message as it arrived, headers and all."""
    try:
        content = path_of(settings.DEVMAIL_DIR, name).read_bytes()
    except FileNotFoundError:
        raise Http404(_("There is no such message.")) from None
    return HttpResponse(content, content_type="text/plain; charset=utf-8")


@require_POST
def inbox_clear(request: HttpRequest) -> HttpResponse:
    for path in settings.DEVMAIL_DIR.glob("[0-9]*.eml"):
        path.unlink(missing_ok=True)
    return redirect("devmail:inbox_list")
