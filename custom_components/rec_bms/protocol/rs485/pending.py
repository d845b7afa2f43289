"""Requests whose responses may still come: each could be mistaken for another request's."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class PendingRequest:
    """A request, ours or another master's, that the BMS at an address has heard.

    `code` is the instruction's; that of a set is its whole text. Times are the event loop's.
    """

    address: int
    code: str
    sent_at: float
    expires_at: float
    """When a response will not come any more."""


class PendingRequests:
    """All that is pending on one port: every attempt, until a response comes or it expires."""

    def __init__(self) -> None:
        self._requests: list[PendingRequest] = []

    def add(
        self, address: int, payload: bytes, sent_at: float, expires_at: float
    ) -> PendingRequest:
        """Remember a request's payload."""
        code = payload.removesuffix(b"?").decode("ascii", "backslashreplace")
        request = PendingRequest(address, code, sent_at, expires_at)
        self._requests.append(request)
        return request

    def of(self, address: int, now: float) -> list[PendingRequest]:
        """Return what is pending at an address, in the order sent."""
        self._requests = [each for each in self._requests if each.expires_at > now]
        return [each for each in self._requests if each.address == address]

    def remove(self, request: PendingRequest) -> None:
        """Strike out one that was answered."""
        self._requests.remove(request)

    def settle(self, answered: PendingRequest, now: float, *, all_older: bool) -> None:
        """Strike out what a response settles: the BMS responds in the order of requests.

        That is the oldest request for the same, or with `all_older` everything up to this one.
        """
        settled = [
            each
            for each in self.of(answered.address, now)
            if each.sent_at <= answered.sent_at and (all_older or each.code == answered.code)
        ]
        for each in settled if all_older else settled[:1]:
            self._requests.remove(each)
