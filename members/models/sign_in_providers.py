"""Where else customers may sign in: accounts that others keep for them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class SignInProvider(models.Model):
    """Somebody who keeps people's accounts and speaks OpenID Connect: Google, or a server of the
    merchant's own. The secret is encrypted (`members.kept_secrets`)."""

    code = models.SlugField(
        _("code"), max_length=32, unique=True,
        help_text=_("In its addresses, and never changed: “google”."),
    )  # fmt: skip
    name = models.CharField(_("name"), max_length=40, help_text=_("As customers know it: Google."))
    issuer = models.URLField(_("issuer"), max_length=255)
    client_id = models.CharField(_("client ID"), max_length=191)
    secret = models.BinaryField(editable=False)
    is_on = models.BooleanField(_("customers can use it"), default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name
