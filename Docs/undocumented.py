# SPDX-License-Identifier: Apache-2.0
"""Names the public declarations in symbol graphs that have no documentation; fails if there are any.

The formatter's rule does not see cases of enumerations and members of extensions everywhere; the
compiler's own list of what is public does.
"""

import json
import pathlib
import sys

missing, count = [], 0
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.symbols.json")):
    graph = json.loads(path.read_text())
    # What overrides or fulfils a requirement that is documented has its documentation from there.
    inherited = {
        edge["source"]
        for edge in graph["relationships"]
        if edge["kind"] in ("overrides", "defaultImplementationOf") or "sourceOrigin" in edge
    }
    for symbol in graph["symbols"]:
        synthesized = "::SYNTHESIZED::" in symbol["identifier"]["precise"]
        underscored = any(part.startswith("_") for part in symbol["pathComponents"])
        if synthesized or underscored or symbol["kind"]["identifier"] == "swift.extension":
            continue
        count += 1
        if "docComment" not in symbol and symbol["identifier"]["precise"] not in inherited:
            place = symbol.get("location", {})
            where = place.get("uri", path.name).removeprefix("file://")
            line = place.get("position", {}).get("line", -1) + 1
            missing.append(f"{where}:{line}: {'.'.join(symbol['pathComponents'])}")
for line in sorted(set(missing)):
    print(line)
print(f"{count} public declarations, {len(set(missing))} without documentation")
sys.exit(1 if missing else 0)
