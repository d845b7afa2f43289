"""A conversation agent in Home Assistant that goes by a script, as a language model would go."""

from __future__ import annotations

from typing import Any, Literal, override

from homeassistant.components import conversation
from homeassistant.components.conversation.const import DATA_COMPONENT
from homeassistant.core import HomeAssistant
from homeassistant.helpers import intent, llm
from homeassistant.helpers.typing import ConfigType

DOMAIN = "scripted_agent"


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Add the agent."""
    await hass.data[DATA_COMPONENT].async_add_entities([ScriptedAgent()])
    return True


class ScriptedAgent(conversation.ConversationEntity):
    """Asks how full the batteries are, whatever it is asked, and says what it was told."""

    entity_id = f"conversation.{DOMAIN}"
    _attr_name = "Scripted agent"

    @property
    @override
    def supported_languages(self) -> Literal["*"]:
        return "*"

    @override
    async def _async_handle_message(
        self, user_input: conversation.ConversationInput, chat_log: conversation.ChatLog
    ) -> conversation.ConversationResult:
        await chat_log.async_provide_llm_data(user_input.as_llm_context(DOMAIN), llm.LLM_API_ASSIST)
        call = llm.ToolInput("rec_bms__get_charge", {})
        wish = conversation.AssistantContent(user_input.agent_id, tool_calls=[call])
        (told,) = [each async for each in chat_log.async_add_assistant_content(wish)]
        answer = intent.IntentResponse(language=user_input.language)
        answer.async_set_speech(_in_words(told))
        return conversation.ConversationResult(answer, chat_log.conversation_id)


def _in_words(told: Any) -> str:
    """Return how full each battery is. Home Assistant 2026.8 has what was told as it is."""
    data = told.result.data if hasattr(llm, "ToolResult") else told.tool_result
    return " ".join(
        f"{each['name']} is at {each['state_of_charge']['state']}." for each in data["batteries"]
    )
