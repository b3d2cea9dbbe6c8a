#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The farm template's settings, from the add-on's: ``python3 scripts/farm_template.py`` renews scripts/openjd/batch.

With ``--check`` nothing is written; the exit code is 1 if the template is not as it would be.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from pixal3d_addon.parameters import SETTINGS, Kind, Parameter

TEMPLATE = ROOT / "scripts" / "openjd" / "batch" / "template.yaml"
RANDOM_SEED = -1


def definition(parameter: Parameter) -> dict[str, Any]:
    """A job parameter of Open Job Description."""
    found: dict[str, Any] = {"name": job_parameter(parameter), "type": "INT"}
    control: dict[str, Any] = {"control": "SPIN_BOX"}
    default: object = parameter.default
    minimum = parameter.minimum
    match parameter.kind:
        case Kind.SWITCH:
            # An argument can't be left out, but the flag can be spelled in one of two ways.
            flag = _flag(parameter)
            found |= {"type": "STRING", "allowedValues": [flag, f"no-{flag}"]}
            control["control"] = "DROPDOWN_LIST"
            default = flag if default else f"no-{flag}"
        case Kind.CHOICE:
            found["allowedValues"] = list(parameter.choices)
            control["control"] = "DROPDOWN_LIST"
        case Kind.NUMBER:
            found |= {"type": "FLOAT", "minValue": minimum, "maxValue": parameter.maximum}
            control |= {"singleStepDelta": parameter.step, "decimals": 2}
        case kind:
            if kind is Kind.SEED:
                default = minimum = RANDOM_SEED
            found |= {"minValue": int(minimum), "maxValue": int(parameter.maximum)}
            control["singleStepDelta"] = int(parameter.step)
    control |= {"label": parameter.label, "groupLabel": parameter.group.value}
    return found | {"description": f"{parameter.tooltip}.", "default": default, "userInterface": control}


def argument(parameter: Parameter) -> str:
    """What the command line gets."""
    value = f"{{{{Param.{job_parameter(parameter)}}}}}"
    return f"--{value}" if parameter.kind is Kind.SWITCH else f"--{_flag(parameter)}={value}"


def job_parameter(parameter: Parameter) -> str:
    """Job parameters are written like ``MeshScale``."""
    return parameter.name[0].upper() + parameter.name[1:]


def _flag(parameter: Parameter) -> str:
    return parameter.identifier.replace("_", "-")


def renewed(text: str) -> str:
    """The template's text with the settings as they are now."""
    settings = "".join(_yaml(definition(parameter)) for parameter in SETTINGS)
    flags = "".join(f'        - "{argument(parameter)}"\n' for parameter in SETTINGS)
    return _between(_between(text, "settings", settings), "flags", flags)


def _yaml(values: dict[str, Any]) -> str:
    """An entry of a list. JSON is YAML too, so each value is written as JSON."""
    lines = [f"  {name}: {json.dumps(value, ensure_ascii=False)}\n" for name, value in values.items()]
    return "- " + "".join(lines).removeprefix("  ")


def _between(text: str, name: str, lines: str) -> str:
    pattern = re.compile(rf"(# begin {name}\n).*?( *# end {name}\n)", re.DOTALL)
    return pattern.sub(lambda found: found[1] + lines + found[2], text)


def main() -> int:
    text = TEMPLATE.read_text(encoding="utf-8")
    new = renewed(text)
    if "--check" in sys.argv[1:]:
        return int(new != text)
    TEMPLATE.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
