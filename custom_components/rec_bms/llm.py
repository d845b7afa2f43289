"""What a language model that Home Assistant converses with may ask of the batteries; all is read.

Its tools have no texts in other languages: the model reads them, and answers in its user's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, override

import voluptuous as vol
from homeassistant.components.llm import LLMTools
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import llm

from .answers import (
    Answer,
    batteries,
    name_of,
    of_cells,
    of_charge,
    of_errors,
    of_health,
    silence,
    without_banks,
)
from .const import DOMAIN

type Asked = Callable[[HomeAssistant, ConfigEntry[Any]], Answer]

_BATTERY: Final = "battery"
_PROMPT: Final = (
    "These batteries are watched by a REC BMS: {names}. Whatever is asked about them, their charge,"
    " time left, errors, health, cells or temperatures, ask the tools that begin with"
    f" {DOMAIN}__, also where none of their entities is exposed. Where a tool says that a battery"
    " does not answer, say so, and give no figure that was told earlier. These tools only read:"
    " tell the user that settings are changed on the battery's dashboard."
)


@dataclass(frozen=True, slots=True)
class Question:
    """What can be asked of a battery: under which name, what for, and what answers it."""

    name: str
    title: str
    description: str
    answer: Asked
    of_members: bool
    """Whether, of a bank, it is asked of each of its batteries."""


QUESTIONS: Final = (
    Question(
        "get_charge",
        "Get charge of batteries",
        "Tells how full a battery is, in percent and in kWh, whether it is being charged, its"
        " power, current and voltage, which are positive while charging, and the time until it is"
        " full or empty. Use it for questions like 'How full is the battery?' and 'How long does"
        " the battery last?'. A time is unknown while the current flows the other way. A bank"
        " consists of other batteries: do not add it to them.",
        of_charge,
        of_members=False,
    ),
    Question(
        "get_errors",
        "Get errors of batteries",
        "Tells which errors a battery's BMS reports, what the BMS does about each, and what its"
        " owner should do. Use it for questions like 'Is anything wrong with the battery?'.",
        of_errors,
        of_members=True,
    ),
    Question(
        "get_health",
        "Get health of batteries",
        "Tells how a battery fares and ages: how far its highest and lowest cell are from the"
        " limits of the BMS, in which cell and unit that is, how far the cells are apart,"
        " temperatures, state of health, cycles, and what was worked out of its history. Use it for"
        " questions like 'Is the battery healthy?' and 'Which cell is the weakest?'.",
        of_health,
        of_members=True,
    ),
    Question(
        "get_cells",
        "Get cells of batteries",
        "Tells the voltage and the resistance of each single cell, and what each temperature sensor"
        " of a battery shows. Use it for questions like 'What is the voltage of cell 7?'.",
        of_cells,
        of_members=True,
    ),
)


class BatteryTool(llm.Tool):
    """A question about batteries as a tool: of one by its name, or of all."""

    integration = DOMAIN
    # Home Assistant 2026.8 does not know what tools may tell about themselves.
    if hasattr(llm, "ToolAnnotations"):
        annotations = llm.ToolAnnotations(
            read_only=True, destructive=False, idempotent=True, open_world=False
        )

    def __init__(self, question: Question, names: Iterable[str]) -> None:
        """Take the question, and the batteries that it can be asked about."""
        self._question = question
        self.name = f"{DOMAIN}__{question.name}"
        self.title = question.title
        self.description = question.description
        which = vol.Optional(_BATTERY, description="Which battery; leave it out to ask about all")
        self.parameters = vol.Schema({which: vol.In([*dict.fromkeys(names)])})

    @override
    async def async_call(
        self, hass: HomeAssistant, tool_input: llm.ToolInput, llm_context: llm.LLMContext
    ) -> Any:
        """Answer for the battery of that name, in whatever case it was given, or for all."""
        named = [(entry, name_of(hass, entry)) for entry in batteries(hass)]
        wanted = str(tool_input.tool_args.get(_BATTERY) or "").strip().casefold()
        chosen = [entry for entry, name in named if wanted in ("", name.strip().casefold())]
        if not chosen:
            names = [name for _, name in named]
            return _result({"error": "There is no such battery", "batteries": names}, error=True)
        if self._question.of_members:
            chosen = without_banks(hass, chosen)
        return _result({"batteries": [self._answer(hass, entry) for entry in chosen]})

    def _answer(self, hass: HomeAssistant, entry: ConfigEntry[Any]) -> Answer:
        """Return what is known of a battery; of one that is away nothing but that."""
        name = {"name": name_of(hass, entry)}
        if (why := silence(entry)) is not None:
            return {**name, "does_not_answer": why}
        return name | self._question.answer(hass, entry)


@callback
def async_get_tools(
    hass: HomeAssistant, llm_context: llm.LLMContext, api_id: str
) -> LLMTools | None:
    """Return the tools of Assist, where there is a battery to ask about."""
    names = [name_of(hass, entry) for entry in batteries(hass)]
    if api_id != llm.LLM_API_ASSIST or not names:
        return None
    return LLMTools(
        tools=[BatteryTool(question, names) for question in QUESTIONS],
        prompt=_PROMPT.format(names=", ".join(names)),
    )


def _result(data: Answer, *, error: bool = False) -> Any:
    """Return an answer as tools give it; Home Assistant 2026.8 takes the data alone."""
    make = getattr(llm, "ToolResult", None)
    return data if make is None else make(data=data, error=error)
