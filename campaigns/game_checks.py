"""Whether what games gave agrees with itself, and with what was drawn: the database works every
draw out again by its own means."""

from __future__ import annotations

from django.utils.translation import gettext_noop as _

# The places of a game's prizes in its written odds, each with where it begins and ends.
_PLACES = """
    SELECT l.game_id, l.code, sum(l.weight) OVER w - l.weight AS lowest,
           sum(l.weight) OVER w AS beyond, sum(l.weight) OVER (PARTITION BY l.game_id) AS total
      FROM (SELECT g.id AS game_id, o.place, split_part(o.line, ' ', 1) AS code,
                   split_part(o.line, ' ', 2)::bigint AS weight
              FROM campaigns_game g
              CROSS JOIN LATERAL regexp_split_to_table(g.odds, E'\\n')
                         WITH ORDINALITY AS o(line, place)
             WHERE g.odds <> '') l
    WINDOW w AS (PARTITION BY l.game_id ORDER BY l.place)
"""
# The two keys that HMAC-SHA-256 makes of a seed: its bytes, filled up to 64, with 0x36 and 0x5c.
_KEYS = """
    SELECT s.id AS seed_id,
           (SELECT string_agg(set_byte('\\x00'::bytea, 0, get_byte(k.bytes, i) # 54), ''::bytea
                              ORDER BY i) FROM generate_series(0, 63) i) AS inner_key,
           (SELECT string_agg(set_byte('\\x00'::bytea, 0, get_byte(k.bytes, i) # 92), ''::bytea
                              ORDER BY i) FROM generate_series(0, 63) i) AS outer_key
      FROM campaigns_gameseed s
      CROSS JOIN LATERAL (SELECT decode(s.revealed || repeat('00', 32), 'hex') AS bytes) k
     WHERE s.revealed ~ '^[0-9a-f]{64}$'
"""
# All that was drawn, of members and of guests; `player`: whom the number was drawn for.
_DRAWN = """
    SELECT 'draw ' || d.id AS what, d.game_id, d.seed_id, d.turn, d.passed, d.nonce, d.proof,
           d.number, d.drawn_id, coalesce(q.public_id, m.public_id)::text AS player
      FROM campaigns_gamedraw d
      JOIN loyalty_membership m ON m.id = d.membership_id
      LEFT JOIN campaigns_guestdraw q ON q.id = d.guest_id
     UNION ALL
    SELECT 'guest draw ' || q.id, q.game_id, q.seed_id, 1, q.passed, q.nonce, q.proof, q.number,
           q.drawn_id, q.public_id::text
      FROM campaigns_guestdraw q
"""
# What counts under stocks and budgets: what members were given, and what waits for guests.
_COUNTED = """
    SELECT d.game_id, d.prize_id, d.day, d.units, d.cost FROM campaigns_gamedraw d
     UNION ALL
    SELECT q.game_id, q.prize_id, q.day, coalesce(p.units, 0), p.cost
      FROM campaigns_guestdraw q JOIN campaigns_gameprize p ON p.id = q.prize_id
     WHERE q.state IN ('waiting', 'nothing')
"""

# As those of the ledger: each query returns the rows that break its rule (what, expected, found).
CHECKS: dict[str, str] = {
    _("the weights of a game are those whose hash was published"): """
        SELECT 'game ' || g.id, g.odds_hash,
               encode(sha256(convert_to(coalesce(p.odds, ''), 'UTF8')), 'hex')
          FROM campaigns_game g
          LEFT JOIN (SELECT game_id,
                            string_agg(code || ' ' || weight, E'\\n' ORDER BY position) AS odds
                       FROM campaigns_gameprize GROUP BY game_id) p ON p.game_id = g.id
         WHERE g.odds <> ''
           AND (p.odds IS DISTINCT FROM g.odds
                OR g.odds_hash <> encode(sha256(convert_to(g.odds, 'UTF8')), 'hex'))
    """,
    _("a seed that was revealed is the one that was committed to"): """
        SELECT 'seed ' || s.id, s.commitment,
               encode(sha256(decode(s.revealed, 'hex')), 'hex')
          FROM campaigns_gameseed s
         WHERE s.revealed <> ''
           AND s.commitment <> encode(sha256(decode(s.revealed, 'hex')), 'hex')
    """,
    _("the number of a draw follows from its seed, its member and its turn"): f"""
        WITH keys AS MATERIALIZED ({_KEYS})
        SELECT d.what, d.proof, x.proof
          FROM ({_DRAWN}) d
          JOIN keys k ON k.seed_id = d.seed_id
          JOIN campaigns_game g ON g.id = d.game_id
          CROSS JOIN LATERAL (SELECT encode(sha256(k.outer_key || sha256(k.inner_key || convert_to(
                 concat_ws('|', g.odds_hash, d.player, d.turn, d.passed, d.nonce),
                 'UTF8'))), 'hex') AS proof) x
         WHERE d.proof <> x.proof
    """,
    _("what was drawn is what its number falls on"): f"""
        WITH places AS MATERIALIZED ({_PLACES})
        SELECT d.what, p.code || ' ' || d.number, x.code || ' ' || n.number
          FROM ({_DRAWN}) d
          JOIN campaigns_gameprize p ON p.id = d.drawn_id
          JOIN (SELECT DISTINCT game_id, total FROM places) t ON t.game_id = d.game_id
          CROSS JOIN LATERAL (SELECT ('x0000' || left(d.proof, 12))::bit(64)::bigint AS value) v
          CROSS JOIN LATERAL (SELECT mod(v.value, t.total) AS number) n
          LEFT JOIN places x ON x.game_id = d.game_id AND n.number >= x.lowest
               AND n.number < x.beyond
         WHERE d.number <> n.number OR p.code IS DISTINCT FROM x.code OR p.game_id <> d.game_id
            OR v.value >= 281474976710656 - mod(281474976710656, t.total)
    """,
    _("a game gives what was drawn, or what catches a prize that has run out"): """
        SELECT 'draw ' || d.id, p.code, coalesce(d.instead, '')
          FROM campaigns_gamedraw d JOIN campaigns_gameprize p ON p.id = d.prize_id
          JOIN campaigns_gameplay y ON y.id = d.play_id
         WHERE p.game_id <> d.game_id OR y.game_id <> d.game_id OR y.used_at IS NULL
            OR (d.instead = '') <> (d.prize_id = d.drawn_id)
            OR (d.instead <> '' AND NOT p.catches)
            OR (p.kind = 'units') <> (d.transfer_id IS NOT NULL)
            OR (p.kind = 'reward') <> (d.redemption_id IS NOT NULL)
            OR d.units <> coalesce(p.units, 0) OR d.cost <> p.cost
    """,
    _("of a prize no more is won than there is, in all and on each day"): f"""
        WITH counted AS MATERIALIZED ({_COUNTED})
        SELECT 'prize ' || p.id, coalesce(p.stock, 0), coalesce(d.won, 0)
          FROM campaigns_gameprize p
          LEFT JOIN (SELECT prize_id, count(*) AS won FROM counted GROUP BY prize_id) d
            ON d.prize_id = p.id
         WHERE p.stock IS NOT NULL AND (p.taken <> coalesce(d.won, 0) OR p.taken > p.stock)
         UNION ALL
        SELECT 'prize ' || p.id || ' on ' || coalesce(d.day, w.day), coalesce(d.taken, 0),
               coalesce(w.won, 0)
          FROM (SELECT prize_id, day, count(*) AS won FROM counted GROUP BY 1, 2) w
          FULL JOIN campaigns_gameprizeday d ON d.prize_id = w.prize_id AND d.day = w.day
          JOIN campaigns_gameprize p ON p.id = coalesce(d.prize_id, w.prize_id)
         WHERE p.per_day IS NOT NULL
           AND (coalesce(d.taken, 0) <> coalesce(w.won, 0) OR coalesce(w.won, 0) > p.per_day)
    """,
    _("a game has given as much as is counted under its budget"): f"""
        SELECT 'game ' || g.id, g.won_units || ' / ' || g.won_money,
               coalesce(d.units, 0) || ' / ' || coalesce(d.cost, 0)
          FROM campaigns_game g
          LEFT JOIN (SELECT d.game_id, sum(d.units) AS units, sum(d.cost) AS cost
                       FROM ({_COUNTED}) d JOIN campaigns_game g ON g.id = d.game_id
                      WHERE (g.budget_units IS NOT NULL AND d.units > 0)
                         OR (g.budget_money IS NOT NULL AND d.cost > 0)
                      GROUP BY d.game_id) d ON d.game_id = g.id
         WHERE g.won_units <> coalesce(d.units, 0) OR g.won_money <> coalesce(d.cost, 0)
    """,
    _("what a guest claims is their member's draw, once"): """
        SELECT 'guest draw ' || q.id, q.state, coalesce(d.proof || ' ' || d.drawn_id, '')
          FROM campaigns_guestdraw q LEFT JOIN campaigns_gamedraw d ON d.guest_id = q.id
         WHERE (q.state = 'claimed') <> (d.id IS NOT NULL)
            OR d.id IS NOT NULL AND (d.game_id, d.seed_id, d.turn, d.proof, d.drawn_id, d.day)
               IS DISTINCT FROM (q.game_id, q.seed_id, 1, q.proof, q.drawn_id, q.day)
            OR (q.state = 'nothing') <> (SELECT kind = 'nothing' FROM campaigns_gameprize
                                          WHERE id = q.prize_id)
    """,
    _("what a game gave and took was moved in the wallet of who played"): """
        SELECT 'draw ' || d.id, d.units::text,
               (t.amount::numeric / 10 ^ u.scale) || ' to account ' || t.to_account_id
          FROM campaigns_gamedraw d
          JOIN loyalty_membership m ON m.id = d.membership_id
          JOIN loyalty_transfer t ON t.id = d.transfer_id
          JOIN loyalty_wallettype u ON u.id = t.wallet_type_id
         WHERE t.amount <> d.units * 10 ^ u.scale OR t.to_account_id <> m.account_id
         UNION ALL
        SELECT 'play ' || y.id, m.account_id::text, t.from_account_id::text
          FROM campaigns_gameplay y
          JOIN loyalty_membership m ON m.id = y.membership_id
          JOIN loyalty_transfer t ON t.id = y.spent_id
         WHERE t.from_account_id <> m.account_id OR t.kind <> 'redemption'
    """,
}
