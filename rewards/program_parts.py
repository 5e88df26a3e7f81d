"""What this application adds to a program's definition."""

from __future__ import annotations

from loyalty.program_parts import ProgramPart, register_program_part
from rewards.definitions import RewardDefinition, VoucherPoolDefinition
from rewards.services import program_files, window_files
from rewards.window_definitions import AccessWindowDefinition

PARTS = (
    # The lists first: rewards name them.
    ProgramPart(
        "voucher_pools", VoucherPoolDefinition, program_files.pools_of, program_files.apply_pools
    ),
    ProgramPart(
        "access_windows",
        AccessWindowDefinition,
        window_files.windows_of,
        window_files.apply_windows,
    ),
    ProgramPart("rewards", RewardDefinition, program_files.rewards_of, program_files.apply_rewards),
)


def register() -> None:
    """Called once, when the application is ready."""
    for part in PARTS:
        register_program_part(part)
