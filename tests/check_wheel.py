"""Tells what is wrong with a built wheel: python check_wheel.py compiled|pure WHEEL...

With PUBLISHED_FROM in the environment, the address of a repository, the wheel has to name it in a Project-URL.
"""

from __future__ import annotations

import os
import re
import sys
import zipfile
from pathlib import Path, PurePosixPath

PYX = Path(__file__).parent.parent / "src" / "logflume" / "_c"
SOURCES = (".pyx", ".pxi", ".pxd", ".c", ".h")
EXTENSIONS = (".so", ".pyd")
MOST = 600_000  # bytes; with debug information, or symbols, it would be twice as many
# Folders of the machine that built it: a library path, or the name of a source file.
BUILDER = re.compile(rb"/(?:home|root|opt|tmp|Users|project|work|private)/[\w./-]+")


def problems(kind: str, wheel: Path, published_from: str = "") -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        metadata = "".join(archive.read(name).decode() for name in names if name.endswith(".dist-info/METADATA"))
        code = {name: archive.read(name) for name in names if name.endswith(EXTENSIONS)}
    wanted = {path.stem for path in PYX.rglob("*.pyx")} if kind == "compiled" else set()
    built = {PurePosixPath(name).name.partition(".")[0] for name in code}
    found = [f"holds {name}" for name in names if name.endswith(SOURCES)]
    found += [f"has debug information in {name}" for name, data in code.items() if b".debug_info" in data]
    found += [
        f"names a folder of its builder in {name}: {path.decode()}"
        for name, data in code.items()
        for path in sorted(set(BUILDER.findall(data)))
    ]
    if wheel.stat().st_size > MOST:
        found.append(f"has {wheel.stat().st_size} bytes, more than {MOST}")
    found += [f"lacks the extension {name}" for name in sorted(wanted - built)]
    found += [f"holds the unknown extension {name}" for name in sorted(built - wanted)]
    if "logflume/py.typed" not in names:
        found.append("lacks py.typed")
    for part in ("licenses/LICENSE", "sboms/logflume.cdx.json"):
        if not any(name.endswith(f".dist-info/{part}") for name in names):
            found.append(f"lacks {part}")
    if published_from and not re.search(rf"^Project-URL: [^,]+, {re.escape(published_from)}$", metadata, re.M):
        found.append(f"has no Project-URL {published_from}: add it to [project.urls] in pyproject.toml")
    if wheel.name.endswith("-py3-none-any.whl") != (kind == "pure"):
        found.append(f"has the wrong tags for a {kind} wheel")
    return found


def main(kind: str, *wheels: str) -> int:
    published_from = os.environ.get("PUBLISHED_FROM", "")
    found = [f"{wheel}: {problem}" for wheel in wheels for problem in problems(kind, Path(wheel), published_from)]
    print("\n".join(found) or f"{len(wheels)} {kind} wheel(s) as they should be")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
