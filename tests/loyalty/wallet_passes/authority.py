"""What Apple and Google hand out, made by ourselves: a root, an intermediate and the certificate of
a pass type, and the key of a service account."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from loyalty.wallet_passes.keys import (
    ApplePassKeys,
    GooglePassKeys,
    apple_pass_keys,
    google_pass_keys,
)

PASS_TYPE, TEAM = "pass.example.beans", "TEAM123456"
ISSUER, ACCOUNT = (
    "3388000000012345678",
    "setia-passes@name-of-the-project.iam.gserviceaccount.example",
)

SIGNS_CERTIFICATES = x509.KeyUsage(
    digital_signature=True, content_commitment=False, key_encipherment=False,
    data_encipherment=False, key_agreement=False, key_cert_sign=True, crl_sign=True,
    encipher_only=False, decipher_only=False,
)  # fmt: skip


@cache
def rsa_key(_name: str) -> rsa.RSAPrivateKey:
    """One key for each name: making one takes a while."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass(frozen=True)
class Issued:
    certificate: x509.Certificate
    key: rsa.RSAPrivateKey

    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)


def issue(
    name: str, by: Issued | None, *, authority: bool = False, days: float = 365,
    also: tuple[tuple[x509.ObjectIdentifier, str], ...] = (), host: str = "",
) -> Issued:  # fmt: skip
    """A certificate; without `by` it is signed by itself."""
    key, now = rsa_key(name), dt.datetime.now(dt.UTC)
    parts = [(NameOID.COMMON_NAME, name), *also]
    subject = x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=400))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    ski = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    above = (by.key if by else key).public_key()
    builder = builder.add_extension(ski, critical=False).add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(above), critical=False
    )
    if authority:
        builder = builder.add_extension(SIGNS_CERTIFICATES, critical=True)
    if host:
        names = x509.SubjectAlternativeName([x509.DNSName(host)])
        builder = builder.add_extension(names, critical=False)
    signer = by.key if by else key
    return Issued(builder.sign(signer, hashes.SHA256()), key)


@dataclass(frozen=True)
class AppleFiles:
    """What is in a folder after the merchant has been to Apple."""

    root: Issued
    intermediate: Issued
    own: Issued
    folder: Path

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def settings(self, **changes: str) -> dict[str, str]:
        return {
            "certificate": self.path("pass.pem"), "key": self.path("key.pem"), "password": "",
            "intermediate": self.path("wwdr.cer"), "push_url": "https://push.invalid", **changes,
        }  # fmt: skip

    def keys(self, **changes: str) -> ApplePassKeys:
        found = apple_pass_keys(**self.settings(**changes))
        assert found is not None
        return found


def private_pem(key: rsa.RSAPrivateKey, password: str = "") -> bytes:
    hidden = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, hidden)


def apple_files(folder: Path, *, days: float = 365) -> AppleFiles:
    root = issue("Root", None, authority=True, days=4000)
    intermediate = issue("WWDR", root, authority=True, days=2000)
    also = ((NameOID.USER_ID, PASS_TYPE), (NameOID.ORGANIZATIONAL_UNIT_NAME, TEAM))
    own = issue("Pass Type ID", intermediate, days=days, also=also)
    (folder / "root.pem").write_bytes(root.pem())
    # As Apple offers it.
    (folder / "wwdr.cer").write_bytes(intermediate.certificate.public_bytes(Encoding.DER))
    (folder / "wwdr.pem").write_bytes(intermediate.pem())
    (folder / "pass.pem").write_bytes(own.pem())
    (folder / "key.pem").write_bytes(private_pem(own.key))
    return AppleFiles(root, intermediate, own, folder)


def google_file(folder: Path) -> str:
    """The path of a service account's key."""
    said: dict[str, Any] = {
        "type": "service_account", "client_email": ACCOUNT, "private_key_id": "key-1",
        "private_key": private_pem(rsa_key("Google")).decode(), "token_uri": "https://token.invalid/token",
    }  # fmt: skip
    path = folder / "google.json"
    path.write_text(json.dumps(said))
    return str(path)


@cache
def google_account() -> GooglePassKeys:
    """Read once, as a process does: a key takes a while."""
    with TemporaryDirectory() as folder:
        found = google_pass_keys(
            key=google_file(Path(folder)), issuer=ISSUER, api_url="https://wallet.invalid/v1/"
        )
    assert found is not None
    return found


def google_keys(**changes: str) -> GooglePassKeys:
    """`token_url` and `api_url`: where Google is."""
    return replace(google_account(), **changes)
