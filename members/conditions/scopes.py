"""Whose facts a field of a condition reads: those of an order, its lines or an activity are given
with it, the others are looked up and stay as they were when it was first judged."""

ORDER, LINE, ACTIVITY = "order", "line", "activity"
CUSTOMER, BEHAVIOR, MEMBER, SEGMENTS = "customer", "behavior", "member", "segments"
TIER, PLAN, COMPANY = "tier", "plan", "company"
# How many orders a member placed since they joined.
JOINED = "joined"
# Promotions whose codes count for the order.
CODES = "codes"
# What was offered to the buyer alone, and holds when the order is placed.
OFFERS = "offers"
# The challenges that a member has done before, and what they are called for it.
CHALLENGES = "challenges"
# What they looked at in the shop, where they agreed to that.
BROWSING = "browsing"
# What they want to be told, and what they did with messages.
TOLD = "told"
# When they did what activities tell of.
DEEDS = "deeds"
OF_THE_ORDER = frozenset({ORDER, LINE, ACTIVITY})
# What the database can answer of customers, so that all whom it holds for are counted beforehand:
# what segments and audiences may ask.
OF_CUSTOMERS = frozenset(
    {CUSTOMER, BEHAVIOR, MEMBER, SEGMENTS, TIER, PLAN, CHALLENGES, BROWSING, TOLD, DEEDS}
)
