# SPDX-License-Identifier: Apache-2.0
"""Names the public declarations in symbol graphs that have no documentation; fails if there are any.

    undocumented.py FOLDER MODULE…

It fails also if a module has no graph, or one without symbols. The formatter's rule does not see
cases of enumerations and members of extensions everywhere; the compiler's own list of what is public
does.
"""

import json
import pathlib
import sys

folder, modules = pathlib.Path(sys.argv[1]), set(sys.argv[2:])
missing, count = [], 0
for path in sorted(folder.glob("*.symbols.json")):
    graph = json.loads(path.read_text())
    if graph["symbols"]:
        modules.discard(graph["module"]["name"])
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
for module in sorted(modules):
    print(f"{module}: no public declaration was found")
print(f"{count} public declarations, {len(set(missing))} without documentation")
sys.exit(1 if missing or modules else 0)
