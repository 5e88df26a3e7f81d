"""The settings come from the environment; what is unsafe is not the default."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from config.keys import secret_key
from config.logs import PrivateJsonFormatter, RequestLogMiddleware
from tests.chromium import PROJECT

SHOW = """
import json
from django.conf import settings
names = ["DEBUG", "SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "ALLOWED_HOSTS"]
print(json.dumps({name: getattr(settings, name) for name in names}))
"""

ASK = """
import logging
import httpx2
from config.logs import configuration, configure
configure(configuration(json=True, level="INFO"))
logging.getLogger("setia").info("began")
answers = httpx2.MockTransport(lambda request: httpx2.Response(200))
httpx2.Client(transport=answers).get("https://push.example/3/device/4711")
"""


def settings_with(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    plain = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-c", SHOW],
        cwd=PROJECT,
        env={
            **plain,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "SETIA_VAR": str(tmp_path),
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_an_environment_it_is_for_this_machine_only(tmp_path: Path) -> None:
    found = json.loads(settings_with(tmp_path).stdout)
    assert found == {
        "DEBUG": False,
        "SECURE_SSL_REDIRECT": False,
        "SESSION_COOKIE_SECURE": False,
        "ALLOWED_HOSTS": ["localhost", "127.0.0.1", "[::1]"],
    }


def test_with_a_database_of_its_own_it_is_production(tmp_path: Path) -> None:
    found = json.loads(
        settings_with(
            tmp_path,
            DATABASE_URL="postgres://setia@db/setia",
            SECRET_KEY="a" * 60,
            ALLOWED_HOSTS="points.shop.example",
        ).stdout
    )
    assert found == {
        "DEBUG": False,
        "SECURE_SSL_REDIRECT": True,
        "SESSION_COOKIE_SECURE": True,
        "ALLOWED_HOSTS": ["points.shop.example"],
    }


def test_production_has_no_key_unless_given_one(tmp_path: Path) -> None:
    done = settings_with(tmp_path, SETIA_ENV="production")
    assert done.returncode != 0
    assert "SECRET_KEY" in done.stderr
    assert not (tmp_path / "secret-key").exists()


def test_the_key_of_a_machine_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "var" / "secret-key"
    key = secret_key(path)
    assert len(key) > 60
    assert secret_key(path) == key
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_a_request_is_logged_without_saying_who_or_what(
    caplog: pytest.LogCaptureFixture,
) -> None:
    request = RequestFactory().get("/customers/ana@example.com/?q=ana", HTTP_COOKIE="session=s3")
    middleware = RequestLogMiddleware(lambda request: HttpResponse(status=204))
    with caplog.at_level(logging.INFO, logger="setia.requests"):
        logging.getLogger("setia.requests").propagate = True
        response = middleware(request)
    (record,) = caplog.records
    line = json.loads(PrivateJsonFormatter().format(record))
    assert line["status"] == 204
    assert line["method"] == "GET"
    assert line["route"] == "(no route)"
    assert "ana" not in json.dumps(line)
    assert "s3" not in json.dumps(line)
    assert len(response["X-Request-ID"]) == 32


def test_requests_to_others_are_not_logged_since_their_addresses_name_phones() -> None:
    said = subprocess.run(
        [sys.executable, "-c", ASK], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert "began" in said.stderr
    assert "4711" not in said.stderr


def test_an_error_is_logged_without_the_row_it_quotes() -> None:
    formatter = PrivateJsonFormatter()
    try:
        raise ValueError(
            "duplicate key value violates a constraint\n"
            "DETAIL:  Key (email)=(ana@example.com) already exists."
        )
    except ValueError:
        record = logging.getLogger("setia").makeRecord(
            "setia", logging.ERROR, __file__, 1, "Internal error", (), sys.exc_info()
        )
    record.request = RequestFactory().get("/?q=ana@example.com")
    line = json.loads(formatter.format(record))
    assert "duplicate key value" in line["exc_info"]
    assert "DETAIL: (withheld)" in line["exc_info"]
    assert "ana@example.com" not in json.dumps(line)
