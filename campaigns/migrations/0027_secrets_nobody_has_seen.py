from django.db import migrations


def empty_unseen(apps, schema_editor):
    """A secret used to be made with the connection and shown to nobody; the pages said that it was
    made, and asked for none. One that was set or shown since has an entry in the log."""
    connections = apps.get_model("campaigns", "Connection").objects
    said = apps.get_model("members", "AuditEntry").objects.filter(action="connection.secret_set")
    seen = {target.rpartition(":")[2] for target in said.values_list("target", flat=True)}
    made = connections.filter(kind__in=["woocommerce", "mapped"]).exclude(secret=b"")
    unseen = [key for key, public_id in made.values_list("pk", "public_id")
              if str(public_id) not in seen]
    connections.filter(pk__in=unseen).update(secret=b"")


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0026_tallies"),
        ("members", "0024_similar_customers_bounded"),
    ]

    operations = [
        migrations.RunPython(empty_unseen, migrations.RunPython.noop, elidable=True),
    ]
