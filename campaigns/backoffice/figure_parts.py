"""What the pages of figures are put together from: stages, a picture, parts side by side."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.channels import channel_named
from campaigns.selectors.figures import Counts, Measured
from members.charts import Chart, Series
from members.formatting import format_number

DAYS = (7, 30, 90)
DEFAULT = 30


@dataclass(frozen=True, slots=True)
class Stage:
    """How many came so far. `rate`: in percent of those of which it can be known; None: of none.
    `note`: what the number means."""

    key: str
    label: str
    icon: str
    count: int
    rate: float | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A way, a language, a version or a step, with its figures."""

    label: str
    counts: Counts


def stages(measured: Measured) -> list[Stage]:
    """From sent to ordered, and who declined."""
    total, rates = measured.total, measured.total.rates
    within = ngettext(
        "Of %(over)s whose day is over.", "Of %(over)s whose %(days)s days are over.",
        measured.order_days,
    ) % {"over": format_number(total.over), "days": measured.order_days}  # fmt: skip
    return [
        Stage("sent", _("Sent"), "send", total.sent, 100.0 if total.sent else None),
        Stage(
            "delivered", _("Delivered"), "mailbox", total.delivered, rates["delivered"],
            "" if total.delivered else _("Your mail provider has told of none."),
        ),
        Stage(
            "opened", _("Opened"), "mail-opened", total.opened, rates["opened"],
            _of(total.shows_opens, _("Opens are not counted.")),
        ),
        Stage(
            "clicked", _("Clicked"), "click", total.clicked, rates["clicked"],
            _of(total.counts_clicks, _("Clicks are not counted.")),
        ),
        Stage("ordered", _("Ordered"), "shopping-bag", total.ordered, rates["ordered"], within),
        Stage(
            "unsubscribed", _("Unsubscribed"), "mail-off", total.unsubscribed,
            rates["unsubscribed"],
        ),
    ]  # fmt: skip


def trend(measured: Measured) -> Chart | None:
    """Day by day; nothing where nothing was sent."""
    if not measured.total.sent:
        return None
    days = list(measured.by_day.values())
    series = [Series(_("Sent"), [counts.sent for counts in days])]
    if measured.total.counts_clicks:
        series.append(Series(_("Clicked"), [counts.clicked for counts in days]))
    series.append(Series(_("Ordered"), [counts.ordered for counts in days]))
    best = max(measured.by_day, key=lambda day: measured.by_day[day].sent)
    chart = Chart(
        id="message-trend", title=_("By the day on which it was told"),
        labels=list(measured.by_day), series=series, kind="line", x_label=_("Day"),
    )  # fmt: skip
    most = chart.texts()[list(measured.by_day).index(best)]
    summary = _("%(sent)s sent, most of them on %(day)s.") % {
        "sent": format_number(measured.total.sent), "day": most,
    }  # fmt: skip
    return Chart(
        id=chart.id, title=chart.title, labels=chart.labels, series=series, kind="line",
        x_label=chart.x_label, summary=summary,
    )  # fmt: skip


def word_parts(measured: Measured) -> list[Part]:
    """By version of the words, the newest first."""
    found = []
    for (key, locale, number), counts in measured.by_words.items():
        channel = channel_named(key)
        version = _("Ready-made") if number is None else _("Version %s") % number
        found.append(Part(f"{channel.label if channel else key} · {locale} · {version}", counts))
    return found


def _of(whole: int, nobody: str) -> str:
    if not whole:
        return nobody
    return _("Of %s of which it can be seen.") % format_number(whole)
