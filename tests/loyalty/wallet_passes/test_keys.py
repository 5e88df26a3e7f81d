"""What cannot sign passes is refused when a process starts, by the name of the setting."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.x509.oid import NameOID
from django.conf import settings as site
from django.core.exceptions import ImproperlyConfigured

from loyalty.wallet_passes.keys import apple_pass_keys, google_pass_keys
from tests.loyalty.wallet_passes.authority import (
    ISSUER,
    PASS_TYPE,
    TEAM,
    AppleFiles,
    apple_files,
    google_file,
    issue,
    private_pem,
)


def refused(files: AppleFiles, **changes: str) -> str:
    with pytest.raises(ImproperlyConfigured) as refusal:
        apple_pass_keys(**files.settings(**changes))
    return str(refusal.value)


def written(files: AppleFiles, name: str, content: bytes) -> str:
    (files.folder / name).write_bytes(content)
    return files.path(name)


def test_pass_type_and_team_are_what_the_certificate_says(files: AppleFiles) -> None:
    keys = files.keys()
    assert (keys.pass_type, keys.team) == (PASS_TYPE, TEAM)
    assert files.keys(intermediate=files.path("wwdr.pem")).intermediate == keys.intermediate


def test_certificate_and_key_may_be_in_one_file(files: AppleFiles) -> None:
    both = written(files, "both.pem", files.own.pem() + private_pem(files.own.key))
    assert files.keys(certificate=both, key="").key_path == both


def test_a_key_may_have_a_password_which_nobody_reads_in_a_log(files: AppleFiles) -> None:
    hidden = written(files, "hidden.pem", private_pem(files.own.key, "wordless-4711"))
    keys = files.keys(key=hidden, password="wordless-4711")
    assert "wordless" not in repr(keys)
    said = refused(files, key=hidden, password="another")
    assert said.startswith(f"APPLE_PASS_KEY: {hidden} is no RSA key in PEM form, or its password")


def test_without_a_certificate_there_are_no_passes(files: AppleFiles) -> None:
    nothing = dict.fromkeys(files.settings(), "")
    assert apple_pass_keys(**nothing) is None
    assert google_pass_keys(key="", issuer="", api_url="") is None


def test_each_setting_is_named_that_lacks_or_cannot_be_read(files: AppleFiles) -> None:
    assert refused(files, intermediate="").startswith("Set APPLE_WWDR_CERTIFICATE, too")
    assert refused(files, certificate="").startswith("APPLE_PASS_KEY is set, so set APPLE_PASS_CE")
    for name, setting in (
        ("certificate", "APPLE_PASS_CERTIFICATE"), ("key", "APPLE_PASS_KEY"),
        ("intermediate", "APPLE_WWDR_CERTIFICATE"),
    ):  # fmt: skip
        missing = refused(files, **{name: files.path("nowhere.pem")})
        assert missing.startswith(f"{setting}: {files.path('nowhere.pem')} cannot be read: No such")
        assert "docs/operations.md#wallet-passes" in missing
        broken = refused(files, **{name: written(files, "broken.pem", b"not a key")})
        assert broken.startswith(f"{setting}: ")


def test_what_does_not_go_together_is_refused(files: AppleFiles) -> None:
    another = written(files, "another.pem", private_pem(issue("Another", None).key))
    assert "is not the key of the certificate" in refused(files, key=another)
    stranger = issue("Stranger", None, authority=True)
    said = refused(files, intermediate=written(files, "stranger.pem", stranger.pem()))
    assert said.startswith("APPLE_WWDR_CERTIFICATE: ")
    assert "has not issued the certificate of APPLE_PASS_CERTIFICATE" in said


def test_another_kind_of_certificate_is_refused(files: AppleFiles) -> None:
    also = ((NameOID.ORGANIZATIONAL_UNIT_NAME, TEAM),)
    other = issue("Developer", files.intermediate, also=also)
    both = written(files, "other.pem", other.pem() + private_pem(other.key))
    assert "is not the certificate of a pass type: its subject has no UID" in refused(
        files, certificate=both, key=""
    )


def test_the_end_is_that_of_the_certificate_that_ends_first(tmp_path: Path) -> None:
    keys = apple_files(tmp_path, days=31).keys()
    end, day = keys.valid_until, dt.timedelta(days=1)
    assert end == keys.certificate.not_valid_after_utc
    assert not keys.ends_soon(end - 31 * day)
    assert keys.ends_soon(end - 30 * day)
    assert keys.is_valid(end - day)
    assert not keys.is_valid(end)


def test_a_service_account_is_refused_that_cannot_sign(tmp_path: Path) -> None:
    def said(**changes: Any) -> str:
        what = {"key": google_file(tmp_path), "issuer": ISSUER, "api_url": "", **changes}
        with pytest.raises(ImproperlyConfigured) as refusal:
            google_pass_keys(**what)
        return str(refusal.value)

    assert said(issuer="shop").startswith("GOOGLE_WALLET_ISSUER is the number of an issuer")
    assert said(key="").startswith("GOOGLE_WALLET_ISSUER is set, so set GOOGLE_WALLET_KEY, too")
    (tmp_path / "other.json").write_text(json.dumps({"client_email": "a@b.example"}))
    for name in ("nowhere.json", "other.json"):
        assert said(key=str(tmp_path / name)).startswith(f"GOOGLE_WALLET_KEY: {tmp_path / name} ")


def test_a_process_does_not_start_with_it(files: AppleFiles) -> None:
    asked = [sys.executable, "manage.py", "check"]
    environment = {
        **os.environ, "APPLE_PASS_CERTIFICATE": files.path("pass.pem"),
        "APPLE_PASS_KEY": files.path("nowhere.pem"),
        "APPLE_WWDR_CERTIFICATE": files.path("wwdr.cer"),
    }  # fmt: skip
    run = subprocess.run(
        asked, cwd=site.BASE_DIR, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode != 0
    assert re.search(r"ImproperlyConfigured: APPLE_PASS_KEY: .* cannot be read", run.stderr)
