"""The answers that are still owed: each could be mistaken for another question's."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Debt:
    """A question, ours or another master's, that the BMS at an address has heard.

    `code` is what it asks for; a set is asked for by its whole text. Times are the event loop's.
    """

    address: int
    code: str
    asked_at: float
    expires_at: float
    """When an answer will not come any more."""


class Debts:
    """All that is owed on one line; every asking is, until an answer comes or it expires."""

    def __init__(self) -> None:
        """Nothing was asked yet."""
        self._debts: list[Debt] = []

    def add(self, address: int, question: bytes, asked_at: float, expires_at: float) -> Debt:
        """Remember a question's payload."""
        code = question.removesuffix(b"?").decode("ascii", "backslashreplace")
        debt = Debt(address, code, asked_at, expires_at)
        self._debts.append(debt)
        return debt

    def of(self, address: int, now: float) -> list[Debt]:
        """Return what an address owes, in the order asked."""
        self._debts = [each for each in self._debts if each.expires_at > now]
        return [each for each in self._debts if each.address == address]

    def remove(self, debt: Debt) -> None:
        """Strike out one that was paid."""
        self._debts.remove(debt)

    def pay(self, answered: Debt, now: float, *, all_older: bool) -> None:
        """Strike out what an answer paid: the BMS answers in the order asked.

        That is the oldest asking for the same, or with `all_older` everything up to this one.
        """
        paid = [
            each
            for each in self.of(answered.address, now)
            if each.asked_at <= answered.asked_at and (all_older or each.code == answered.code)
        ]
        for each in paid if all_older else paid[:1]:
            self._debts.remove(each)
