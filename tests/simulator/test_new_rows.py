"""What simulators say to an instruction that somebody has just added to the table."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TABLE = "custom_components/rec_bms/protocol/rs485/instructions.py"
CONSTRAINTS = "custom_components/rec_bms/protocol/constraints.py"

ROWS = """\
    Instruction("CLOX", "A", "a", Category.VICTRON, Reply.FLOAT, Group.SETTING, 1.8, 4.2, line_unit="V"),
    Instruction("CLOY", "B", "b", Category.VICTRON, Reply.FLOAT, Group.SETTING, 1.8, 4.2, line_unit="V"),
    Instruction("WIDE", "C", "c", Category.PACK, Reply.FLOAT, Group.SETTING, 0.01, 5000),
    Instruction("SIGN", "D", "d", Category.PACK, Reply.FLOAT, Group.SETTING, -2, 2),
    Instruction("SLIM", "E", "e", Category.PACK, Reply.FLOAT, Group.SETTING, 4, 4.00001),
    Instruction("MANY", "F", "f", Category.PACK, Reply.CHAR, Group.SETTING, 1, 100),
    Instruction("MORE", "G", "g", Category.PACK, Reply.INT, Group.SETTING, 1, 100),
    Instruction("PICK", "H", "h", Category.PACK, Reply.CHAR, Group.SETTING, 1, 2, choices=_CAN_SPEEDS),
    Instruction("SERN", "I", "i", Category.BMS, Reply.INT, Group.IDENTITY),
    Instruction("REFX", "J", "j", Category.BMS, Reply.FLOAT, Group.IDENTITY),
    Instruction("NAME", "K", "k", Category.BMS, Reply.STRING, Group.IDENTITY),
    Instruction("LIST", "L", "l", Category.INFORMATION, Reply.ARRAY, Group.MAIN),
"""  # noqa: E501  (rows as they stand in the table)
# A chain: the first one has its limit only by way of the second.
RULES = """\
    Rule("CLOW", "CLOX", strict=True),
    Rule("CLOX", "CLOY", strict=True),
    Rule("CLOY", "CMAX", strict=True),
"""
LIMITS = {
    **dict.fromkeys(("CLOX", "CLOY"), (1.8, 4.2)),
    "WIDE": (0.01, 5000),
    "SIGN": (-2, 2),
    "SLIM": (4, 4.00001),
    **dict.fromkeys(("MANY", "MORE"), (1, 100)),
    "PICK": (1, 2),
}

SAID_BY_THE_SIMULATOR = """
import json
from tools.simulator import BMS
from tools.simulator.presets import PRESETS

def said(bms):
    return {code: bms.respond(f"{code}?".encode()) for code in CODES}

made = [BMS(preset=name, time_factor=0) for name in PRESETS]
made.append(BMS(settings={"WIDE": 12.5}, texts={"NAME": "told"}, time_factor=0))
"""
SAID_BY_THE_SOAK = """
import asyncio, json
from tools.soak.bms import SignedBms

def said(bms):
    return {code: bms.respond(f"{code}?".encode()) for code in CODES}

made = [SignedBms(1, (4,), single=False, seed=seed) for seed in range(20)]
"""
PRINTED = """
async def show():
    print(json.dumps([
        [{code: None if it is None else it[0].decode("latin-1") for code, it in said(bms).items()}
         for _ in range(2)]
        for bms in made
    ]))

import asyncio
asyncio.run(show())
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project's simulators whose table has rows that they have never heard of."""
    folder = tmp_path_factory.mktemp("copy")
    for path in ("tools/simulator", "tools/soak", "custom_components/rec_bms/protocol"):
        shutil.copytree(ROOT / path, folder / path, ignore=shutil.ignore_patterns("__pycache__"))
    for path, before, added in (
        (TABLE, '    Instruction("CANF"', ROWS),
        (CONSTRAINTS, '    Rule("TMIN"', RULES),
    ):
        text = (folder / path).read_text(encoding="utf-8")
        assert text.count(before) == 1
        (folder / path).write_text(text.replace(before, added + before), encoding="utf-8")
    return folder


def said(copy: Path, program: str, *codes: str) -> list[list[dict[str, str | None]]]:
    """Return what each BMS of a program says, asked twice."""
    done = subprocess.run(
        [sys.executable, "-c", f"CODES = {codes!r}\n{program}{PRINTED}"],
        cwd=copy,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    answers: list[list[dict[str, str | None]]] = json.loads(done.stdout)
    return answers


@pytest.mark.long
def test_the_simulator_has_a_value_for_a_new_setting_by_itself(copy: Path) -> None:
    *presets, told = said(
        copy, SAID_BY_THE_SIMULATOR, *LIMITS, "CLOW", "CMAX", "SERN", "REFX", "NAME", "LIST"
    )
    for first, again in presets:
        assert first == again
        values = {code: float(first[code] or "nan") for code in (*LIMITS, "CLOW", "CMAX")}
        for code, (low, high) in LIMITS.items():
            assert low <= values[code] <= high
        assert values["CLOW"] < values["CLOX"] < values["CLOY"] < values["CMAX"]
        assert values["SIGN"] == 0
        assert 1 <= values["WIDE"] <= 50
        assert str(first["MANY"]).isdigit()
        assert str(first["SERN"]).isdigit()
        assert float(first["REFX"] or "nan") > 0
        assert first["NAME"]
        assert first["LIST"] is None
    assert float(told[0]["WIDE"] or "nan") == 12.5
    assert told[0]["NAME"] == "told"


@pytest.mark.long
def test_the_soaks_bms_has_values_of_its_own_for_a_new_setting_by_itself(copy: Path) -> None:
    old = ("CHEM", "SISN", "CANF", "CMAX", "CLOW", "REFC", "CYCL", "CAPA")
    bmss = said(copy, SAID_BY_THE_SOAK, *LIMITS, *old, "SERN", "REFX", "NAME", "LIST")
    seen: dict[str, set[str]] = {}
    for answers in bmss:
        for each in answers:
            for code, (low, high) in LIMITS.items():
                assert low <= float(each[code] or "nan") <= high
            assert float(each["CLOX"] or "nan") > float(each["CLOW"] or "nan")
            assert float(each["CLOY"] or "nan") < float(each["CMAX"] or "nan")
            assert each["LIST"] is None
            for code, text in each.items():
                if text is not None:
                    seen.setdefault(code, set()).add(text)
    for code, other in ((one, other) for one in seen for other in seen if one != other):
        # Of two choices there is none that nothing else has.
        if "PICK" not in (code, other):
            assert not seen[code] & seen[other], f"{code} and {other} say the same"
    assert not {"1", "4", "8", "15", "28"} & (seen["MANY"] | seen["MORE"] | seen["SERN"])
