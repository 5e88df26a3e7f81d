from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.validators import FileExtensionValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class Merchant(models.Model):
    """Whose installation this is: exactly one row, its look and its home currency and time zone."""

    name = models.CharField(_("name"), max_length=120)
    logo = models.FileField(
        _("logo"),
        upload_to="merchant/",
        blank=True,
        validators=[FileExtensionValidator(["png", "jpg", "jpeg", "webp"])],
        help_text=_("PNG, JPEG or WebP, at most 512 kB, best at least 128 pixels high."),
    )
    accent_color = models.CharField(
        _("accent color"),
        max_length=7,
        default="#0f766e",
        validators=[RegexValidator(r"^#[0-9a-fA-F]{6}$", _("Write a color like #0f766e."))],
    )
    currency = models.CharField(_("currency"), max_length=3, default="USD")
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    locale = models.CharField(_("default language"), max_length=16, default="en")
    # Those that customers may choose from; none: all that there are.
    languages = ArrayField(
        models.CharField(max_length=16), verbose_name=_("languages"), default=list, db_default=[],
        blank=True,
    )  # fmt: skip
    # Where the shop's pages are, as browsers write it: https://shop.example.
    shop_origins = ArrayField(
        models.CharField(max_length=255), verbose_name=_("shop addresses"), default=list, blank=True
    )
    # Roles that work in the back-office only with a second factor; none: nobody has to.
    two_factor_roles = ArrayField(
        models.CharField(max_length=32), default=list, db_default=[], blank=True
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="merchant_single_row", condition=models.Q(pk=1)),
            models.CheckConstraint(
                name="merchant_currency_iso",
                condition=models.Q(currency__regex=r"^[A-Z]{3}$"),
            ),
            models.CheckConstraint(
                name="merchant_speaks_its_default",
                condition=models.Q(languages=[])
                | models.Q(languages__contains=[models.F("locale")]),
            ),
        ]

    def __str__(self) -> str:
        return self.name
