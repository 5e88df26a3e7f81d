"""Who is no member plays once, sees what it is, and claims it by joining: in the browser that it
was drawn in, or by a mail that is confirmed anywhere."""

from __future__ import annotations

import datetime as dt
import hmac
import uuid
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns.fair_draws import Ticket, draw, read_odds
from campaigns.models import Game, GameDraw, GamePlay, GamePrize, GuestDraw
from campaigns.referral_traces import digest_of
from campaigns.selectors.games import is_for, played_on_day
from campaigns.selectors.guest_plays import guest_draws
from campaigns.services.game_draws import checked_nonce, grant_won_play, use_play
from campaigns.services.game_prizes import (
    Given,
    GoneError,
    catching,
    count_prize,
    hand_over,
    put_back,
)
from campaigns.services.game_seeds import secret_of, seed_in_use
from campaigns.services.game_turns import GameClosedError, hold_member, playable
from loyalty.models import Membership, Transfer
from loyalty.selectors.memberships import memberships
from loyalty.selectors.selves import selves
from members.errors import DomainError
from members.models import OutboxEvent
from members.prepared import run_prepared
from members.services.transactions import run_atomically

State = GuestDraw.State
Kind = GamePrize.Kind
# What the source of a membership says of a draw that it was joined for.
DETAIL = "play-"
# So many unclaimed ones go back at once.
AT_ONCE = 200
_CAME = """
    SELECT id FROM loyalty_membership WHERE id = ANY(%s::bigint[]) AND source_detail LIKE %s
"""


def play_as_guest(
    *, game: Game, browser: bytes, nonce: str, now: dt.datetime
) -> tuple[GuestDraw, bool]:
    """Draw for a browser, once: again it is the same draw. Returns it, and whether it was there
    already. What is drawn is set aside. Raises GameClosedError, DomainError."""
    checked_nonce(nonce)

    def play() -> tuple[GuestDraw, bool]:
        known = guest_draws().filter(game=game, browser=browser).first()
        if known is not None:
            return known, True
        found = playable(game, now)
        if not found.guests:
            raise GameClosedError(_("This game is for members."), code="members_only")
        made = _draw(found, browser, nonce, now)
        return guest_draws().get(pk=made.pk), False

    return run_atomically(play)


def claim_guest_draw(
    *, guest: GuestDraw, membership: Membership, source: str, now: dt.datetime
) -> GameDraw:
    """Give a member what was set aside, once. Who was a member when it was drawn uses one of their
    own plays for it; who has joined for it has this one play, once in a game. Again it is the same
    draw. Raises GameClosedError."""

    def claim() -> GameDraw:
        member = hold_member(membership)
        row = guest_draws().select_for_update(of=("self",)).get(pk=guest.pk)
        names = selves([member])
        if row.state == State.CLAIMED:
            return _claimed_by(row, names)
        if row.state != State.WAITING or row.claim_until <= now:
            raise GameClosedError(_("The time to claim it is over."), code="too_late")
        active = member.status == Membership.Status.ACTIVE
        if not active or member.program_id != row.game.program_id:
            raise GameClosedError(_("This game is not for this member."), code="not_for_member")
        play = _play_for(row, member, names, now)
        given = _give(row, member, play, source, now)
        GuestDraw.objects.filter(pk=row.pk).update(state=State.CLAIMED, closed_at=now)
        return _write(row, member, play, given, now)

    return run_atomically(claim)


def return_unclaimed(game: Game, now: dt.datetime) -> int:
    """What nobody claimed in time goes back to stock and budget. Returns how many did."""
    rows = GuestDraw.objects.filter(game=game, state=State.WAITING, claim_until__lte=now)
    rows = rows.select_related("prize", "game").order_by("pk")
    with transaction.atomic():
        found = list(rows.select_for_update(of=("self",), skip_locked=True)[:AT_ONCE])
        for row in sorted(found, key=lambda item: (item.prize_id, item.day)):
            put_back(row.game, row.prize, row.day)
        GuestDraw.objects.filter(pk__in=[row.pk for row in found]).update(
            state=State.RETURNED, closed_at=now
        )
    return len(found)


def claim_code(guest: GuestDraw) -> str:
    """What a membership says that was joined for it: nobody else can say it."""
    return f"{DETAIL}{guest.public_id.hex}{_signature(guest.public_id)}"


def follow_joined(events: Sequence[OutboxEvent]) -> None:
    """Who has joined for what they drew gets it, wherever they confirmed that."""
    now = timezone.now()
    named = {pk for event in events for pk in event.payload.get("memberships") or ()}
    came = [pk for (pk,) in run_prepared(_CAME, [list(named), f"{DETAIL}%"])]
    for member in memberships().filter(pk__in=came).order_by("pk"):
        guest = _drawn_for(member.source_detail)
        if guest is None:
            continue
        try:
            claim_guest_draw(
                guest=guest, membership=member, source=Transfer.Source.JOB.value, now=now
            )
        except DomainError:
            continue  # too late, or claimed by then: nobody is there to be told


def joined_for(
    membership: Membership, detail: str, now: dt.datetime
) -> GuestDraw | GameDraw | None:
    """What somebody asked for by mail, as they have it or will: None where the time is over,
    somebody else has claimed it, or it was nothing that was drawn. Who did not begin with it was a
    member before: no joining is followed, so they get it here. Raises GameClosedError then."""
    guest = _drawn_for(detail)
    if guest is None:
        return None
    if membership.source_detail != detail:
        source = Transfer.Source.ACCOUNT.value
        return claim_guest_draw(guest=guest, membership=membership, source=source, now=now)
    if guest.state == State.CLAIMED:
        made: GameDraw = guest.claimed_as
        return made if made.membership_id in selves([membership]) else None
    return guest if guest.state == State.WAITING and guest.claim_until > now else None


def new_id() -> uuid.UUID:
    """By chance: the number follows from it, so nobody chooses it."""
    return uuid.uuid4()


def _draw(game: Game, browser: bytes, nonce: str, now: dt.datetime) -> GuestDraw:
    seed, public_id = seed_in_use(game), new_id()
    ticket = Ticket(game.odds_hash, str(public_id), GuestDraw.turn, nonce)
    drawn = draw(secret_of(seed), ticket, read_odds(game.odds))
    prize = fallen = {item.code: item for item in game.prizes.all()}[drawn.code]
    why = ""
    try:
        with transaction.atomic():
            count_prize(game, fallen, now)
    except GoneError as gone:
        prize, why = catching(game), gone.why
    nothing = prize.kind == Kind.NOTHING
    return GuestDraw.objects.create(
        public_id=public_id, game=game, seed=seed, browser=browser, nonce=ticket.nonce,
        passed=drawn.passed, proof=drawn.proof, number=drawn.number, drawn=fallen, prize=prize,
        instead=why, day=now.astimezone(game.program.zone).date(), drawn_at=now,
        claim_until=now + dt.timedelta(hours=game.claim_hours),
        state=State.NOTHING if nothing else State.WAITING, closed_at=now if nothing else None,
    )  # fmt: skip


def _claimed_by(row: GuestDraw, names: Sequence[int]) -> GameDraw:
    made: GameDraw = row.claimed_as
    if made.membership_id not in names:
        raise GameClosedError(_("It was claimed already."), code="claimed")
    return made


def _play_for(row: GuestDraw, member: Membership, names: list[int], now: dt.datetime) -> GamePlay:
    """The limits of plays hold for it as well."""
    game = row.game
    if member.enrolled_at < row.drawn_at:
        if not is_for(game, member, now):
            raise GameClosedError(_("This game is not for this member."), code="not_for_member")
        played = played_on_day(game, names, row.drawn_at)
        if game.daily_plays is not None and played >= game.daily_plays:
            raise GameClosedError(_("You have played enough for today."), code="enough_today")
        with transaction.atomic():
            play = use_play(game, member, names, now)
            _refuse_second(game, names)
        return play
    _refuse_second(game, names)
    return GamePlay.objects.create(
        game=game, membership=member, source=GamePlay.Source.GUEST, occasion="guest",
        granted_at=now, used_at=now,
    )  # fmt: skip


def _refuse_second(game: Game, names: Sequence[int]) -> None:
    """Once in a game: nobody has several browsers draw and takes the best."""
    if GameDraw.objects.filter(game=game, membership__in=names, guest__isnull=False).exists():
        raise GameClosedError(_("You have claimed one already."), code="claimed_once")


def _give(
    row: GuestDraw, member: Membership, play: GamePlay, source: str, now: dt.datetime
) -> Given:
    """What was set aside; a reward that is not given any more goes back, as in any draw."""
    try:
        with transaction.atomic():
            return hand_over(row.game, row.prize, member, play, source, now)
    except GoneError as gone:
        put_back(row.game, row.prize, row.day)
        return Given(catching(row.game), gone.why)


def _write(
    row: GuestDraw, member: Membership, play: GamePlay, given: Given, now: dt.datetime
) -> GameDraw:
    made = GameDraw.objects.create(
        game=row.game, play=play, membership=member, seed=row.seed, turn=row.turn,
        nonce=row.nonce, passed=row.passed, proof=row.proof, number=row.number, drawn=row.drawn,
        prize=given.prize, instead=given.instead, units=given.prize.units or 0,
        cost=given.prize.cost, day=row.day, drawn_at=row.drawn_at, key=f"guest:{row.public_id}",
        transfer=given.transfer, redemption=given.redemption, guest=row,
    )  # fmt: skip
    grant_won_play(made, now)
    return made


def _drawn_for(detail: str) -> GuestDraw | None:
    return _named(detail.removeprefix(DETAIL)) if detail.startswith(DETAIL) else None


def _named(code: str) -> GuestDraw | None:
    try:
        public_id = uuid.UUID(hex=code[:32])
    except ValueError:
        return None
    if not hmac.compare_digest(code[32:], _signature(public_id)):
        return None
    return guest_draws().filter(public_id=public_id).first()


def _signature(public_id: uuid.UUID) -> str:
    return digest_of("claim", public_id.hex).hex()[:20]
