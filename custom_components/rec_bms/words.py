"""Names and messages in the language that Home Assistant is set to."""

from __future__ import annotations

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.translation import async_get_cached_translations

from .const import DOMAIN
from .protocol.rs485.instructions import SETTINGS
from .protocol.settings import Setting


@callback
def name_of(hass: HomeAssistant, setting: Setting) -> str:
    """Return what a setting is called, as its entity is."""
    texts = async_get_cached_translations(hass, hass.config.language, "entity", DOMAIN)
    platform = Platform.SELECT if setting.choices else Platform.NUMBER
    return texts.get(f"component.{DOMAIN}.entity.{platform}.{setting.key}.name", setting.name)


@callback
def full_name(hass: HomeAssistant, setting: Setting) -> str:
    """Return a setting's name with its code."""
    return f"{name_of(hass, setting)} ({setting.code})"


@callback
def instruction_name(hass: HomeAssistant, code: str, name: str) -> str:
    """Return what an instruction is about, with its code; `name` where it is no setting."""
    setting = SETTINGS.get(code.lower())
    return f"{name} ({code})" if setting is None else full_name(hass, setting)


@callback
def choice_of(hass: HomeAssistant, setting: Setting, value: float) -> str:
    """Return what a choice is called, as its entity shows it; one outside the list as it is."""
    texts = async_get_cached_translations(hass, hass.config.language, "entity", DOMAIN)
    if (option := setting.choices.get(int(value))) is None:
        return f"{value:g}"
    key = f"component.{DOMAIN}.entity.{Platform.SELECT}.{setting.key}.state.{option}"
    return texts.get(key, option)


@callback
def message_of(hass: HomeAssistant, err: HomeAssistantError) -> str:
    """Return what an exception says."""
    texts = async_get_cached_translations(hass, hass.config.language, "exceptions", DOMAIN)
    text = texts.get(f"component.{err.translation_domain}.exceptions.{err.translation_key}.message")
    return str(err) if text is None else text.format(**(err.translation_placeholders or {}))


@callback
def issue_texts(hass: HomeAssistant, key: str, placeholders: dict[str, str]) -> tuple[str, str]:
    """Return title and description of a repair issue."""
    texts = async_get_cached_translations(hass, hass.config.language, "issues", DOMAIN)
    at = f"component.{DOMAIN}.issues.{key}"
    title, description = (texts.get(f"{at}.{part}", key) for part in ("title", "description"))
    return title.format(**placeholders), description.format(**placeholders)
