"""Where webhooks may lead: nowhere that only this machine reaches."""

import ipaddress
import socket

import pytest

from campaigns import webhook_addresses, webhook_requests
from campaigns.webhook_addresses import RefusedAddressError, check_url, may_reach, resolve
from members.errors import DomainError

PRIVATE = [
    "10.0.0.7", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
    "224.0.0.1", "255.255.255.255", "fe80::1", "fd00::1", "::", "ff02::1", "::ffff:10.0.0.7",
    "64:ff9b::a00:7", "2002:a00:7::",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _production(settings):
    """Where nothing of one's own is let through."""
    settings.DEVELOPMENT = False
    settings.WEBHOOK_PRIVATE_NETWORKS = []


def named(monkeypatch, *addresses: str) -> None:
    """As if every name had these addresses."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (item, 443)) for item in addresses]
    monkeypatch.setattr(webhook_addresses.socket, "getaddrinfo", lambda *_args, **_how: found)


@pytest.mark.parametrize("address", [*PRIVATE, "127.0.0.1", "::1"])
def test_private_addresses_are_not_reached(address):
    assert not may_reach(ipaddress.ip_address(address), secure=True)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700::6810:85e5", "64:ff9b::5db8:d822"])
def test_those_of_the_net_are_but_never_in_the_clear(address):
    assert may_reach(ipaddress.ip_address(address), secure=True)
    assert not may_reach(ipaddress.ip_address(address), secure=False)


def test_a_network_that_is_named_is_reached_and_its_neighbor_is_not(settings):
    settings.WEBHOOK_PRIVATE_NETWORKS = ["10.20.0.0/16"]
    assert may_reach(ipaddress.ip_address("10.20.3.4"), secure=True)
    assert may_reach(ipaddress.ip_address("::ffff:10.20.3.4"), secure=True)
    assert not may_reach(ipaddress.ip_address("10.21.3.4"), secure=True)


def test_on_a_developers_machine_that_machine_is_reached_in_the_clear(settings):
    settings.DEVELOPMENT = True
    settings.WEBHOOK_PRIVATE_NETWORKS = ["127.0.0.0/8"]
    assert check_url("http://localhost:8800/hooks") == "http://localhost:8800/hooks"
    assert may_reach(ipaddress.ip_address("127.0.0.1"), secure=False)
    assert not may_reach(ipaddress.ip_address("93.184.216.34"), secure=False)


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/", "https://", "https://shop.example:0/", "https://a b.example/",
        "https://shop.example:99999/", "https://user@shop.example/", "javascript:alert(1)",
        "https://shop.example/#x", "https://10.0.0.7/", "https://[::1]/", "//shop.example/",
        "https://shop.example/" + "x" * 2000, "https://shop.example/\x00", "https://[zz]/",
        "http://localhost:8800/",
    ],
)  # fmt: skip
def test_what_is_no_good_address_is_refused_at_its_field(url):
    with pytest.raises(DomainError) as refused:
        check_url(url)
    assert [item.field for item in refused.value.errors] == ["url"]


def test_a_name_that_leads_inside_is_refused_when_it_is_sent(monkeypatch):
    named(monkeypatch, "10.0.0.7", "169.254.169.254")
    assert check_url("https://rebinding.example/") == "https://rebinding.example/"
    with pytest.raises(RefusedAddressError):
        resolve("https://rebinding.example/")
    found = webhook_requests.post("https://rebinding.example/", b"{}", {})
    assert (found.status, found.error) == (None, "refused_address")


def test_of_several_addresses_only_those_of_the_net_are_tried(monkeypatch):
    named(monkeypatch, "10.0.0.7", "93.184.216.34", "93.184.216.34")
    target = resolve("https://mixed.example:8443/hooks?a=1")
    assert target.addresses == ["93.184.216.34"]
    assert (target.path, target.host_header) == ("/hooks?a=1", "mixed.example:8443")


def test_the_connection_goes_to_the_address_that_was_judged(monkeypatch):
    named(monkeypatch, "93.184.216.34")
    asked = []

    def connect(address, timeout):
        asked.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(webhook_requests.socket, "create_connection", connect)
    found = webhook_requests.post("https://shop.example/hooks", b"{}", {})
    assert asked == [("93.184.216.34", 443)]
    assert found.error == "connection_failed: ConnectionRefusedError"
