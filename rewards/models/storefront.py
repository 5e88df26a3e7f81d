"""What the shop's own pages show of the program."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from loyalty.models import Program


class Element(models.TextChoices):
    """What the storefront script can put into a page."""

    BALANCE = "balance", _("Balance in the header")
    EARN = "earn", _("What a product earns")
    BASKET = "basket", _("What a basket earns, and rewards to take")
    JOIN = "join", _("Sign-up banner")
    POPUP = "popup", _("Sign-up pop-up")
    TIER = "tier", _("Tier beside reviews")


def all_elements() -> list[str]:
    """The pop-up is asked for: not everybody wants one."""
    return [element.value for element in Element if element != Element.POPUP]


class Storefront(models.Model):
    """The one row of settings. Without a program the script shows nothing."""

    program = models.ForeignKey(
        Program, null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        verbose_name=_("program"),
    )  # fmt: skip
    elements = ArrayField(
        models.CharField(max_length=16, choices=Element.choices),
        verbose_name=_("elements"), default=all_elements, blank=True,
    )  # fmt: skip
    # Where visitors join, and where members read more: an address, or a path of the shop.
    # Empty: our own pages.
    join_url = models.CharField(_("sign-up page"), max_length=200, blank=True, default="")
    account_url = models.CharField(_("account page"), max_length=200, blank=True, default="")
    popup_seconds = models.PositiveSmallIntegerField(_("seconds to the pop-up"), default=20)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="storefront_single_row", condition=Q(pk=1)),
            models.CheckConstraint(
                name="storefront_elements_known",
                condition=Q(elements__contained_by=[element.value for element in Element]),
            ),
            models.CheckConstraint(
                name="storefront_popup_waits",
                condition=Q(popup_seconds__gte=3, popup_seconds__lte=600),
            ),
        ]

    def __str__(self) -> str:
        return str(_("Storefront"))

    def shows(self, element: str) -> bool:
        return self.program_id is not None and element in self.elements
