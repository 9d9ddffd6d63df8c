"""Samples, and the medians and ratios made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True)
class Sample:
    """What one run of the measured program used."""

    units: int  # requests, bytes or imports
    cpu_s: float  # of the whole process, its threads and the kernel's work for it
    wall_s: float
    peak_mb: float = 0.0


@dataclass
class Cell:
    """All rounds of one client at one shape, or why there are none."""

    samples: list[Sample] = field(default_factory=list)
    failure: str = ""

    def median(self, figure: Callable[[Sample], float]) -> float | None:
        """The median over the rounds; None if the client failed."""
        if self.failure or not self.samples:
            return None
        return median(figure(sample) for sample in self.samples)


class Results:
    """Cells by shape and client, in the order in which they came."""

    def __init__(self) -> None:
        self._cells: dict[tuple[str, str], Cell] = {}

    def cell(self, shape: str, client: str) -> Cell:
        return self._cells.setdefault((shape, client), Cell())

    def find(self, shape: str, client: str) -> Cell | None:
        return self._cells.get((shape, client))

    def clients(self, shapes: Iterable[str]) -> list[str]:
        """Who was measured at any of these shapes."""
        wanted = set(shapes)
        return list(dict.fromkeys(client for shape, client in self._cells if shape in wanted))

    def failures(self) -> list[tuple[str, str, str]]:
        return [(shape, client, cell.failure) for (shape, client), cell in self._cells.items() if cell.failure]

    def items(self) -> list[tuple[str, str, Cell]]:
        return [(shape, client, cell) for (shape, client), cell in self._cells.items()]
