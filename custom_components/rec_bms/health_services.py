"""The action about battery health: begin anew with the figures of a lifetime."""

from __future__ import annotations

import voluptuous as vol
from homeassistant.const import ATTR_CONFIG_ENTRY_ID
from homeassistant.core import HomeAssistant, ServiceCall, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.service import async_register_admin_service

from .const import DOMAIN
from .services import coordinator_of

SERVICE_RESET_LIFETIME = "reset_lifetime"

RESET_SCHEMA = vol.Schema({vol.Required(ATTR_CONFIG_ENTRY_ID): cv.string})


@callback
def async_setup_health_services(hass: HomeAssistant) -> None:
    """Register the action."""
    async_register_admin_service(
        hass, DOMAIN, SERVICE_RESET_LIFETIME, _reset_lifetime, schema=RESET_SCHEMA
    )


async def _reset_lifetime(call: ServiceCall) -> None:
    """Forget what was added up; the next measurements are the first ones."""
    coordinator_of(call).health_memory.reset_lifetime()
