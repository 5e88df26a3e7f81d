"""Members who may give: Olivia, who has bought, and Maya, who has not."""

from django.db.models import Sum

from loyalty.models import Account, Membership, Program, Transfer, Wallet
from loyalty.services.gift_reversals import undo_movement
from loyalty.services.gifts import donate_units, give_units
from members.models import Customer
from members.services.audit import SYSTEM
from tests.loyalty.factories import (
    NOW,
    make_program,
    make_wallet,
    order,
    record,
    wallet_of,
)

MONTHLY = {"expiry": {"kind": "months", "length": 1, "last_day": "start_of_day"}}


def generous(**gifts) -> Program:
    """A program whose members may give, and who have a charity to give to."""
    unit = gifts.pop("unit", {}) | {"gifts": {"to_members": True} | gifts}
    return make_program(unit=unit, charities=[{"code": "trees", "name": "Trees"}])


def olivia(program: Program, units: int = 100) -> Wallet:
    """Olivia, who has bought for so much and gives."""
    wallet = make_wallet(program, "olivia")
    Customer.objects.filter(external_id="olivia").update(
        given_name="Olivia", family_name="Hart", email="olivia@example.com"
    )
    record(order("O1", str(units), buyer="olivia"))
    return wallet_of(wallet.account_id)


def maya(program: Program) -> Membership:
    wallet = make_wallet(program, "maya")
    Customer.objects.filter(external_id="maya").update(given_name="Maya", family_name="Lim")
    return Membership.objects.select_related("customer").get(account=wallet.account_id)


def give(wallet: Wallet, to: Membership, units: int, key="g1", *, now=NOW, **how) -> Transfer:
    given = {"message": "", "actor": SYSTEM, "source": "backoffice"} | how
    return give_units(wallet=wallet, to=to, units=units, key=key, now=now, **given)[0]


def donate(wallet: Wallet, units: int, key: str = "d1", *, now=NOW, **how) -> Transfer:
    charity = how.pop("charity", None) or Account.objects.get(kind="charity", code="trees")
    return donate_units(
        wallet=wallet, charity=charity, units=units, actor=SYSTEM, key=key, source="backoffice",
        now=now, **how,
    )[0]  # fmt: skip


def donated_to(charity: Account) -> int:
    """What a charity was given in all, less what was undone."""
    donations = Transfer.objects.filter(to_account=charity, kind=Transfer.Kind.DONATION)
    sums = donations.aggregate(units=Sum("amount"), undone=Sum("reversals__amount", default=0))
    return int(sums["units"] - sums["undone"])


def undo(transfer: Transfer, *, now=NOW, note: str = "") -> Transfer:
    how = {"actor": SYSTEM, "source": "backoffice", "now": now, "note": note}
    return undo_movement(transfer=transfer, **how)[0]
