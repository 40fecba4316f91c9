"""The examples in README.md run as they stand."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest

from helpers import run_python

README = Path(__file__).parent.parent / "README.md"

if not README.exists():
    pytest.skip("needs the source tree", allow_module_level=True)

EXAMPLES = re.findall(r"^```python\n(.*?)^```$", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_example_writes_its_record(lf: ModuleType, example: str, tmp_path: Path) -> None:
    done = run_python("-W", "error::DeprecationWarning", "-c", example, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    [message] = re.findall(r'(?:info|warning)\("(.*)"\)', example)
    assert message in (tmp_path / "app.log").read_text()
