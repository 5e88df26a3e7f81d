"""Whether what members took agrees with itself, with its vouchers and with the ledger."""

from __future__ import annotations

from django.utils.translation import gettext_noop as _

from loyalty.ledger.checks import register_checks
from rewards.models.wishes import LOOK_AT

# As those of the ledger: each query returns the rows that break its rule (what, expected, found).
CHECKS: dict[str, str] = {
    _("of a reward as many are taken as members took and did not give back"): """
        SELECT 'reward ' || r.id, coalesce(d.stocked, 0), r.taken
          FROM rewards_reward r
          LEFT JOIN (SELECT id, count(*) AS stocked
                       FROM (SELECT reward_id AS id FROM rewards_redemption WHERE stocked
                             UNION ALL
                             SELECT drawn_id FROM rewards_redemption WHERE drawn_stocked) one
                      GROUP BY id) d ON d.id = r.id
         WHERE r.taken <> coalesce(d.stocked, 0)
    """,
    _("a reward was paid with its units, from the wallet of who took it"): """
        SELECT 'redemption ' || d.id, d.units || ' from account ' || m.account_id,
               t.amount || ' from account ' || w.account_id
          FROM rewards_redemption d
          JOIN rewards_reward r ON r.id = d.reward_id
          JOIN loyalty_membership m ON m.id = d.membership_id
          JOIN loyalty_transfer t ON t.id = d.spent_id
          JOIN loyalty_wallet w ON w.id = t.wallet_id
         WHERE t.amount <> d.units OR t.wallet_type_id <> r.wallet_type_id
            OR t.kind <> CASE r.kind WHEN 'charity' THEN 'donation' ELSE 'redemption' END
            OR w.account_id <> m.account_id
    """,
    _("what a given up reward took came back, once and all of it"): """
        SELECT 'redemption ' || d.id,
               CASE WHEN d.returned_id IS NULL THEN 0 ELSE d.units END, coalesce(b.amount, 0)
          FROM rewards_redemption d
          LEFT JOIN (SELECT coalesce(reverses_id, corrects_id) AS spent_id, sum(amount) AS amount,
                            array_agg(id) AS ids
                       FROM loyalty_transfer
                      WHERE kind = 'reversal'
                        AND (reverses_id IS NOT NULL OR corrects_id IS NOT NULL)
                      GROUP BY 1) b ON b.spent_id = d.spent_id
         WHERE coalesce(b.amount, 0) <> CASE WHEN d.returned_id IS NULL THEN 0 ELSE d.units END
            OR (d.returned_id IS NOT NULL AND NOT d.returned_id = ANY (b.ids))
            OR (d.returned_id IS NULL AND d.spent_id IS NOT NULL AND d.status = 'expired'
                AND d.issued_at IS NULL)
            OR (d.returned_id IS NOT NULL AND (d.stocked OR d.status NOT IN
                ('cancelled', 'expired')))
    """,
    _("a voucher is in the state of the reward that it was given out for"): """
        SELECT 'redemption ' || d.id, d.status, coalesce(v.status, 'no voucher')
          FROM rewards_redemption d
          JOIN rewards_reward r ON r.id = d.reward_id
          LEFT JOIN rewards_voucher v ON v.id = d.voucher_id
         WHERE v.status IS DISTINCT FROM
               CASE WHEN d.issued_at IS NULL OR d.gift_card_id IS NOT NULL
                      OR d.credit_id IS NOT NULL OR r.kind = 'charity' THEN NULL
                    WHEN d.status = 'cancelled' THEN 'void' ELSE d.status END
            OR v.reward_id IS DISTINCT FROM
               CASE WHEN v.id IS NOT NULL THEN coalesce(d.drawn_id, d.reward_id) END
            OR v.membership_id IS DISTINCT FROM CASE WHEN v.id IS NOT NULL THEN d.membership_id END
    """,
    _("out of a mystery gift that was handed out one of its prizes was drawn"): """
        SELECT 'redemption ' || d.id, r.kind, coalesce(p.kind, 'nothing drawn')
          FROM rewards_redemption d
          JOIN rewards_reward r ON r.id = d.reward_id
          LEFT JOIN rewards_reward p ON p.id = d.drawn_id
         WHERE (r.kind = 'mystery' AND d.issued_at IS NOT NULL AND d.drawn_id IS NULL)
            OR (r.kind <> 'mystery' AND d.drawn_id IS NOT NULL)
            OR p.kind = 'mystery' OR p.program_id <> r.program_id
    """,
    _("a code of a list is kept for one reservation, which waits for it"): """
        SELECT 'voucher ' || v.id, 'a reservation', 'none'
          FROM rewards_voucher v
         WHERE v.status = 'kept'
           AND NOT EXISTS (SELECT FROM rewards_redemption d WHERE d.kept_code_id = v.id)
         UNION ALL
        SELECT 'redemption ' || d.id, 'kept', v.status
          FROM rewards_redemption d JOIN rewards_voucher v ON v.id = d.kept_code_id
         WHERE v.status <> 'kept'
    """,
    _("a voucher or reward that a cart kept is held by it as long as it may be paid"): """
        SELECT 'checkout ' || c.id, c.status, k.state
          FROM (SELECT h.checkout_id, u.state
                  FROM rewards_checkoutvoucher h
                  JOIN rewards_checkout c ON c.id = h.checkout_id
                  JOIN rewards_voucheruse u ON u.voucher_id = h.voucher_id
                   AND u.checkout = c.source || '/' || c.cart
                 UNION ALL
                SELECT h.checkout_id, CASE d.status WHEN 'reserved' THEN 'held' END
                  FROM rewards_checkoutreward h
                  JOIN rewards_redemption d ON d.id = h.redemption_id) k
          JOIN rewards_checkout c ON c.id = k.checkout_id
         WHERE k.state = 'held' AND c.status <> 'reserved'
            OR k.state = 'used' AND c.status <> 'committed'
    """,
    _("of an event as many seats are kept as are offered to those who wait"): """
        SELECT 'reward ' || r.id, coalesce(w.offered, 0), r.kept
          FROM rewards_reward r
          LEFT JOIN (SELECT e.reward_id, count(*) AS offered
                       FROM rewards_eventwait x JOIN rewards_event e ON e.id = x.event_id
                      WHERE x.status = 'offered'
                      GROUP BY 1) w ON w.reward_id = r.id
         WHERE r.kept <> coalesce(w.offered, 0)
    """,
    _("a voucher that a checkout used is used up"): """
        SELECT 'voucher ' || v.id, coalesce(v.most_uses, 1) || ' uses', count(*) || ', ' || v.status
          FROM rewards_voucheruse u JOIN rewards_voucher v ON v.id = u.voucher_id
         WHERE u.state = 'used'
         GROUP BY v.id
        HAVING count(*) > coalesce(v.most_uses, 1)
            OR (count(*) = coalesce(v.most_uses, 1)
                AND v.status <> ALL (CASE WHEN v.most_uses IS NULL THEN '{used}'::text[]
                                          ELSE '{used,void}'::text[] END))
    """,
    _("what vouchers took off is booked, while they are used"): """
        SELECT 'use ' || u.id, u.cost, coalesce(b.booked, 0)
          FROM (SELECT id, CASE state WHEN 'used' THEN coalesce(discount, 0) ELSE 0 END AS cost
                  FROM rewards_voucheruse) u
          FULL JOIN (SELECT subject, sum(amount) AS booked FROM loyalty_discountentry
                      WHERE kind IN ('reward', 'voucher')
                      GROUP BY 1) b ON b.subject = 'use:' || u.id
         WHERE coalesce(u.cost, 0) <> coalesce(b.booked, 0)
    """,
    _("a shared code is used as often as it says, and no more often than it may be"): """
        SELECT 'voucher ' || v.id, count(u.id) || ' of ' || v.most_uses, v.uses_taken
          FROM rewards_voucher v
          LEFT JOIN rewards_voucheruse u ON u.voucher_id = v.id AND u.state IN ('held', 'used')
         WHERE v.most_uses IS NOT NULL
         GROUP BY v.id
        HAVING count(u.id) <> v.uses_taken OR count(u.id) > v.most_uses
    """,
    _("of a list of codes as many are there as were put in"): """
        SELECT 'list ' || p.id, count(v.id), p.codes
          FROM rewards_voucherpool p LEFT JOIN rewards_voucher v ON v.pool_id = p.id
         GROUP BY p.id HAVING count(v.id) <> p.codes
    """,
    _("a reward was handed out and used as often as its figures say"): """
        SELECT 'reward ' || coalesce(d.reward_id, t.reward_id),
               concat_ws(', ', d.taken, d.used, d.units), concat_ws(', ', t.taken, t.used, t.units)
          FROM (SELECT reward_id, count(*) AS taken, sum((status = 'used')::int) AS used,
                       sum(units) AS units
                  FROM rewards_redemption
                 WHERE issued_at IS NOT NULL AND status IN ('issued', 'used', 'expired')
                 GROUP BY 1) d
          FULL JOIN (SELECT reward_id, sum(taken) AS taken, sum(used) AS used, sum(units) AS units
                       FROM rewards_rewardtally GROUP BY 1) t ON t.reward_id = d.reward_id
         WHERE (coalesce(d.taken, 0), coalesce(d.used, 0), coalesce(d.units, 0))
               <> (coalesce(t.taken, 0), coalesce(t.used, 0), coalesce(t.units, 0))
    """,
    _("a reward that is a donation gave its units to its charity, and a line says so"): """
        SELECT 'redemption ' || d.id, d.units || ' to account ' || c.account_id,
               coalesce(e.units, 0) || ' to account ' || t.to_account_id
          FROM rewards_redemption d
          JOIN rewards_reward r ON r.id = d.reward_id AND r.kind = 'charity'
          JOIN loyalty_charity c ON c.id = r.charity_id
          JOIN loyalty_transfer t ON t.id = d.spent_id
          LEFT JOIN loyalty_charityentry e
            ON e.transfer_id = t.id AND e.charity_id = c.id AND e.reverses_id IS NULL
         WHERE t.to_account_id <> c.account_id OR e.units IS DISTINCT FROM d.units
    """,
    _("who waits for a balance is looked at when their wallet comes to it"): f"""
        SELECT 'auto take ' || a.id, {LOOK_AT.format(a="a")}, a.look_at
          FROM rewards_autotake a
          JOIN loyalty_membership m ON m.id = a.membership_id
          JOIN rewards_reward r ON r.id = a.reward_id
          JOIN loyalty_wallet w
            ON w.account_id = m.account_id AND w.wallet_type_id = r.wallet_type_id
         WHERE a.look_at IS DISTINCT FROM {LOOK_AT.format(a="a")}
    """,
    _("what a gift card began with was paid in to its own account"): """
        SELECT 'gift card ' || c.id, 'account ' || c.account_id, 'account ' || t.to_account_id
          FROM rewards_giftcard c JOIN loyalty_transfer t ON t.id = c.deposit_id
         WHERE t.to_account_id <> c.account_id OR t.kind <> 'deposit'
    """,
    _("a cart is paid with as much as its units and its gift cards pay"): """
        SELECT 'checkout ' || c.id, coalesce(u.paid, 0) || ' and ' || coalesce(g.paid, 0),
               c.paid_units || ' and ' || c.paid_gift_cards
          FROM rewards_checkout c
          LEFT JOIN (SELECT checkout_id, sum(amount) AS paid FROM rewards_checkoutunits
                      GROUP BY 1) u ON u.checkout_id = c.id
          LEFT JOIN (SELECT checkout_id, sum(amount) AS paid FROM rewards_checkoutgiftcard
                      GROUP BY 1) g ON g.checkout_id = c.id
         WHERE c.paid_units <> coalesce(u.paid, 0) OR c.paid_gift_cards <> coalesce(g.paid, 0)
    """,
    _("a gift card pays for a cart from what is on it, as much as it says"): """
        SELECT 'checkout ' || k.checkout_id, k.amount || ' from account ' || g.account_id,
               t.amount || ' from account ' || w.account_id
          FROM rewards_checkoutgiftcard k
          JOIN rewards_giftcard g ON g.id = k.gift_card_id
          JOIN loyalty_transfer t ON t.id = k.transfer_id
          JOIN loyalty_wallet w ON w.id = t.wallet_id
          JOIN loyalty_wallettype y ON y.id = t.wallet_type_id
         WHERE t.kind <> 'redemption' OR w.account_id <> g.account_id
            OR t.amount <> k.amount * 10 ^ y.scale
    """,
    _("what a cart that was given up had kept came back, and nothing of one that is held"): """
        SELECT 'checkout ' || k.checkout_id, CASE c.status WHEN 'reserved' THEN 0 ELSE t.amount END,
               coalesce(b.amount, 0)
          FROM (SELECT checkout_id, transfer_id FROM rewards_checkoutunits
                 UNION ALL
                SELECT checkout_id, transfer_id FROM rewards_checkoutgiftcard) k
          JOIN rewards_checkout c ON c.id = k.checkout_id AND c.status <> 'committed'
          JOIN loyalty_transfer t ON t.id = k.transfer_id
          LEFT JOIN (SELECT coalesce(reverses_id, corrects_id) AS spent_id, sum(amount) AS amount
                       FROM loyalty_transfer
                      WHERE kind = 'reversal'
                        AND (reverses_id IS NOT NULL OR corrects_id IS NOT NULL)
                      GROUP BY 1) b ON b.spent_id = k.transfer_id
         WHERE coalesce(b.amount, 0) <> CASE c.status WHEN 'reserved' THEN 0 ELSE t.amount END
    """,
}


def register() -> None:
    """Called once, when the application is ready."""
    register_checks(CHECKS)
