"""A stand-in for curl as the pages of docs/ use it; it notes each call in the file $CALLS.

What it does not know it refuses, so that no page asks for more than the real one is known to do.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("-H", action="append", default=[])
    parser.add_argument("-X", default="")
    parser.add_argument("-d", default=None)
    parser.add_argument("-s", action="store_true")
    asked = parser.parse_args()
    headers = dict(line.split(": ", 1) for line in asked.H)
    body = None if asked.d is None else asked.d.encode()
    method = asked.X or ("GET" if body is None else "POST")
    request = urllib.request.Request(asked.address, body, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            status, text = answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read().decode()
    with Path(os.environ["CALLS"]).open("a", encoding="utf-8") as calls:
        calls.write(json.dumps([method, asked.address, status, text]) + "\n")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
