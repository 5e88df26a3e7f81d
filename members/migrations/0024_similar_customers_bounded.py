from pathlib import Path

from django.db import migrations
from django.db.migrations.operations import RunSQL

SOURCE = Path(__file__).parents[1] / "selectors" / "sql" / "similar_customers.sql"


class Migration(migrations.Migration):
    dependencies = [("members", "0023_two_factor_of_roles")]

    operations = [
        # The setting the function carries is known once the library is loaded in this session.
        RunSQL("SELECT show_limit()", RunSQL.noop),
        RunSQL(
            [
                "DROP FUNCTION IF EXISTS members_similar_customers(text, integer)",
                SOURCE.read_text(encoding="utf-8"),
            ],
            RunSQL.noop,
        ),
    ]
