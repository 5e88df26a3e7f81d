"""Which foreign keys lead from rows of this application to their program (`members.program_scope`).

Of several ways it is the one over the smallest table: units before members.
"""

from __future__ import annotations

from loyalty import models as m
from members.models import (
    Customer,
    CustomerFacts,
    CustomerMerge,
    CustomerNote,
    CustomerTask,
    PersonalPackage,
    PersonalPackagePart,
    SegmentMember,
)
from members.partner_scope import PartnerChoice, register_partner_choices
from members.program_scope import (
    UnlessElsewhere,
    Way,
    register_program_choices,
    register_ways,
)

_PROGRAM, _UNITS, _MEMBER, _RULE = ("program",), ("wallet_type",), ("membership",), ("rule",)
_ORDER, _WALLET = ("order",), ("wallet",)

# Those first that others lead to.
PEOPLE: dict[type, Way] = {
    m.Program: (),
    m.MemberTally: _PROGRAM,
    m.Membership: _PROGRAM,
    # Somebody who is in no program is everybody's, to be enrolled.
    Customer: (UnlessElsewhere(m.Membership, "customer", instead="merged_into_id"),),
    CustomerNote: ("customer",),
    CustomerTask: ("customer",),
    PersonalPackage: ("customer",),
    PersonalPackagePart: ("package",),
    CustomerFacts: ("customer",),
    CustomerMerge: ("kept",),
    SegmentMember: ("customer",),
}
LEDGER: dict[type, Way] = {
    m.Account: _PROGRAM,
    m.WalletType: _PROGRAM,
    m.Wallet: _UNITS,
    m.Transfer: _UNITS,
    m.Lot: _WALLET,
    m.LotChange: ("lot",),
    m.LotUse: ("lot",),
    m.LotPolicy: _UNITS,
    m.DailyTotal: _UNITS,
    m.LotTotal: _UNITS,
    m.LotPosition: _UNITS,
    m.FormerUnitTerms: _UNITS,
    m.ClosedPeriod: _PROGRAM,
    m.DiscountEntry: _PROGRAM,
    m.DiscountBudget: _PROGRAM,
    m.DiscountBudgetUse: ("budget",),
    m.AdjustmentLimit: ("program?",),
    m.AdjustmentRequest: _WALLET,
    m.BulkAdjustment: _UNITS,
    m.BulkRow: ("batch",),
}
ORDERS: dict[type, Way] = {
    m.OrderEvaluation: _PROGRAM,
    m.Order: ("customer?", UnlessElsewhere(m.OrderEvaluation, "order")),
    m.OrderLine: _ORDER,
    m.UndoneOrder: _ORDER,
    m.Tender: _ORDER,
    m.OrderDiscount: _ORDER,
    m.OrderRate: _ORDER,
    m.OrderConversion: _PROGRAM,
    m.MissingRate: _PROGRAM,
    m.Refund: ("only_program?", "customer?", "order?"),
    m.RefundLine: ("refund",),
    m.UnitTender: _UNITS,
    m.ActivityAward: _MEMBER,
    m.Activity: ("customer", UnlessElsewhere(m.ActivityAward, "activity")),
    m.OccasionGrant: _MEMBER,
}
EARNING: dict[type, Way] = {
    m.EarningRule: _PROGRAM,
    m.EarningRuleVersion: _RULE,
    m.CapCounter: _RULE,
    m.WindowAward: _MEMBER,
    m.WindowPart: ("award",),
    m.Backtest: _PROGRAM,
    m.BacktestPart: ("backtest",),
    m.TierSet: _PROGRAM,
    m.Tier: ("tier_set",),
    m.TierDraft: _PROGRAM,
    m.TierChange: _MEMBER,
    m.TierCheckpoint: _MEMBER,
    m.ManualTier: _MEMBER,
    m.MemberTier: _MEMBER,
    m.Goal: _PROGRAM,
    m.EconomicAssumptions: _PROGRAM,
    m.EconomicScenario: _PROGRAM,
    m.GoalPoint: ("goal",),
    m.InsightPoint: _PROGRAM,
    m.TargetBand: _PROGRAM,
    m.CohortMonth: _PROGRAM,
    m.ProgramReview: _PROGRAM,
    m.ReviewFinding: ("review",),
    m.ReviewReading: ("review",),
}
MEMBERS: dict[type, Way] = {
    m.Absence: _MEMBER,
    m.RiskPolicy: _PROGRAM,
    m.RiskScore: _MEMBER,
    m.RiskCase: _MEMBER,
    m.OrderTaking: ("accrual",),
    m.WalletPass: _MEMBER,
    m.PassDevice: ("wallet_pass",),
    m.Candidate: _PROGRAM,
    m.JoinRequest: _PROGRAM,
    m.Pool: _PROGRAM,
    m.PoolMember: _MEMBER,
    m.Company: _PROGRAM,
    m.SpendRequest: _UNITS,
    m.Plan: _PROGRAM,
    m.PlanVersion: ("plan",),
    m.Subscription: _MEMBER,
    m.PlanCharge: _PROGRAM,
    m.PlanCredit: ("charge",),
    m.PaymentEvent: ("charge?",),
}
GIVING: dict[type, Way] = {
    m.Charity: ("account",),
    m.CharityRate: _UNITS,
    m.CharityPayout: ("charity",),
    m.CharityEntry: ("charity",),
    m.CharityTally: ("charity",),
    m.Pledge: ("charity",),
    m.PledgeEvent: ("pledge",),
    m.StandingGift: _UNITS,
}
PARTNERS: dict[type, Way] = {
    m.Partner: ("account",),
    m.PartnerRate: ("partner",),
    m.PartnerSettlement: ("partner",),
    m.SettledTransfer: ("settlement",),
    m.PartnerTally: ("partner",),
}
PROGRAMS: dict[type, Way] = {
    m.ProgramPause: _PROGRAM,
    m.ProgramEnding: _PROGRAM,
    m.EndingConversion: ("ending",),
    m.ConvertedWallet: ("conversion",),
    m.ProgramReading: _PROGRAM,
    m.ProgramDraft: ("program?",),
    m.Launch: _PROGRAM,
    m.LaunchPhase: ("launch",),
    m.LaunchPlace: ("launch",),
    m.FoundingBonus: _PROGRAM,
    m.FoundingGrant: _PROGRAM,
}


def register() -> None:
    for ways in (PEOPLE, LEDGER, PARTNERS, ORDERS, EARNING, MEMBERS, GIVING, PROGRAMS):
        register_ways(ways)
    register_program_choices(
        lambda: m.Program.objects.order_by("name", "pk").values_list("pk", "name")
    )
    register_partner_choices(_partners)


def _partners() -> list[PartnerChoice]:
    rows = m.Partner.objects.filter(ended_at=None).order_by("account__name", "pk")
    named = rows.values_list("pk", "account__name", "account__program__name", "account__program")
    return [PartnerChoice(pk, f"{name} ({of})", program) for pk, name, of, program in named]
