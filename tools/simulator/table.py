"""The integration's instruction table and its constraints, read from their files.

Importing them as part of their package would load Home Assistant, which a simulator can do without.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from custom_components.rec_bms.protocol.constraints import RULES, Rule
    from custom_components.rec_bms.protocol.rs485.instructions import BY_CODE, Instruction, Reply
else:
    _FOLDER = Path(__file__).parents[2] / "custom_components/rec_bms/protocol"
    _NAME = f"{__package__}._protocol"
    # Packages with the real ones' modules, and without what their __init__ imports.
    for _package, _path in ((_NAME, _FOLDER), (f"{_NAME}.rs485", _FOLDER / "rs485")):
        sys.modules[_package] = ModuleType(_package)
        sys.modules[_package].__path__ = [str(_path)]
    _instructions = import_module(f"{_NAME}.rs485.instructions")
    _constraints = import_module(f"{_NAME}.constraints")
    BY_CODE, Instruction = _instructions.BY_CODE, _instructions.Instruction
    Reply = _instructions.Reply
    RULES, Rule = _constraints.RULES, _constraints.Rule

__all__ = ["BY_CODE", "RULES", "Instruction", "Reply", "Rule"]
