"""What every page knows: whose installation it is, and what the shell around it offers."""

from __future__ import annotations

from typing import Any, cast

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject, cached_property
from django.utils.translation import get_language, get_language_bidi

from members import navigation
from members.account.second_factor import lacks_second_factor
from members.branding import accent_version, icon_url
from members.languages import own_names
from members.models import Merchant
from members.policy import is_allowed
from members.responses import is_dialog_request, is_htmx
from members.selectors.merchants import get_merchant

# The side of what iOS puts on the home screen.
TOUCH_ICON = 180


class Shell:
    """The parts of a shell, each worked out only when a template asks for it."""

    def __init__(self, request: HttpRequest, merchant: Merchant) -> None:
        self._request = request
        self._merchant = merchant

    @cached_property
    def main(self) -> list[navigation.NavLink]:
        return navigation.backoffice_links(self._request, "main")

    @cached_property
    def insights(self) -> list[navigation.NavLink]:
        return navigation.backoffice_links(self._request, "insights")

    @cached_property
    def operations(self) -> list[navigation.NavLink]:
        return navigation.backoffice_links(self._request, "operations")

    @cached_property
    def settings(self) -> list[navigation.NavLink]:
        return navigation.backoffice_links(self._request, "settings")

    @property
    def above(self) -> list[tuple[navigation.Text, str]]:
        """The way back up from a page that names none itself: the entry of the menu that it lies
        below by its address, else the one it belongs to."""
        path = self._request.path
        links = [*self.main, *self.insights, *self.operations, *self.settings]
        below = [link for link in links if path.startswith(link.url) and link.url != path]
        below.sort(key=lambda link: (len(link.url), link.active))
        found = below[-1:]
        if found and found[0].url == self.home_url:
            found = [link for link in links if link.active and link.url != path] or found
        return [(link.label, link.url) for link in found]

    @cached_property
    def mypage(self) -> list[navigation.NavLink]:
        return navigation.mypage_links(self._request)

    @cached_property
    def mypage_tools(self) -> list[navigation.NavLink]:
        return navigation.mypage_tools(self._request)

    @property
    def programs(self) -> list[navigation.ProgramChoice]:
        return list(navigation.program_choices(self._request))

    @property
    def languages(self) -> list[tuple[str, str]]:
        """To choose from; none where there is one alone."""
        names = own_names()
        return names if len(names) > 1 else []

    @cached_property
    def home_url(self) -> str:
        """The same as `navigation.first_page`, of the menu that is on the page anyway."""
        return next((link.url for link in self.main), "/")

    @property
    def mypage_url(self) -> str:
        return next((link.url for link in self.mypage), "/")

    @property
    def search_url(self) -> str:
        user = self._request.user
        return navigation.search_url() if is_allowed(user, "customers.view") else ""

    @property
    def app_icon_url(self) -> str:
        return icon_url(self._merchant, TOUCH_ICON)

    @property
    def accent_version(self) -> str:
        return accent_version(self._merchant.accent_color)


def _manage_layout(request: HttpRequest) -> str:
    """Staff change their password and second factor inside the back-office, customers beside it;
    and who may not enter it before they have set one up."""
    is_staff = hasattr(getattr(request, "user", None), "staff_member")
    inside = is_staff and not lacks_second_factor(request)
    return "backoffice/base.html" if inside else "public/base.html"


def shell(request: HttpRequest) -> dict[str, Any]:
    """The merchant, the shell, and the layout that fits who asks: a page or a fragment of one."""
    known = getattr(request, "merchant", None)
    merchant = cast(Merchant, known or SimpleLazyObject(get_merchant))
    fragment = is_htmx(request)
    dialog = is_dialog_request(request)
    return {
        "merchant": merchant,
        "shell": Shell(request, merchant),
        "language": get_language(),
        "direction": "rtl" if get_language_bidi() else "ltr",
        "in_dialog": dialog,
        "in_panel": fragment and (request.htmx.target or "").startswith("panel-"),  # type: ignore[attr-defined]
        "dialog_layout": "layouts/fragment.html" if dialog else "backoffice/base.html",
        "panel_layout": "layouts/fragment.html" if fragment else "backoffice/base.html",
        "mypage_panel_layout": "layouts/fragment.html" if fragment else "mypage/base.html",
        # Called by the few pages that want it: whether somebody is staff is a query.
        "manage_layout": lambda: _manage_layout(request),
    }
