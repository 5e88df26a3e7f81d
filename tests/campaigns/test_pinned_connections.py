"""What was judged is what is reached, whatever a name says a moment later."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from campaigns.channels import HandOverError, Letter
from campaigns.pinned_connections import pinned
from campaigns.provider_line import ProviderLine
from campaigns.webhook_addresses import RefusedAddressError, Target, resolve
from tests.campaigns.receiver import Receiver, receiving

HOST = "gateway.example"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def rebinds(monkeypatch: pytest.MonkeyPatch, receiver: Receiver) -> list[str]:
    """A name that leads to this machine once, and to the metadata of a cloud from then on."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, *rest: Any, **more: Any) -> Any:
        if host != HOST:
            return real(host, *rest, **more)
        asked.append(host)
        return real("127.0.0.1" if len(asked) == 1 else "169.254.169.254", *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def letter() -> Letter:
    return Letter(to="+306900000000", subject="", text="Hello", name="n1")


def test_a_gateway_whose_name_changes_its_mind_is_reached_where_it_was_judged(
    receiver: Receiver, rebinds: list[str], settings: Any
) -> None:
    settings.DEVELOPMENT = True
    url = f"json://{HOST}:{receiver.port}/sms?:to={{to}}"
    assert ProviderLine("sms", url, titled=False).hand_over(letter()) == "n1"
    assert rebinds == [HOST]
    assert [item.headers["host"] for item in receiver.got] == [f"{HOST}:{receiver.port}"]


def test_a_name_that_leads_inside_is_refused_before_anything_is_sent(
    receiver: Receiver, rebinds: list[str], settings: Any
) -> None:
    settings.DEVELOPMENT = True
    rebinds.append("before")
    with pytest.raises(HandOverError):
        ProviderLine(
            "sms", f"json://{HOST}:{receiver.port}/sms?:to={{to}}", titled=False
        ).hand_over(letter())
    assert receiver.got == []


def test_no_other_host_is_reached_meanwhile_and_any_afterwards(
    receiver: Receiver, settings: Any
) -> None:
    settings.DEVELOPMENT = True
    target = resolve(receiver.url)
    with pinned(target):
        assert requests.post(receiver.url, data=b"{}", timeout=5).status_code == 200
        elsewhere = Target(False, HOST, receiver.port, "/", ["127.0.0.1"])
        with pinned(elsewhere), pytest.raises(RefusedAddressError):
            requests.post(receiver.url, data=b"{}", timeout=5)
    assert requests.post(receiver.url, data=b"{}", timeout=5).status_code == 200
    assert len(receiver.got) == 2


def test_the_next_address_is_tried_where_the_first_does_not_answer(receiver: Receiver) -> None:
    # Nobody listens there.
    target = Target(False, HOST, receiver.port, "/", ["::1", "127.0.0.1"])
    with pinned(target):
        answer = requests.post(f"http://{HOST}:{receiver.port}/", data=b"{}", timeout=5)
    assert answer.status_code == 200
