"""A secret key for a machine that was given none: made once, readable by its owner only."""

import os
import secrets
from pathlib import Path


def secret_key(path: Path) -> str:
    """Return the key stored at `path`, creating it first if need be."""
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        fresh.write_text("")
        fresh.chmod(0o600)
        fresh.write_text(secrets.token_urlsafe(64))
        try:
            # Linking fails if another process was first; then its key is the one.
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
        return path.read_text().strip()
