"""Whether the lock files still answer to pyproject.toml and package.json, without a network.

`make lock` writes a fingerprint of what it read into the first line of each lock; `make check`
compares. With --write, writes it.
"""

import hashlib
import json
import sys
import tomllib
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
LOCKS: dict[str, tuple[str, ...]] = {
    "runtime": ("",),
    "dev": ("", "dev"),
    "demo": ("demo",),
    "node": ("node",),
    "bootstrap": ("bootstrap",),
}


def first_line(groups: tuple[str, ...]) -> str:
    """The line that a lock of these groups begins with; the group "" is the project itself."""
    declared = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    read = {
        "python": declared["project"]["requires-python"],
        "uv": declared["tool"]["uv"],
        "dependencies": [
            declared["project"]["dependencies"]
            if not group
            else declared["dependency-groups"][group]
            for group in groups
        ],
    }
    digest = hashlib.sha256(json.dumps(read, sort_keys=True).encode()).hexdigest()
    return f"# Made by `make lock` from dependencies with the fingerprint {digest[:32]}\n"


def complaints() -> list[str]:
    found = [
        f"requirements/{name}.txt is out of step with pyproject.toml"
        for name, groups in LOCKS.items()
        if not lock(name).read_text().startswith(first_line(groups))
    ]
    wanted = json.loads((PROJECT / "package.json").read_text())
    locked = json.loads((PROJECT / "package-lock.json").read_text())
    for kind in ("dependencies", "devDependencies"):
        if wanted.get(kind) != locked["packages"][""].get(kind):
            found.append(f"package-lock.json is out of step with package.json: {kind}")
    for path in [*map(lock, LOCKS), PROJECT / "package-lock.json"]:
        if "--index-url" in path.read_text() or '"resolved"' in path.read_text():
            found.append(f"{path.relative_to(PROJECT)} names the registry it came from")
    return found


def lock(name: str) -> Path:
    return PROJECT / "requirements" / f"{name}.txt"


def write() -> None:
    for name, groups in LOCKS.items():
        path = lock(name)
        lines = path.read_text().splitlines(keepends=True)
        body = [line for line in lines if not line.startswith("# Made by `make lock`")]
        path.write_text(first_line(groups) + "".join(body))


def main() -> None:
    if sys.argv[1:] == ["--write"]:
        write()
        return
    found = complaints()
    if found:
        sys.exit("\n".join([*found, "Run `make lock` and commit what it changes."]))


if __name__ == "__main__":
    main()
