"""The dialogs about a bank: which batteries it is made of, and how they are wired."""

from __future__ import annotations

from typing import Any

import pytest
from homeassistant import config_entries
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData, UnknownFlow
from homeassistant.helpers import issue_registry as ir
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.rec_bms.config_flow import RecBmsConfigFlow
from custom_components.rec_bms.const import DOMAIN
from tests.virtual.banks import Bank, bank_of, batteries
from tests.virtual.conftest import Simulate
from tests.virtual.dialogs import Dialog, ignore
from tests.virtual.rig import Rig
from tests.virtual.test_bank import having_told


class BankDialog:
    """The dialog that adds a bank or changes one, as a user goes through it."""

    def __init__(self, hass: HomeAssistant) -> None:
        self._flows = hass.config_entries.flow
        self._hass = hass
        self.result: Any = None

    async def open(self) -> BankDialog:
        self.result = await self._flows.async_init(
            DOMAIN, context={"source": config_entries.SOURCE_USER}
        )
        await self._send({"next_step_id": "bank"})
        return self

    async def reopen(self, bank: Bank) -> BankDialog:
        self.result = await bank.entry.start_reconfigure_flow(self._hass)
        return self

    async def _send(self, data: dict[str, Any]) -> None:
        self.result = await self._flows.async_configure(self.result["flow_id"], data)

    async def choose(
        self, *members: Rig, wiring: str = "parallel", name: str | None = "House bank"
    ) -> None:
        named = {} if name is None else {"name": name}
        ids = [member.entry.entry_id for member in members]
        await self._send({**named, "members": ids, "wiring": wiring})
        await self._hass.async_block_till_done()

    @property
    def step(self) -> Any:
        return self.result.get("step_id")

    @property
    def errors(self) -> Any:
        return self.result.get("errors")

    @property
    def reason(self) -> Any:
        return self.result.get("reason")

    def field(self, name: str) -> Any:
        """Return a field's selector and what is suggested for it."""
        for key, selector in self.result["data_schema"].schema.items():
            if key == name:
                return selector, (key.description or {}).get("suggested_value")
        return None

    def offered(self) -> list[str]:
        """Return the names of the batteries on offer."""
        selector, _ = self.field("members")
        return [option["label"] for option in selector.config["options"]]

    def close(self) -> None:
        self._flows.async_abort(self.result["flow_id"])


@pytest.fixture
def dialog(hass: HomeAssistant) -> BankDialog:
    return BankDialog(hass)


@pytest.fixture
async def three(hass: HomeAssistant, simulate: Simulate) -> tuple[Rig, ...]:
    """Three batteries that are set up."""
    rigs = batteries(hass, simulate, {}, {}, {})
    for rig in rigs:
        await rig.set_up()
    return rigs


# -- adding ----------------------------------------------------------------------------------------


@pytest.mark.long
async def test_a_bank_is_added_under_the_name_that_it_is_given(
    three: tuple[Rig, ...], dialog: BankDialog
) -> None:
    await dialog.open()
    assert dialog.step == "bank"
    assert dialog.offered() == ["Battery 1", "Battery 2", "Battery 3"]
    await dialog.choose(three[2], three[0], wiring="series", name=" House bank ")
    assert dialog.result["type"] is FlowResultType.CREATE_ENTRY
    entry = dialog.result["result"]
    assert entry.title == "House bank"
    assert entry.data == {
        "members": [three[2].entry.entry_id, three[0].entry.entry_id],
        "wiring": "series",
    }
    assert entry.options == {}
    assert entry.state is ConfigEntryState.LOADED
    assert not entry.supports_options
    assert entry.supports_reconfigure


@pytest.mark.parametrize("number", [0, 1])
async def test_with_fewer_than_two_batteries_there_is_no_bank(
    hass: HomeAssistant, simulate: Simulate, dialog: BankDialog, number: int
) -> None:
    for rig in batteries(hass, simulate, *[{}] * number):
        await rig.set_up()
    await ignore(hass, "/dev/ttyUSB9")
    await dialog.open()
    assert (dialog.result["type"], dialog.reason) == (FlowResultType.ABORT, "too_few_batteries")


async def test_fewer_than_two_can_be_put_right(three: tuple[Rig, ...], dialog: BankDialog) -> None:
    await dialog.open()
    await dialog.choose(three[0], three[0])
    assert dialog.errors == {"members": "choose_more_batteries"}
    assert dialog.field("name")[1] == "House bank"
    assert dialog.field("members")[1] == [three[0].entry.entry_id] * 2
    await dialog.choose(three[0], three[1])
    assert dialog.result["type"] is FlowResultType.CREATE_ENTRY


async def test_a_bank_has_a_name(three: tuple[Rig, ...], dialog: BankDialog) -> None:
    await dialog.open()
    await dialog.choose(three[0], three[1], name="  ")
    assert dialog.errors == {"name": "no_bank_name"}
    await dialog.choose(three[0], three[1])
    assert dialog.result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("wiring", ["parallel", "series"])
async def test_the_same_batteries_make_one_bank(
    hass: HomeAssistant, three: tuple[Rig, ...], dialog: BankDialog, wiring: str
) -> None:
    await bank_of(hass, three[0], three[1])
    await dialog.open()
    await dialog.choose(three[1], three[0], wiring=wiring)
    assert dialog.reason == "already_configured"
    await dialog.open()
    await dialog.choose(three[1], three[2], wiring=wiring)
    assert dialog.result["type"] is FlowResultType.CREATE_ENTRY


async def test_of_two_dialogs_about_the_same_batteries_the_first_wins(
    hass: HomeAssistant, three: tuple[Rig, ...]
) -> None:
    first, second = await BankDialog(hass).open(), await BankDialog(hass).open()
    await first.choose(three[0], three[1])
    assert first.result["type"] is FlowResultType.CREATE_ENTRY
    await second.choose(three[0], three[1])
    assert second.reason == "already_configured"


async def test_a_bank_is_no_member_of_a_bank(
    hass: HomeAssistant, three: tuple[Rig, ...], dialog: BankDialog
) -> None:
    bank = await bank_of(hass, three[0], three[1])
    await dialog.open()
    assert "Bank" not in dialog.offered()
    with pytest.raises(InvalidData):
        await dialog.choose(bank, three[2])


async def test_a_battery_that_is_disabled_can_be_a_member_and_an_ignored_one_cannot(
    hass: HomeAssistant, three: tuple[Rig, ...], dialog: BankDialog
) -> None:
    await ignore(hass, "/dev/ttyUSB9")
    await hass.config_entries.async_set_disabled_by(
        three[2].entry.entry_id, config_entries.ConfigEntryDisabler.USER
    )
    await dialog.open()
    assert dialog.offered() == ["Battery 1", "Battery 2", "Battery 3"]


@pytest.mark.long
async def test_a_bms_that_is_read_over_both_ways_is_one_battery(
    hass: HomeAssistant, three: tuple[Rig, ...], dialog: BankDialog
) -> None:
    hass.config_entries.async_update_entry(three[1].entry, data={"host": "192.0.2.1"})
    for rig in three[:2]:
        rig.coordinator.data = having_told(rig, serial_number=2261)
    await dialog.open()
    await dialog.choose(three[0], three[1])
    assert dialog.errors == {"members": "same_battery"}


async def test_a_battery_that_is_deleted_while_the_dialog_is_open_is_no_member(
    hass: HomeAssistant, three: tuple[Rig, ...], dialog: BankDialog
) -> None:
    await dialog.open()
    await hass.config_entries.async_remove(three[2].entry.entry_id)
    await dialog.choose(three[0], three[1], three[2])
    assert dialog.errors == {"members": "battery_deleted"}
    assert dialog.offered() == ["Battery 1", "Battery 2"]
    assert dialog.field("members")[1] == [three[0].entry.entry_id, three[1].entry.entry_id]
    await hass.config_entries.async_remove(three[1].entry.entry_id)
    await dialog.choose(three[0], three[1])
    assert dialog.reason == "too_few_batteries"


@pytest.mark.long
async def test_a_dialog_that_is_closed_or_forgotten_leaves_all_as_it_was(
    hass: HomeAssistant, three: tuple[Rig, ...], dialog: BankDialog
) -> None:
    await dialog.open()
    await three[0].poll()
    assert three[0].shown("voltage") != "unavailable"
    dialog.close()
    with pytest.raises(UnknownFlow):
        await dialog.choose(three[0], three[1])
    assert len(hass.config_entries.async_entries(DOMAIN)) == 3


@pytest.mark.long
async def test_a_bms_is_added_beside_a_bank(
    hass: HomeAssistant, three: tuple[Rig, ...], simulate: Simulate
) -> None:
    """What looks through the entries for ports, hosts and titles copes with a bank."""
    await bank_of(hass, three[0], three[1])
    fourth = await Dialog(hass).open()
    await fourth.search(simulate().port)
    entry = await fourth.confirm()
    assert entry.state is ConfigEntryState.LOADED


# -- changing --------------------------------------------------------------------------------------


async def test_members_and_wiring_can_be_changed(
    hass: HomeAssistant, three: tuple[Rig, ...], dialog: BankDialog
) -> None:
    bank = await bank_of(hass, three[0], three[1])
    before = {each.entity_id for each in bank.registered_entities()}
    await dialog.reopen(bank)
    assert dialog.step == "reconfigure_bank"
    assert dialog.field("name") is None
    assert dialog.field("members")[1] == [rig.entry.entry_id for rig in three[:2]]
    assert dialog.field("wiring")[1] == "parallel"
    await dialog.choose(*three, wiring="series", name=None)
    assert (dialog.result["type"], dialog.reason) == (FlowResultType.ABORT, "bank_changed")
    assert bank.entry.state is ConfigEntryState.LOADED
    assert bank.entry.title == "Bank"
    assert bank.number("voltage") == pytest.approx(
        sum(rig.number("voltage") for rig in three), abs=0.002
    )
    assert {each.entity_id for each in bank.registered_entities()} == before
    # What the bank was before, another may be now.
    await dialog.open()
    await dialog.choose(three[0], three[1])
    assert dialog.result["type"] is FlowResultType.CREATE_ENTRY


async def test_the_wiring_alone_can_be_changed(
    hass: HomeAssistant, three: tuple[Rig, ...], dialog: BankDialog
) -> None:
    bank = await bank_of(hass, three[0], three[1])
    await dialog.reopen(bank)
    await dialog.choose(three[0], three[1], wiring="series", name=None)
    assert dialog.reason == "bank_changed"
    assert bank.entry.data["wiring"] == "series"


@pytest.mark.long
async def test_a_bank_does_not_become_another_one(
    hass: HomeAssistant, three: tuple[Rig, ...], dialog: BankDialog
) -> None:
    await bank_of(hass, three[1], three[2])
    bank = await bank_of(hass, three[0], three[1])
    await dialog.reopen(bank)
    await dialog.choose(three[2], three[1], name=None)
    assert dialog.reason == "already_configured"
    assert bank.entry.data["members"] == [rig.entry.entry_id for rig in three[:2]]


async def test_a_change_that_is_wrong_can_be_put_right(
    hass: HomeAssistant, three: tuple[Rig, ...], dialog: BankDialog
) -> None:
    bank = await bank_of(hass, three[0], three[1])
    await dialog.reopen(bank)
    await dialog.choose(three[0], name=None)
    assert (dialog.step, dialog.errors) == (
        "reconfigure_bank",
        {"members": "choose_more_batteries"},
    )
    await dialog.choose(three[0], three[2], name=None)
    assert dialog.reason == "bank_changed"


@pytest.mark.long
async def test_a_member_that_was_deleted_is_replaced(
    hass: HomeAssistant, three: tuple[Rig, ...], dialog: BankDialog
) -> None:
    bank = await bank_of(hass, three[0], three[1])
    await hass.config_entries.async_remove(three[1].entry.entry_id)
    assert bank.shown("voltage") == "unavailable"
    await dialog.reopen(bank)
    assert dialog.offered() == ["Battery 1", "Battery 3"]
    assert dialog.field("members")[1] == [three[0].entry.entry_id]
    await dialog.choose(three[0], three[2], name=None)
    assert dialog.reason == "bank_changed"
    assert bank.shown("voltage") != "unavailable"
    assert not [each for each in ir.async_get(hass).issues.values() if each.active]


async def test_a_bank_of_which_one_battery_is_left_cannot_be_changed(
    hass: HomeAssistant, three: tuple[Rig, ...], dialog: BankDialog
) -> None:
    bank = await bank_of(hass, three[0], three[1])
    for rig in three[1:]:
        await hass.config_entries.async_remove(rig.entry.entry_id)
    await dialog.reopen(bank)
    assert dialog.reason == "too_few_batteries"


async def test_a_bank_that_is_deleted_while_its_dialog_is_open_stays_deleted(
    hass: HomeAssistant, three: tuple[Rig, ...], dialog: BankDialog
) -> None:
    bank = await bank_of(hass, three[0], three[1])
    await dialog.reopen(bank)
    await hass.config_entries.async_remove(bank.entry.entry_id)
    await dialog.choose(three[0], three[2], name=None)
    assert dialog.reason == "entry_deleted"
    assert len(hass.config_entries.async_entries(DOMAIN)) == 3


async def test_options_are_those_of_a_bms(three: tuple[Rig, ...]) -> None:
    assert RecBmsConfigFlow.async_supports_options_flow(three[0].entry)
    entry = MockConfigEntry(domain=DOMAIN, data={"members": [], "wiring": "series"})
    assert not RecBmsConfigFlow.async_supports_options_flow(entry)
