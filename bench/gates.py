"""Goals beside what was measured: one line each, with whether it holds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Gate:
    """`measured` has to be at most `goal`, or at least with `least`; None when it could not be measured here."""

    name: str
    what: str
    goal: float
    measured: float | None
    least: bool = False

    @property
    def holds(self) -> bool | None:
        """Whether it does; None when nobody knows."""
        if self.measured is None:
            return None
        return self.measured >= self.goal if self.least else self.measured <= self.goal

    def __str__(self) -> str:
        bound = f"{'>=' if self.least else '<='} {self.goal:g}"
        found = "not here" if self.measured is None else f"{self.measured:.4g}"
        told = {True: "holds", False: "DOES NOT HOLD", None: "not measured"}[self.holds]
        return f"{self.name:3} {self.what:64} {bound:>9} {found:>9}  {told}"
