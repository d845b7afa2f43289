"""Which requests a response settles, and when none comes any more."""

from __future__ import annotations

from custom_components.rec_bms.protocol.rs485.pending import PendingRequest, PendingRequests


def three() -> tuple[PendingRequests, list[PendingRequest]]:
    pending = PendingRequests()
    return pending, [
        pending.add(1, b"CMAX?", 1.0, 3.0),
        pending.add(1, b"CMIN?", 1.5, 3.5),
        pending.add(1, b"CMAX?", 2.0, 4.0),
    ]


def test_a_request_is_kept_with_its_code() -> None:
    pending = PendingRequests()
    added = pending.add(7, b"CMAX?", 1.0, 3.0)
    assert (added.address, added.code, added.sent_at, added.expires_at) == (7, "CMAX", 1.0, 3.0)
    assert pending.add(7, b"CMAX 4.1", 1.0, 3.0).code == "CMAX 4.1"
    assert pending.add(7, b"\xff?", 1.0, 3.0).code == "\\xff"


def test_what_is_pending_is_told_by_address_in_the_order_sent() -> None:
    pending, requests = three()
    other = pending.add(2, b"CMAX?", 2.0, 4.0)
    assert pending.of(1, 2.0) == requests
    assert pending.of(2, 2.0) == [other]
    assert pending.of(3, 2.0) == []


def test_a_request_is_pending_until_it_expires() -> None:
    pending, requests = three()
    assert pending.of(1, 2.999) == requests
    assert pending.of(1, 3.0) == requests[1:]
    assert pending.of(1, 4.0) == []


def test_a_response_settles_the_oldest_attempt_for_the_same_and_nothing_else() -> None:
    pending, (oldest, between, latest) = three()
    other = pending.add(2, b"CMAX?", 0.5, 4.0)
    pending.settle(latest, 2.5, all_older=False)
    assert pending.of(1, 2.5) == [between, latest]
    pending.settle(latest, 2.5, all_older=False)
    assert pending.of(1, 2.5) == [between]
    assert pending.of(2, 2.5) == [other]
    assert oldest not in pending.of(1, 2.5)


def test_a_fence_settles_all_that_was_sent_before_it_and_itself() -> None:
    pending, _ = three()
    fence = pending.add(1, b"ERRO?", 2.2, 4.2)
    later = pending.add(1, b"CMAX?", 2.3, 4.3)
    other = pending.add(2, b"CMAX?", 0.5, 4.0)
    pending.settle(fence, 2.5, all_older=True)
    assert pending.of(1, 2.5) == [later]
    assert pending.of(2, 2.5) == [other]


def test_a_response_settles_no_request_that_was_sent_later() -> None:
    pending = PendingRequests()
    later = pending.add(1, b"CMAX?", 2.0, 4.0)
    answered = PendingRequest(1, "CMAX", 1.0, 3.0)
    pending.settle(answered, 2.5, all_older=False)
    assert pending.of(1, 2.5) == [later]


def test_what_was_sent_at_the_same_moment_is_settled_too() -> None:
    pending = PendingRequests()
    heard = pending.add(1, b"CMAX?", 1.0, 3.0)
    fence = pending.add(1, b"ERRO?", 1.0, 3.0)
    assert pending.of(1, 1.0) == [heard, fence]
    pending.settle(fence, 1.0, all_older=True)
    assert pending.of(1, 1.0) == []


def test_one_that_was_acknowledged_is_removed_alone() -> None:
    pending, (first, between, latest) = three()
    pending.remove(first)
    assert pending.of(1, 2.0) == [between, latest]
