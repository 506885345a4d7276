"""The model's config.json that a profile names or holds, as plain data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dynagen.diagnostics import Position, Report
from dynagen.profile import Profile
from dynagen.text.paths import is_there
from dynagen.text.source import read


def read_model_config(profile: Profile, home: Path, root: Path, report: Report) -> Mapping[str, Any] | None:
    """None when the profile says nothing. A file is looked for in `home`, the profile's folder, and must lie below `root`.

    What modelopt says about the weights stands beside config.json, in hf_quant_config.json. Reports DG440, and DG303 as
    for overlays.
    """
    given = profile.data.get("modelConfig")
    if not isinstance(given, str):
        return given
    at = profile.at(("modelConfig",))
    found = _json_object(given, at, home, root, report)
    if found is None:
        return {} if report.failed else None
    beside = Path(given).with_name("hf_quant_config.json").as_posix()
    if "quantization_config" not in found and is_there(home / beside):
        quantization = (_json_object(beside, at, home, root, report) or {}).get("quantization")
        if quantization is not None and not isinstance(quantization, dict):
            report.add(
                "DG440", f"'quantization' in '{beside}' is no JSON object", at, "take it from the model's repository"
            )
        found["quantization"] = quantization
    return found


def _json_object(name: str, at: Position, home: Path, root: Path, report: Report) -> dict[str, Any] | None:
    try:
        path = (home / name).resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        report.add("DG440", f"no file '{name}'", at, f"it is looked for beside the profile, in '{home}'")
        return None
    if not path.is_relative_to(root.resolve()):
        report.add(
            "DG303", f"'{name}' lies outside of '{root}'", at,
            hint="move it below the profile's folder, or allow a wider folder with --root",
        )  # fmt: skip
        return None
    text = read(path, name, report, home=root)
    if text is None:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        report.add("DG440", f"'{name}' is not JSON: {error}", at, "take config.json from the model's repository")
        return None
    if not isinstance(found, dict):
        report.add("DG440", f"'{name}' is no JSON object", at, "take config.json from the model's repository")
        return None
    return found
