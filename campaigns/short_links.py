"""Short links of texts, where every character costs: on the merchant's own address, each for one
delivery, so that it is counted that it was followed. What it leads to is kept (`ShortLink`)."""

from __future__ import annotations

import hashlib
import re
import string
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from campaigns.click_links import LONGEST, is_untouched
from campaigns.links import absolute

# 65 bits: nobody guesses one, and no two are the same.
CODE_LENGTH = 11
_SIGNS = string.ascii_letters + string.digits
_LINK = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
# What ends the sentence rather than the address.
_ENDS = ".,;:!?)]}'\u2019\u201d\u3002\uff0c\uff01\uff1f\uff09"


@dataclass(frozen=True, slots=True)
class Short:
    """A short link before it is kept."""

    code: str
    target: str


def short_url(code: str) -> str:
    return absolute(reverse("short_link", args=[code]))


def is_code(text: str) -> bool:
    """Whether it looks like one: anything may stand in an address."""
    return len(text) == CODE_LENGTH and all(sign in _SIGNS for sign in text)


def with_short_links(
    text: str, delivery: UUID, foreign: tuple[str, ...] = ()
) -> tuple[str, list[Short]]:
    """The text with links that are counted, and what they are to lead to. Those by which somebody
    declines or chooses stay, and those that begin as a `foreign` one."""
    found: dict[str, Short] = {}

    def shorter(target: str) -> str:
        if target.startswith(foreign):
            return target
        made = Short(_code_of(delivery, target), target)
        found[made.code] = made
        return short_url(made.code)

    return _each_link(text, shorter), list(found.values())


def links_in(values: Iterable[str]) -> tuple[str, ...]:
    """Links that stand in what a message fills in, such as in the name of who gave something: they
    are not the merchant's, so nobody is led to them by the merchant's address."""
    found = (link.group(0).rstrip(_ENDS) for value in values for link in _LINK.finditer(value))
    return tuple(dict.fromkeys(found))


def as_if_short(text: str) -> str:
    """As long as it will be, before there is a delivery."""
    return _each_link(text, lambda _target: short_url("x" * CODE_LENGTH))


def _each_link(text: str, shorter: Callable[[str], str]) -> str:
    def changed(found: re.Match[str]) -> str:
        target = found.group(0).rstrip(_ENDS)
        if len(target) > LONGEST or is_untouched(target):
            return found.group(0)
        return shorter(target) + found.group(0)[len(target) :]

    return _LINK.sub(changed, text)


def _code_of(delivery: UUID, target: str) -> str:
    """The same for the same link of the same delivery, whoever works it out."""
    key = settings.SECRET_KEY.encode()[:64]
    said = hashlib.blake2b(target.encode(), key=key, salt=delivery.bytes, person=b"short link")
    number, signs = int.from_bytes(said.digest()), []
    for _place in range(CODE_LENGTH):
        number, sign = divmod(number, len(_SIGNS))
        signs.append(_SIGNS[sign])
    return "".join(signs)
