"""Saying where else customers may sign in."""

from __future__ import annotations

import re
from copy import copy
from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from members.errors import DomainError, FieldError
from members.kept_secrets import hidden
from members.models import SignInProvider
from members.openid import OpenIDError, discover, is_safe
from members.services.audit import Actor, record_audit, snapshot

FIELDS = ("code", "name", "issuer", "client_id", "is_on")
CODE = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", re.ASCII)


def add_provider(*, actor: Actor, secret: str, **values: Any) -> SignInProvider:
    """Customers can sign in there from now on. Its server is asked whether it is one."""
    provider = SignInProvider(**values)
    if not secret.strip():
        message = _("Write the secret that the provider gave you.")
        raise DomainError(message, errors=[FieldError("secret", message, "required")])
    provider.secret = hidden(secret.strip())
    _check(provider)
    _ask(provider)
    with transaction.atomic():
        provider.save()
        record_audit(
            actor=actor, action="sign_in_provider.added", target=provider,
            after=snapshot(provider, list(FIELDS)),
        )  # fmt: skip
    return provider


def change_provider(
    *, actor: Actor, provider: SignInProvider, secret: str = "", **changes: Any
) -> SignInProvider:
    """Change the named fields; its code stays. Without a secret the one that is kept stays, where
    the issuer does: what one gave is shown to no other. Whose accounts were whose is forgotten with
    an issuer, as the numbers of people are its own."""
    secret = secret.strip()
    if changes.get("issuer", provider.issuer) != provider.issuer:
        changes["issuer"] = _other_issuer(provider, changes["issuer"], secret)
    with transaction.atomic():
        row = SignInProvider.objects.select_for_update().get(pk=provider.pk)
        before = snapshot(row, list(FIELDS))
        for name in set(FIELDS) - {"code"}:
            setattr(row, name, changes.get(name, getattr(row, name)))
        if secret:
            row.secret = hidden(secret)
        _check(row)
        row.save()
        after = snapshot(row, list(FIELDS)) | ({"secret": _("new")} if secret else {})
        if before["issuer"] != after["issuer"]:
            theirs = SocialAccount.objects.filter(provider=row.code)
            after["accounts_forgotten"], _kinds = theirs.delete()
        changed = [name for name in after if before.get(name) != after[name]]
        if changed:
            record_audit(
                actor=actor, action="sign_in_provider.changed", target=row,
                before={name: before.get(name) for name in changed},
                after={name: after[name] for name in changed},
            )  # fmt: skip
    return row


def _other_issuer(provider: SignInProvider, issuer: str, secret: str) -> str:
    """As it is kept, once it has answered: not while the row is held, since it may take its
    time."""
    wanted = copy(provider)
    wanted.issuer = issuer
    _check(wanted)
    if not secret and wanted.issuer != provider.issuer:
        message = _("Another issuer gives a secret of its own: write it.")
        raise DomainError(message, errors=[FieldError("secret", message, "required")])
    _ask(wanted)
    return wanted.issuer


@transaction.atomic
def remove_provider(*, actor: Actor, provider: SignInProvider) -> None:
    """Nobody signs in there any more, and whose accounts they were is forgotten. Again changes
    nothing."""
    row = SignInProvider.objects.select_for_update().filter(pk=provider.pk).first()
    if row is None:
        return
    record_audit(
        actor=actor, action="sign_in_provider.removed", target=row,
        before=snapshot(row, list(FIELDS)),
    )  # fmt: skip
    SocialAccount.objects.filter(provider=row.code).delete()
    row.delete()


def _check(provider: SignInProvider) -> None:
    errors: list[FieldError] = []
    for name in ("code", "name", "issuer", "client_id"):
        setattr(provider, name, str(getattr(provider, name)).replace("\x00", "").strip())
    try:
        provider.full_clean(exclude=["secret"])
    except ValidationError as error:
        for name, messages in error.message_dict.items():
            errors.extend(FieldError(name, message) for message in messages)
    if not CODE.fullmatch(provider.code):
        errors.append(FieldError("code", _("Lower-case letters, digits and hyphens.")))
    if provider.issuer and not is_safe(provider.issuer):
        errors.append(FieldError("issuer", _("Write an address that begins with https://.")))
    if errors:
        raise DomainError(_("The provider cannot be kept like this."), errors=errors)


def _ask(provider: SignInProvider) -> None:
    try:
        discover(provider.issuer)
    except OpenIDError as error:
        message = _("No OpenID Connect server answers there as this issuer: %s.") % error
        raise DomainError(message, errors=[FieldError("issuer", message, "unreachable")]) from error
