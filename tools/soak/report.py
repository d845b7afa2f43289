"""What one soak found, in plain types that a process can hand to another."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Report:
    """What one process found, in plain types."""

    counts: dict[str, int] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)
    lost: dict[str, int] = field(default_factory=dict)
    failed_polls: dict[str, int] = field(default_factory=dict)
    sets: dict[str, int] = field(default_factory=dict)
    without_oracle: dict[str, int] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)

    def add(self, other: Report) -> None:
        """Add what another process found."""
        for name in ("counts", "faults", "lost", "failed_polls", "sets", "without_oracle"):
            getattr(self, name).update(Counter(getattr(self, name)) + Counter(getattr(other, name)))
        self.examples += other.examples
