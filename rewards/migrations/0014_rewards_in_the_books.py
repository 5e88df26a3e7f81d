from django.db import migrations

# What vouchers took off before costs on the day of its use, or on the first one that is open.
BOOK = """
    INSERT INTO loyalty_discountentry
           (program_id, kind, subject, turn, amount, occurred_at, booked_on, recorded_at)
    SELECT v.program_id, CASE WHEN v.membership_id IS NULL THEN 'voucher' ELSE 'reward' END,
           'use:' || u.id, 0, u.discount, u.closed_at,
           greatest((u.closed_at AT TIME ZONE p.time_zone)::date, d.open_from), now()
      FROM rewards_voucheruse u
      JOIN rewards_voucher v ON v.id = u.voucher_id
      JOIN loyalty_program p ON p.id = v.program_id
      LEFT JOIN ledger_open_days() d ON d.program_id = p.id
     WHERE u.state = 'used' AND u.discount <> 0
"""


class Migration(migrations.Migration):
    dependencies = [
        ("rewards", "0013_told_outside"),
        ("loyalty", "0048_discounts_in_the_books"),
    ]

    operations = [migrations.RunSQL(BOOK, migrations.RunSQL.noop)]
