"""USB adapters hand bytes over in lumps, 16 ms apart unless they were set otherwise."""

from __future__ import annotations

from conftest import ByCode
from peer import Peer, frames

CMAX = frames(b"4.18000e0")
BVOL = frames(b"4.08000e0")
CMIN = frames(b"3.20000e0")
NO_ERROR = frames(b"4", bytes(4))
OTHERS_QUESTION = frames(b"CMIN?", sender=0, to=1)
A_LUMP = 0.016


async def test_another_masters_request_that_comes_in_two_lumps_is_fenced(
    peer: Peer, by_code: ByCode
) -> None:
    """Our next request must not be asked between them, or it gets the other's response."""
    peer.script["CMAX?"] += [
        [(0.0, CMAX + OTHERS_QUESTION[:9]), (A_LUMP, OTHERS_QUESTION[9:]), (0.040, CMIN)]
    ]
    peer.always["BVOL?"] = [(0.050, BVOL)]
    peer.script["ERRO?"] += [[(0.050, NO_ERROR)]]
    assert await by_code.read("CMAX") == 4.18
    assert await by_code.read("BVOL") == 4.08
    assert peer.asked == ["CMAX?", "ERRO?", "BVOL?"]
