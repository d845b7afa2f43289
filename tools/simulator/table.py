"""The instruction table of the integration, read from its file.

Importing it as part of its package would load Home Assistant, which a simulator can do without.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from custom_components.rec_bms.protocol.rs485.instructions import BY_CODE, Instruction, Reply
else:
    _FOLDER = Path(__file__).parents[2] / "custom_components/rec_bms/protocol"
    _NAME = f"{__package__}._protocol"
    _spec = importlib.util.spec_from_file_location(_NAME, _FOLDER / "__init__.py")
    sys.modules[_NAME] = importlib.util.module_from_spec(_spec)
    _module = importlib.import_module(f"{_NAME}.rs485.instructions")
    BY_CODE, Instruction, Reply = _module.BY_CODE, _module.Instruction, _module.Reply

__all__ = ["BY_CODE", "Instruction", "Reply"]
