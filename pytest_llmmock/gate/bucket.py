"""A bucket of what may be asked, which fills up again with time."""

from __future__ import annotations

from collections.abc import Callable


class Bucket:
    """So much at once, and so much a second. Whoever uses it holds a lock."""

    def __init__(self, capacity: float, per_second: float, clock: Callable[[], float]) -> None:
        self.capacity = capacity
        self._per_second = per_second
        self._clock = clock
        self._held = capacity
        self._at = clock()

    def fill(self) -> None:
        """As it was in the beginning."""
        self._held, self._at = self.capacity, self._clock()

    @property
    def left(self) -> float:
        """How much there is now. Below 0 when more was taken than there was."""
        now = self._clock()
        self._held = min(self.capacity, self._held + max(0.0, now - self._at) * self._per_second)
        self._at = now
        return self._held

    def take(self, amount: float) -> None:
        """Take so much, whether it is there or not; below 0 something is given back."""
        self._held = min(self.capacity, self.left - amount)

    def wait(self, amount: float) -> float:
        """Seconds until there is so much; 0 when there is. For more than it holds: until it is full."""
        missing = min(amount, self.capacity) - self.left
        return missing / self._per_second if missing > _TINY else 0.0

    @property
    def full_in(self) -> float:
        """Seconds until it is full."""
        return self.wait(self.capacity)


_TINY = 1e-9
"""What sums of fractions may be wrong by."""
