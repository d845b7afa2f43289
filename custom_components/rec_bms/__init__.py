"""The REC BMS integration: reads a REC battery management system over RS-485 or WiFi."""

from __future__ import annotations

from functools import partial

from homeassistant.components import usb
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import (
    CONF_ADDRESS,
    CONF_HOST,
    CONF_PORT,
    EVENT_HOMEASSISTANT_STOP,
    Platform,
)
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryError, ConfigEntryNotReady, HomeAssistantError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.device_registry import DeviceEntry
from homeassistant.helpers.typing import ConfigType

from .bank import BankConfigEntry, BankCoordinator, is_bank
from .changes import ChangeTeller, ChangeWatch
from .const import CONF_BAUDRATE, CONF_SCAN_INTERVAL, DEFAULT_SCAN_INTERVAL, DOMAIN
from .coordinator import RecBmsConfigEntry, RecBmsCoordinator
from .dashboard import async_setup_dashboard
from .dashboard.settings import async_setup_settings_websocket
from .dashboard.websocket import async_setup_websocket
from .entity import unit_of_device
from .errors import ErrorTeller
from .health_issues import HealthIssueWatch
from .health_memory import HealthMemory, async_remove_health
from .health_services import async_setup_health_services
from .issues import IssueWatch, async_delete_issues
from .memory import Memory
from .messages import translated
from .neighbours import async_look_for_neighbours
from .ports import BaudRateConflictError, async_get_ports, is_url
from .protocol.bms import Bms
from .protocol.errors import BmsError
from .protocol.health.record import Health
from .protocol.rs485.bms import Rs485Bms
from .protocol.rs485.instructions import SETTINGS
from .protocol.wifi.bms import WifiBms
from .services import async_setup_services
from .settings_services import async_setup_settings_services
from .snapshots import async_get_snapshots, async_remove_snapshots

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)
PLATFORMS = [
    Platform.BINARY_SENSOR,
    Platform.EVENT,
    Platform.NUMBER,
    Platform.SELECT,
    Platform.SENSOR,
]
BANK_PLATFORMS = [Platform.BINARY_SENSOR, Platform.SENSOR]


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Register what is there whatever becomes of the entries."""
    async_setup_services(hass)
    async_setup_settings_services(hass)
    async_setup_health_services(hass)
    async_setup_websocket(hass, SETTINGS.values())
    async_setup_settings_websocket(hass)
    await async_setup_dashboard(hass)

    @callback
    def port_event(added: set[usb.USBDevice], removed: set[usb.USBDevice]) -> None:
        """Set up at once, when an adapter returns, what waits for its port."""
        for entry in hass.config_entries.async_entries(DOMAIN) if added else ():
            port = entry.data.get(CONF_PORT)
            waits = entry.state is ConfigEntryState.SETUP_RETRY
            if waits and port is not None and not is_url(port):
                hass.config_entries.async_schedule_reload(entry.entry_id)

    usb.async_register_port_event_callback(hass, port_event)
    return True


async def async_setup_entry(
    hass: HomeAssistant, entry: RecBmsConfigEntry | BankConfigEntry
) -> bool:
    """Connect to a BMS and read it once before its entities are made, or follow a bank's members.

    A bank waits for none of them: they come as they can.
    """
    if is_bank(entry):
        await _set_up_bank(hass, entry)
        return True
    bms = _bms(hass, entry)
    try:
        await bms.open()
    except BaudRateConflictError as err:
        raise ConfigEntryError(
            translation_domain=DOMAIN,
            translation_key="speed_conflict",
            translation_placeholders={
                "port": err.port,
                "running": str(err.running),
                "wanted": str(entry.data[CONF_BAUDRATE]),
            },
        ) from err
    except BmsError as err:
        raise _not_ready(translated(hass, err, entry.title)) from err
    entry.async_on_unload(bms.close)
    memory = Memory(hass, entry.entry_id)
    await memory.async_load()
    if isinstance(bms, Rs485Bms):
        bms.remember(memory.known, memory.keep_known)
    snapshots = await async_get_snapshots(hass, entry.entry_id)
    health_memory = HealthMemory(hass, entry.entry_id, Health(bms.longest_gap))
    await health_memory.async_load()
    coordinator = RecBmsCoordinator(
        hass, entry, bms, memory=memory, snapshots=snapshots, health_memory=health_memory
    )
    try:
        await coordinator.async_config_entry_first_refresh()
    except ConfigEntryNotReady as err:
        # Home Assistant 2026.8 leaves the translation with the cause.
        cause = coordinator.last_exception
        raise _not_ready(cause if isinstance(cause, HomeAssistantError) else err) from err
    entry.runtime_data = coordinator
    IssueWatch(hass, entry)
    HealthIssueWatch(hass, entry)
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    ErrorTeller(hass, entry)
    ChangeWatch(hass, entry)
    ChangeTeller(hass, entry)
    if isinstance(bms, Rs485Bms):
        async_look_for_neighbours(hass, entry, bms.client.connection)
    return True


async def _set_up_bank(hass: HomeAssistant, entry: BankConfigEntry) -> None:
    memory = Memory(hass, entry.entry_id)
    await memory.async_load()
    entry.runtime_data = BankCoordinator(hass, entry, memory)
    entry.runtime_data.follow()
    await hass.config_entries.async_forward_entry_setups(entry, BANK_PLATFORMS)


def _bms(hass: HomeAssistant, entry: RecBmsConfigEntry) -> Bms:
    """Return the BMS that an entry stands for, by the way that leads to it."""
    if CONF_HOST in entry.data:
        wifi = WifiBms(async_get_clientsession(hass), entry.data[CONF_HOST], entry.unique_id or "")

        async def hang_up(_: Event) -> None:
            """Do what unloading does: entries are not unloaded when Home Assistant stops."""
            await wifi.close()

        entry.async_on_unload(hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, hang_up))
        return wifi
    ports = async_get_ports(hass)
    return Rs485Bms(
        partial(ports.acquire, entry.data[CONF_PORT], entry.data[CONF_BAUDRATE]),
        ports.release,
        entry.data[CONF_ADDRESS],
        entry.options.get(CONF_SCAN_INTERVAL, DEFAULT_SCAN_INTERVAL),
    )


async def async_unload_entry(
    hass: HomeAssistant, entry: RecBmsConfigEntry | BankConfigEntry
) -> bool:
    """Take the entities away; the connection goes with its last user."""
    platforms = BANK_PLATFORMS if is_bank(entry) else PLATFORMS
    unloaded = await hass.config_entries.async_unload_platforms(entry, platforms)
    await entry.runtime_data.memory.async_save()
    if not is_bank(entry):
        await entry.runtime_data.snapshots.async_save()
        await entry.runtime_data.health_memory.async_save()
    return unloaded


async def async_remove_entry(
    hass: HomeAssistant, entry: RecBmsConfigEntry | BankConfigEntry
) -> None:
    """Leave nothing behind of what was told of the BMS, and of what was counted."""
    async_delete_issues(hass, entry)
    await Memory(hass, entry.entry_id).async_remove()
    await async_remove_snapshots(hass, entry.entry_id)
    await async_remove_health(hass, entry.entry_id)


async def async_remove_config_entry_device(
    hass: HomeAssistant, entry: RecBmsConfigEntry | BankConfigEntry, device: DeviceEntry
) -> bool:
    """Let the owner delete a unit that the BMS does not report any more.

    While the BMS was not heard, it cannot be known which units it has. A bank has none.
    """
    if is_bank(entry) or entry.state is not ConfigEntryState.LOADED:
        return False
    unit = unit_of_device(entry, device)
    voltages = entry.runtime_data.data.state.cell_voltages
    return unit is not None and voltages is not None and unit > len(voltages.units)


def _not_ready(reason: HomeAssistantError) -> ConfigEntryNotReady:
    """Return what has Home Assistant try again later, with the reason translated."""
    return ConfigEntryNotReady(
        translation_domain=reason.translation_domain,
        translation_key=reason.translation_key,
        translation_placeholders=reason.translation_placeholders,
    )
