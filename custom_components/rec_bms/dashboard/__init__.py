"""Hands the dashboard and its cards, which are JavaScript, to Home Assistant's web page."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path

from homeassistant.components.http import StaticPathConfig
from homeassistant.core import HomeAssistant

from ..const import DOMAIN

_FOLDER = Path(__file__).with_name("frontend")
_FIRST_MODULE = "main.js"
_VERSION_BYTES = 6


async def async_setup_dashboard(hass: HomeAssistant) -> None:
    """Serve the modules and have the web page load the first one, where there is a web page."""
    if "frontend" not in hass.config.components:
        return
    # Imported here: where no web page is wanted, nothing that it needs is there either.
    from homeassistant.components.frontend import add_extra_js_url  # noqa: PLC0415

    version = await hass.async_add_executor_job(_version)
    url = f"/{DOMAIN}/{version}"
    await hass.http.async_register_static_paths([StaticPathConfig(url, str(_FOLDER), True)])
    add_extra_js_url(hass, f"{url}/{_FIRST_MODULE}")


def _version() -> str:
    """Return what changes with any of the modules.

    It is part of their path, so that what they import from each other is never an older one that
    the browser has kept.
    """
    content = blake2b(digest_size=_VERSION_BYTES)
    for module in sorted(_FOLDER.rglob("*.js")):
        content.update(module.relative_to(_FOLDER).as_posix().encode())
        content.update(module.read_bytes())
    return content.hexdigest()
