"""A random shop whose messages come twice, late and all at once, while whoever works for it dies.

`plan` says what happens, the same for the same seed; `crew` has it done by processes that are
killed; `acts` does one thing through the services; `books` looks whether everybody has what they
must. `run` puts them together, in a database without any program.
"""

from __future__ import annotations


class BrokenError(Exception):
    """A fact about the books that does not hold."""
