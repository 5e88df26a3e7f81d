"""The differences of an experiment's arms as a picture: each a line between its bounds, with what
it is as a dot, beside the line of no difference."""

from __future__ import annotations

from dataclasses import dataclass

from campaigns.experiment_words import between, measured
from campaigns.models import Experiment
from campaigns.selectors.experiment_results import ExperimentResult

# Of a picture 600 wide: where the line of all differences begins and ends.
_LEFT, _RIGHT, _TOP, _ROW = 20, 580, 44, 56


@dataclass(frozen=True, slots=True)
class Interval:
    """`kind`: good, bad or even: which side of no difference it lies on."""

    name: str
    value: str
    between: str
    kind: str
    left: int
    right: int
    dot: int
    y: int

    @property
    def label_y(self) -> int:
        return self.y - 12

    @property
    def cap_top(self) -> int:
        return self.y - 6

    @property
    def cap_bottom(self) -> int:
        return self.y + 6


@dataclass(frozen=True, slots=True)
class IntervalPicture:
    """`zero`: where no difference is."""

    rows: tuple[Interval, ...]
    zero: int
    height: int


def picture_of(experiment: Experiment, result: ExperimentResult) -> IntervalPicture | None:
    """None while nobody knows how sure any of them is."""
    known = [
        (arm, row.against)
        for arm, row in zip(experiment.arms.all(), result.arms, strict=True)
        if row.against is not None and row.against.z is not None
    ]
    if not known:
        return None
    # In whole numbers: those with a point are written as the reader's language has them.
    reach = max(abs(bound) for _arm, item in known for bound in (item.low, item.high))
    middle = (_LEFT + _RIGHT) / 2

    def placed(number: float) -> int:
        return round(middle + number / reach * (_RIGHT - middle))

    rows = tuple(
        Interval(
            arm.name, measured(experiment, item.value), between(experiment, result.arms[arm.place]),
            "good" if item.low > 0 else "bad" if item.high < 0 else "even",
            placed(item.low), placed(item.high), placed(item.value), _TOP + number * _ROW,
        )
        for number, (arm, item) in enumerate(known)
    )  # fmt: skip
    return IntervalPicture(rows, round(middle), _TOP + len(rows) * _ROW - 10)
