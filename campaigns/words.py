"""What became of a message, in words."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

REASONS: dict[str, Promise] = {
    # Not sent.
    "no_consent": _("They did not say that they want this"),
    "unsubscribed": _("They do not want this"),
    "not_confirmed": _("They have not confirmed it yet"),
    "no_address": _("There is no address"),
    "address_blocked": _("The address does not exist, or reported a message as spam"),
    "cap": _("They were written to often enough lately"),
    "too_late": _("It was no news any more"),
    "not_member": _("They are no member any more"),
    "occasion_off": _("The occasion was switched off"),
    "channel_off": _("This way is not set up"),
    "stopped": _("The broadcast was stopped"),
    "experiment": _("An experiment compares with those who are not told"),
    "erased": _("They were erased"),
    "told_already": _("They are one with somebody who was told"),
    "kept_aside": _("They are one with somebody who is kept aside"),
    # Waits.
    "paused": _("The broadcast is paused"),
    "quiet": _("Until their quiet hours are over"),
    "no_provider": _("The mail server or provider was not reached; it is tried again"),
    "refused": _("The mail server or provider did not take it"),
    # Failed.
    "address_refused": _("The mail server or provider does not know the address"),
    "not_approved": _("The provider cannot be told which approved words it is"),
    "bounced": _("It came back: the address does not exist"),
    "undelivered": _("The provider could not deliver it"),
    "complained": _("Reported as spam"),
    "wording": _("The words could not be put together"),
    "gave_up": _("The mail server or provider did not take it for days"),
    # Nobody knows.
    "interrupted": _("The worker died while it was handed over"),
    "unclear": _("The line broke before the answer came"),
}

# Why a journey is over.
LEAVING: dict[str, Promise] = {
    "finished": _("All steps were taken"),
    "goal": _("They reached the goal"),
    "held_out": _("Kept aside, to compare with"),
    "not_member": _("They are no member any more"),
    "program_over": _("The program does not run"),
    "taken_out": _("Staff or the shop took them out"),
    "journey_ended": _("The journey was ended"),
}


def reason_words(code: str) -> str:
    return str(REASONS.get(code, code))
