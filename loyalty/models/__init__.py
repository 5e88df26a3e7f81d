from loyalty.instants import NEVER
from loyalty.models.books import ClosedPeriod
from loyalty.models.ledger import Account, Lot, LotChange, LotUse, Transfer, Wallet
from loyalty.models.memberships import Membership
from loyalty.models.orders import (
    Order,
    OrderEvaluation,
    OrderLine,
    Refund,
    RefundLine,
    Tender,
)
from loyalty.models.programs import (
    CapCounter,
    EarningRule,
    EarningRuleVersion,
    LotPolicy,
    Program,
    WalletType,
)
from loyalty.models.totals import DailyTotal

__all__ = [
    "NEVER",
    "Account",
    "CapCounter",
    "ClosedPeriod",
    "DailyTotal",
    "EarningRule",
    "EarningRuleVersion",
    "Lot",
    "LotChange",
    "LotPolicy",
    "LotUse",
    "Membership",
    "Order",
    "OrderEvaluation",
    "OrderLine",
    "Program",
    "Refund",
    "RefundLine",
    "Tender",
    "Transfer",
    "Wallet",
    "WalletType",
]
