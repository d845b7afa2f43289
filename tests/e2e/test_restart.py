"""Home Assistant is restarted, in the worst of moments."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tools.testkit.installed import until

if TYPE_CHECKING:
    from conftest import LiveRig


async def test_a_restart_is_not_held_up_and_keeps_entities_and_their_ids(rig: LiveRig) -> None:
    before = await rig.registered()
    # Asked by an impatient integration, a BMS that does not answer would take many seconds.
    await rig.bms.command("silent", value=True)
    await rig.bms.command("clear_log")
    await until(rig.asks)
    started = time.monotonic()
    await rig.home_assistant.stop()
    took = time.monotonic() - started
    await rig.bms.command("silent", value=False)
    await rig.home_assistant.start()
    assert took < 8

    await rig.have_values(within=30)
    after = await rig.registered()
    # What a newer unit knows may be found out only after the restart.
    assert before.keys() <= after.keys()
    for what in ("entity_id", "id"):
        kept = {key: after[key][what] for key in before}
        assert kept == {key: row[what] for key, row in before.items()}
