"""What this application adds to a program's definition."""

from __future__ import annotations

from loyalty.program_parts import ProgramPart, register_program_part
from rewards.definitions import RewardDefinition, VoucherPoolDefinition
from rewards.promised_words import reward_parts
from rewards.services import program_files, window_files
from rewards.window_definitions import AccessWindowDefinition

PARTS = (
    # The lists first: rewards name them. Games and friends name rewards, so all of it has its turn
    # before them.
    ProgramPart(
        "voucher_pools", VoucherPoolDefinition, program_files.pools_of, program_files.apply_pools,
        turn=1,
    ),
    ProgramPart(
        "access_windows",
        AccessWindowDefinition,
        window_files.windows_of,
        window_files.apply_windows,
        turn=1,
    ),
    ProgramPart(
        "rewards", RewardDefinition, program_files.rewards_of, program_files.apply_rewards,
        words=reward_parts, turn=1,
    ),
)  # fmt: skip


def register() -> None:
    """Called once, when the application is ready."""
    for part in PARTS:
        register_program_part(part)
