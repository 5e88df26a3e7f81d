from pathlib import Path

from django.db import migrations
from django.db.migrations.operations import RunSQL

SOURCE = Path(__file__).parents[1] / "selectors" / "sql" / "similar_customers.sql"


class Migration(migrations.Migration):
    dependencies = [("members", "0001_initial")]

    operations = [
        # The setting the function carries is known once the library is loaded in this session.
        RunSQL("SELECT show_limit()", RunSQL.noop),
        RunSQL(
            [SOURCE.read_text(encoding="utf-8")],
            "DROP FUNCTION members_similar_customers(text, integer, real)",
        ),
    ]
