"""The web server: `python -m config.web` with the arguments of granian.

It forks its processes from one that has all of Setia loaded. They start at once, also in the place
of one that died, and share that memory; each would load it for itself otherwise, for two seconds.
"""

import multiprocessing
import sys
from importlib import import_module

from granian.cli import entrypoint


def serve(arguments: list[str]) -> None:
    if sys.platform == "linux":
        multiprocessing.set_start_method("fork", force=True)
    # Processes that are started again because code has changed load it anew.
    if "--reload" not in arguments and multiprocessing.get_start_method() == "fork":
        import_module("config.wsgi")
    entrypoint()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    serve(sys.argv)
