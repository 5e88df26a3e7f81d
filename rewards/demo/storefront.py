"""The demonstration's program in its shop's pages."""

from __future__ import annotations

from loyalty.demo.parts import register_demo_part
from loyalty.models import Program
from members.services.audit import SYSTEM
from rewards.models import Element
from rewards.selectors.storefront import get_storefront
from rewards.services.storefront import update_storefront


def register() -> None:
    """Called once, when the application is ready."""
    register_demo_part("storefront", show_in_shop)


def show_in_shop(program: Program) -> None:
    """All that there is; what somebody has set since stays."""
    if get_storefront().program_id is None:
        changes = {
            "program": program, "elements": list(Element), "popup_seconds": 30,
            "join_url": "/demo-shop/sign-up/",
        }  # fmt: skip
        update_storefront(actor=SYSTEM, changes=changes)
