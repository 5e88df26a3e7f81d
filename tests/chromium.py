"""Which browser the tests drive: one named, one on PATH, or the one npm has brought."""

import os
import shutil
import tarfile
from dataclasses import dataclass, field
from functools import wraps
from io import BytesIO
from pathlib import Path
from typing import Any

import brotli

from config.embedded.locks import locked

PROJECT = Path(__file__).resolve().parent.parent
PACKAGE = PROJECT / "node_modules" / "@sparticuz" / "chromium"
CACHE = PROJECT / ".cache"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--font-render-hinting=none"]

FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>{inter}</dir>
  <dir>{package}</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>{cache}</cachedir>
  <alias><family>sans-serif</family><prefer><family>Inter Variable</family></prefer></alias>
</fontconfig>
"""


@dataclass(frozen=True)
class Chromium:
    """An executable and the environment it needs."""

    executable: Path
    environment: dict[str, str] = field(default_factory=dict)


def find_chromium() -> Chromium:
    """Raises LookupError with what to do if there is no browser."""
    named = os.environ.get("SETIA_CHROMIUM", "")
    if named:
        return Chromium(Path(named))
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return Chromium(Path(found))
    if not (PACKAGE / "bin" / "chromium.br").is_file():
        raise LookupError("No browser: run `make setup`, or name one in SETIA_CHROMIUM.")
    return unpacked_chromium()


def unpacked_chromium() -> Chromium:
    """The browser of the npm package, unpacked once, by one process at a time."""
    source = PACKAGE / "bin"
    stamp = (source / "chromium.br").stat()
    folder = CACHE / f"chromium-{stamp.st_size}-{int(stamp.st_mtime)}"
    with locked(CACHE / "chromium.lock"):
        if not folder.is_dir():
            for old in CACHE.glob("chromium-*"):
                shutil.rmtree(old)
            fresh = CACHE / "chromium.new"
            shutil.rmtree(fresh, ignore_errors=True)
            unpack(source, fresh)
            fresh.rename(folder)
    return Chromium(
        folder / "chromium",
        {
            "LD_LIBRARY_PATH": str(folder / "al2023" / "lib"),
            "FONTCONFIG_FILE": str(folder / "fonts.conf"),
        },
    )


def unpack(source: Path, folder: Path) -> None:
    folder.mkdir(parents=True)
    executable = folder / "chromium"
    executable.write_bytes(brotli.decompress((source / "chromium.br").read_bytes()))
    executable.chmod(0o755)
    # The libraries are in a folder of their own; the package's program expects it by this name.
    for archive, inner in (("al2023", "al2023"), ("fonts", ""), ("swiftshader", "")):
        content = brotli.decompress((source / f"{archive}.tar.br").read_bytes())
        with tarfile.open(fileobj=BytesIO(content)) as files:
            # The first releases of Python 3.11 have no filters yet; the lock knows these archives.
            guarded = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
            files.extractall(folder / inner, **guarded)
    (folder / "fonts.conf").write_text(
        FONTS.format(
            inter=PROJECT / "node_modules" / "@fontsource-variable" / "inter" / "files",
            package=folder / "fonts",
            cache=CACHE / "fontconfig",
        )
    )


def look_at_whole_documents() -> None:
    """Whatever a test asks a page by script is asked when its document is loaded.

    A click returns as soon as the next document has begun, and on a busy machine it may not even
    have its first element by then. Locators wait for what they look for; a script does not.
    """
    from playwright.sync_api import Page

    evaluate = Page.evaluate

    @wraps(evaluate)
    def evaluate_when_loaded(page: Any, *args: Any, **kwargs: Any) -> Any:
        page.wait_for_load_state()
        return evaluate(page, *args, **kwargs)

    Page.evaluate = evaluate_when_loaded  # type: ignore[method-assign]
