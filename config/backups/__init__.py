"""Backups of the database, and the rehearsal that shows that they can be restored."""

from members.errors import DomainError


class BackupError(DomainError):
    """A backup cannot be made or restored; the message says why and what to do."""

    code = "backup"
