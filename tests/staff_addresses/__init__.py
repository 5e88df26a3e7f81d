"""Who may open which address of the back-office: a table for each application, written by hand."""

from tests.staff_addresses.of_campaigns import CAMPAIGNS
from tests.staff_addresses.of_loyalty import LOYALTY
from tests.staff_addresses.of_members import MEMBERS
from tests.staff_addresses.of_rewards import REWARDS
from tests.staff_addresses.who import Who

TABLE: dict[str, Who] = MEMBERS | LOYALTY | REWARDS | CAMPAIGNS
