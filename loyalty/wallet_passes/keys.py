"""What passes are signed with, from the files that the settings name. Read once, when a process
starts, which does not start with what cannot sign: a customer would find out otherwise."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ImproperlyConfigured

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.x509 import Certificate

WARNED_BEFORE = dt.timedelta(days=30)
SEE = "(docs/operations.md#wallet-passes)"


@dataclass(frozen=True, slots=True)
class ApplePassKeys:
    """The certificate of a pass type, its key, and Apple's intermediate that has issued it. With
    the paths, for a connection to Apple shows the same certificate. `pass_type` and `team` are what
    the certificate says."""

    certificate: Certificate
    key: RSAPrivateKey = field(repr=False)
    intermediate: Certificate
    certificate_path: str
    key_path: str
    password: str = field(repr=False)
    push_url: str
    pass_type: str
    team: str

    @property
    def valid_until(self) -> dt.datetime:
        """When the first of the two certificates ends."""
        both = (self.certificate, self.intermediate)
        return min(certificate.not_valid_after_utc for certificate in both)

    def is_valid(self, now: dt.datetime) -> bool:
        return now < self.valid_until

    def ends_soon(self, now: dt.datetime) -> bool:
        return self.valid_until - WARNED_BEFORE <= now


@dataclass(frozen=True, slots=True)
class GooglePassKeys:
    """A service account that may write the passes of an issuer."""

    issuer: str
    account: str
    key: RSAPrivateKey = field(repr=False)
    key_id: str
    token_url: str
    api_url: str


def apple_pass_keys(
    *, certificate: str, key: str, password: str, intermediate: str, push_url: str
) -> ApplePassKeys | None:
    """From paths; None where no certificate is named. Raises ImproperlyConfigured."""
    if not certificate:
        _refuse_alone({"APPLE_PASS_KEY": key, "APPLE_WWDR_CERTIFICATE": intermediate},
                      "APPLE_PASS_CERTIFICATE")  # fmt: skip
        return None
    if not intermediate:
        raise ImproperlyConfigured(f"Set APPLE_WWDR_CERTIFICATE, too {SEE}.")
    own = _certificate("APPLE_PASS_CERTIFICATE", certificate)
    above = _certificate("APPLE_WWDR_CERTIFICATE", intermediate)
    # Both may stand in one file.
    private = _private_key("APPLE_PASS_KEY", key or certificate, password)
    if own.public_key() != private.public_key():
        raise _refusal("APPLE_PASS_KEY", key or certificate, "is not the key of the certificate"
                       f" {certificate}")  # fmt: skip
    _require_issued(own, above, intermediate)
    return ApplePassKeys(
        own, private, above, certificate, key or certificate, password, push_url,
        pass_type=_said(own, "UID", certificate), team=_said(own, "OU", certificate),
    )  # fmt: skip


def google_pass_keys(*, key: str, issuer: str, api_url: str) -> GooglePassKeys | None:
    """From the file of a service account's key; None where none is named. Raises
    ImproperlyConfigured."""
    if not key:
        _refuse_alone({"GOOGLE_WALLET_ISSUER": issuer}, "GOOGLE_WALLET_KEY")
        return None
    if not (issuer.isascii() and issuer.isdigit()):
        raise ImproperlyConfigured(f"GOOGLE_WALLET_ISSUER is the number of an issuer {SEE}.")
    try:
        said: dict[str, Any] = json.loads(_content("GOOGLE_WALLET_KEY", key))
        account, text = str(said["client_email"]), str(said["private_key"])
        token_url, key_id = str(said["token_uri"]), str(said.get("private_key_id", ""))
    except (ValueError, KeyError, TypeError) as error:
        raise _refusal(
            "GOOGLE_WALLET_KEY", key, "is not the key of a service account (JSON)"
        ) from error
    private = _loaded_key("GOOGLE_WALLET_KEY", key, text.encode(), "")
    return GooglePassKeys(issuer, account, private, key_id, token_url, api_url.rstrip("/"))


def _refuse_alone(others: dict[str, str], lacking: str) -> None:
    for name, value in others.items():
        if value:
            raise ImproperlyConfigured(f"{name} is set, so set {lacking}, too {SEE}.")


def _content(setting: str, path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise _refusal(setting, path, f"cannot be read: {error.strerror}") from error


def _certificate(setting: str, path: str) -> Certificate:
    """In PEM, as the connection to Apple wants it; Apple's own may be as it is downloaded."""
    from cryptography import x509

    content = _content(setting, path)
    try:
        if setting == "APPLE_WWDR_CERTIFICATE" and b"-----BEGIN" not in content:
            return x509.load_der_x509_certificate(content)
        return x509.load_pem_x509_certificate(content)
    except ValueError as error:
        raise _refusal(setting, path, "is not a certificate in PEM form") from error


def _private_key(setting: str, path: str, password: str) -> RSAPrivateKey:
    return _loaded_key(setting, path, _content(setting, path), password)


def _loaded_key(setting: str, path: str, content: bytes, password: str) -> RSAPrivateKey:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        found = load_pem_private_key(content, password.encode() or None)
    except (ValueError, TypeError) as error:
        wrong = "is no RSA key in PEM form, or its password is another"
        raise _refusal(setting, path, wrong) from error
    if not isinstance(found, RSAPrivateKey):
        raise _refusal(setting, path, "is no RSA key")
    return found


def _require_issued(own: Certificate, above: Certificate, path: str) -> None:
    from cryptography.exceptions import InvalidSignature

    try:
        own.verify_directly_issued_by(above)
    except (ValueError, TypeError, InvalidSignature) as error:
        wrong = "has not issued the certificate of APPLE_PASS_CERTIFICATE"
        raise _refusal("APPLE_WWDR_CERTIFICATE", path, wrong) from error


def _said(certificate: Certificate, part: str, path: str) -> str:
    """The pass type's id is the subject's user id, the team's its organizational unit."""
    from cryptography.x509.oid import NameOID

    name = {"UID": NameOID.USER_ID, "OU": NameOID.ORGANIZATIONAL_UNIT_NAME}[part]
    found = certificate.subject.get_attributes_for_oid(name)
    if not found:
        wrong = f"is not the certificate of a pass type: its subject has no {part}"
        raise _refusal("APPLE_PASS_CERTIFICATE", path, wrong)
    return str(found[0].value)


def _refusal(setting: str, path: str, what: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{setting}: {path} {what} {SEE}.")
