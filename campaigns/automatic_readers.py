"""Who opens mails and follows links without anybody reading them, as far as they can be told."""

from __future__ import annotations

import re
from collections.abc import Mapping

# Programs that look for viruses, make previews, or index what they find.
_PROGRAM = re.compile(
    r"bot\b|crawl|spider|slurp|preview|scanner|scan\b|barracuda|proofpoint|mimecast|ironport"
    r"|fireeye|safelinks|urldefense|symantec|trendmicro|curl/|wget/|python-|go-http-client|okhttp"
    r"|java/|libwww|headlesschrome|facebookexternalhit|whatsapp|slack",
    re.IGNORECASE,
)
# Apple's mail program fetches all pictures for everybody, and says no more than this.
_FETCHES_ALL = re.compile(r"Mozilla/5\.0", re.IGNORECASE)


def is_automatic(headers: Mapping[str, str]) -> bool:
    """Whether a link is followed by a program: it says so, says nothing at all, or fetches ahead
    of somebody who may never come."""
    ahead = headers.get("Sec-Purpose", "") or headers.get("Purpose", "")
    agent = headers.get("User-Agent", "").strip()
    return not agent or "prefetch" in ahead.lower() or _PROGRAM.search(agent) is not None


def fetches_everything(headers: Mapping[str, str]) -> bool:
    """Whether a picture is fetched whoever reads the mail, and whether anybody does."""
    agent = headers.get("User-Agent", "").strip()
    return is_automatic(headers) or _FETCHES_ALL.fullmatch(agent) is not None
