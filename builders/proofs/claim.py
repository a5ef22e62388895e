"""A claim: one number that archspec states, and what a run made of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Claim:
    """One quantity of one subject, a layer by its value's name or the network as a whole.

    `predicted` None says that nothing is stated, so that the run is the only source; `measured` None that nothing ran.
    """

    subject: str
    quantity: str
    predicted: object
    measured: object
    note: str = ""

    @property
    def decided(self) -> bool:
        """Whether a statement was held against a run."""
        return self.predicted is not None and self.measured is not None

    @property
    def holds(self) -> bool:
        """Whether the run gave what was stated; what was not decided does not fail."""
        return not self.decided or self.predicted == self.measured

    @property
    def verdict(self) -> str:
        """holds, FAILS, measured only, or not measured.

        >>> Claim("network", "parameters", 2483, 2483).verdict, Claim("network", "parameters", 2483, 2482).verdict
        ('holds', 'FAILS')
        """
        if self.decided:
            return "holds" if self.holds else "FAILS"
        return "measured only" if self.predicted is None else "not measured"

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON; what is no number or list is written as text."""
        return {
            "subject": self.subject,
            "quantity": self.quantity,
            "predicted": _plain(self.predicted),
            "measured": _plain(self.measured),
            "verdict": self.verdict,
            "note": self.note,
        }


def _plain(value: object) -> object:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return str(value)
