"""The layers of the source: which module may import which, whose private names it may use, and how long it may be.

The rules are read from the text of the files, Python, Cython and C alike; nothing is imported.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src"
PACKAGE = SOURCE / "logflume"
INCLUDES = PACKAGE / "_c"  # where #include "..." and cdef extern from "..." look

pytestmark = pytest.mark.skipif(not PACKAGE.exists(), reason="needs the source tree")

# ---- the rules ----

CYTHON = (".pyx", ".pxi", ".pxd")
SHARED = {"_shared", "_delivery"}
# The first of these that a module's name begins with is its layer; all other modules are "public".
LAYERS = (
    "_c.interpreter",
    "_c.caller",
    "_c.backend",
    "_c.shared",
    "_c",
    "_py",
    "_shared",
    "_listener",
    "_delivery",
    "_backend",
    "stats",
)
MAY_IMPORT = {
    "_c.interpreter": {"_c.interpreter"},
    "_c.shared": {"_c.shared", "_c.interpreter"} | SHARED,
    "_c.caller": {"_c.caller", "_c.shared", "_c.interpreter"} | SHARED,
    "_c.backend": {"_c.backend", "_c.shared", "_c.interpreter"} | SHARED,
    "_py": {"_py"} | SHARED,
    "_shared": {"_shared"},
    "_delivery": {"_delivery", "_shared"},
    "_listener": {"_listener", "_backend", "_delivery", "_shared", "stats"},
    "_backend": {"_c.caller", "_c.backend", "_c.shared", "_py"},
    "stats": set(),
    "public": {"public", "_backend", "_listener", "stats"} | SHARED,
}
# What a compiled module on one side of the queue takes from the other side: (importing, imported) -> why.
CROSSINGS: dict[tuple[str, str], str] = {
    (
        "logflume._c.caller",
        "logflume._c.backend",
    ): "whether a handler asks a record for its exception depends on the way it goes",
}
# Names of the standard library, and of python-json-logger's formatter, that a class of ours has as well.
STANDARD_PRIVATE_NAMES = {"_thread", "_lock", "_fmt", "_style", "_open", "_name", "_STYLES"}
STANDARD_PRIVATE_NAMES |= {"_required_fields", "_skip_fields"}
LONGEST = 500  # lines; a longer file says "Long because" in one of its first lines
FIRST_LINES = 40
MOST_PARAMETERS = 6
MORE_PARAMETERS = {  # "file:function" -> why
    "handler.py:__init__": "they are options of the user, given by keyword",
    "json_formatter.py:__init__": "they are options of the user, given by keyword",
    "listener.py:__init__": "they are options of the user, given by keyword",
    "setup_queue.py:setup_logging_queue": "they are options of the user, given by keyword",
}

# ---- what the files say ----


class Import(NamedTuple):
    line: int
    module: str  # logflume.x.y
    names: tuple[str, ...]  # that are taken from it; none where the module itself is imported


class Use(NamedTuple):
    line: int
    text: str
    name: str


def files(*suffixes: str) -> list[Path]:
    return [path for path in sorted(PACKAGE.rglob("*")) if path.suffix in suffixes]


def shown(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def module_of(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> set[str]:
    return {module_of(path) for path in files(*CYTHON, ".py")}


def layer_of(module: str) -> str:
    name = module.removeprefix("logflume").removeprefix(".") + "."
    return next((layer for layer in LAYERS if name.startswith(layer + ".")), "public")


def absolute(path: Path, level: int, name: str) -> str:
    if level == 0:
        return name
    package = path.relative_to(SOURCE).parts[:-1]
    return ".".join([*package[: len(package) - level + 1], *([name] if name else [])])


def taken_from(path: Path, line: int, level: int, name: str, names: list[str]) -> Iterator[Import]:
    module = absolute(path, level, name)
    if module.split(".")[0] != "logflume":
        return
    for imported in names:  # from logflume._delivery import unpatched
        if f"{module}.{imported}" in modules():
            yield Import(line, f"{module}.{imported}", ())
    others = tuple(imported for imported in names if f"{module}.{imported}" not in modules())
    if others:
        yield Import(line, module, others)


def python_imports(path: Path) -> Iterator[Import]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "logflume":
                    yield Import(node.lineno, alias.name, ())
        elif isinstance(node, ast.ImportFrom):
            names = [alias.name for alias in node.names]
            yield from taken_from(path, node.lineno, node.level, node.module or "", names)


def code_of(path: Path) -> str:
    """The text without comments and strings, of as many lines; names of files after `from` and `include` stay."""

    def blank(match: re.Match[str]) -> str:
        return "\n" * match[0].count("\n") + ("''" if match[0][0] in "'\"" else " ")

    text = path.read_text(encoding="utf-8")
    if path.suffix == ".h":
        return re.sub(r"/\*.*?\*/|//[^\n]*", blank, text, flags=re.DOTALL)
    named_files = re.compile(r'\b(?:from|include)\s+"[^"\n]*"')
    tokens = re.compile(r'"""(?:.|\n)*?"""|\'\'\'(?:.|\n)*?\'\'\'|#[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'')
    kept: list[str] = []

    def keep(match: re.Match[str]) -> str:
        kept.append(match[0])
        return f"\0{len(kept) - 1}\0"

    code = tokens.sub(blank, named_files.sub(keep, text))
    return re.sub("\0(\\d+)\0", lambda match: kept[int(match[1])], code)


def line_at(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def cython_imports(path: Path) -> Iterator[Import]:
    code = code_of(path)
    named = r"^[ \t]*from[ \t]+(\.*)([\w.]*)[ \t]+c?import[ \t]+(\([^)]*\)|[^\n]*)"
    for match in re.finditer(named, code, re.MULTILINE):
        names = [part.split()[0] for part in match[3].strip("() \t\n").split(",") if part.strip()]
        yield from taken_from(path, line_at(code, match.start()), len(match[1]), match[2], names)
    for match in re.finditer(r"^[ \t]*c?import[ \t]+([\w., \t]+)", code, re.MULTILINE):
        for part in match[1].split(","):
            if part.split()[0].split(".")[0] == "logflume":
                yield Import(line_at(code, match.start()), part.split()[0], ())


def includes(path: Path) -> Iterator[tuple[int, Path]]:
    """The files of ours that a Cython or C file takes in as text."""
    code = code_of(path)
    before = r"#[ \t]*include" if path.suffix == ".h" else r"\b(?:extern[ \t]+from|include)"
    pattern = rf'{before}[ \t]+"([^"]+)"'
    for match in re.finditer(pattern, code):
        for folder in (INCLUDES, path.parent):
            if (folder / match[1]).exists():
                yield line_at(code, match.start()), folder / match[1]
                break


def imports(path: Path) -> Iterator[Import]:
    if path.suffix == ".py":
        yield from python_imports(path)
        return
    if path.suffix != ".h":
        yield from cython_imports(path)
    for line, file in includes(path):
        yield Import(line, module_of(file), ())


# ---- private names ----


def python_uses(path: Path) -> Iterator[Use]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and is_private(node.attr) and not is_own(node):
            yield Use(node.lineno, ast.unparse(node), node.attr)


def cython_uses(path: Path) -> Iterator[Use]:
    code = re.sub(r"^[ \t]*(?:from|c?import)\b[^\n]*", "", code_of(path), flags=re.MULTILINE)
    for match in re.finditer(r"([\w)\]]+)\.(_\w+)", code):
        if is_private(match[2]) and match[1] not in ("self", "cls"):
            yield Use(line_at(code, match.start()), match[0], match[2])


def is_own(attribute: ast.Attribute) -> bool:
    return ast.unparse(attribute.value) in ("self", "cls")


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


@cache
def defined_in(path: Path) -> set[str]:
    """The private names that a file defines: of its module, its classes and their instances."""
    if path.suffix == ".py":
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.add(node.id)
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and is_own(node):
                names.add(node.attr)
    else:
        code = code_of(path)
        functions = r"^[ \t]*(?:cp?def|def|class)\b[^\n(=]*?\b(_\w+)[ \t]*(?:[(=,:]|$)"
        attributes = r"^[ \t]+(?:cdef )?(?:public |readonly )?[\w* ]+[ *](_\w+)(?=[ \t]*(?:,|$))"
        names = {
            name
            for pattern in (r"\bself\.(_\w+)[ \t]*=", functions, attributes)
            for name in re.findall(pattern, code, re.MULTILINE)
        }
    return {name for name in names if is_private(name)}


# ---- sizes ----


def python_functions(path: Path) -> Iterator[tuple[int, str, int]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            yield node.lineno, node.name, sum(argument.arg not in ("self", "cls") for argument in given)


def other_functions(path: Path) -> Iterator[tuple[int, str, int]]:
    """The functions of a Cython file (of a header: the inline ones)."""
    code = code_of(path)
    head = (
        r"^(?:static|inline|LOGFLUME_\w+)\b[^;={}()#]*?\b(\w+)\("
        if path.suffix == ".h"
        else r"^[ \t]*(?:cdef|cpdef|def|async def)\b[^\n(=:]*?\b(\w+)\("
    )
    for match in re.finditer(head, code, re.MULTILINE):
        depth, end = 1, match.end()
        while depth and end < len(code):
            depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(code[end], 0)
            end += 1
        parameters = re.sub(r"\([^()]*\)|\[[^\]]*\]", "", code[match.end() : end - 1]).split(",")
        names = [
            parameter.split("=")[0].split()
            for parameter in parameters
            if parameter.strip() not in ("", "void", "*", "/")
        ]
        names = [name for name in names if name[-1].strip("*") not in ("self", "cls") and name[:1] != ["self"]]
        yield line_at(code, match.start()), match[1], len(names)


# ---- the tests ----

Violations = Iterator[tuple[Path, int, str]]


def crossed_layers() -> Violations:
    for path in files(*CYTHON, ".py", ".h"):
        importer = module_of(path)
        layer = layer_of(importer)
        for found in imports(path):
            if found.module == importer or (importer, found.module) in CROSSINGS:
                continue
            if layer_of(found.module) not in MAY_IMPORT[layer]:
                yield path, found.line, f"{layer} imports {found.module}"


def imported_private_names() -> Violations:
    for path in files(*CYTHON, ".py"):
        for found in imports(path):
            if found.module != module_of(path):
                for name in found.names:
                    if is_private(name):
                        yield path, found.line, f"imports {name} of {found.module}"


def used_private_names() -> Violations:
    paths = files(*CYTHON, ".py")
    for path in paths:
        own: set[str] = set().union(*(defined_in(other) for other in paths if module_of(other) == module_of(path)))
        uses = python_uses(path) if path.suffix == ".py" else cython_uses(path)
        for use in uses:
            if use.name in own or use.name in STANDARD_PRIVATE_NAMES:
                continue
            owners = [shown(other) for other in paths if use.name in defined_in(other)]
            if owners:
                yield path, use.line, f"uses {use.text} of {', '.join(owners)}"


def long_files() -> Violations:
    for path in files(*CYTHON, ".py", ".h"):
        lines = path.read_text(encoding="utf-8").splitlines()
        if len(lines) > LONGEST and "Long because" not in "\n".join(lines[:FIRST_LINES]):
            yield path, len(lines), f"has {len(lines)} lines, and does not say why among the first"


def many_parameters() -> Violations:
    for path in files(*CYTHON, ".py", ".h"):
        for line, name, count in python_functions(path) if path.suffix == ".py" else other_functions(path):
            if count > MOST_PARAMETERS and f"{shown(path)}:{name}" not in MORE_PARAMETERS:
                yield path, line, f"{name}() takes {count} parameters"


RULES: dict[str, Callable[[], Violations]] = {
    "no module imports a layer that it must not know": crossed_layers,
    "no module imports private names of another": imported_private_names,
    "no module uses private attributes of another's objects": used_private_names,
    "no file is long without a reason": long_files,
    "no function takes many parameters": many_parameters,
}


@pytest.mark.parametrize("rule", RULES)
def test_the_source_keeps_the_rule(rule: str) -> None:
    violations = [f"src/logflume/{shown(path)}:{line}: {what}" for path, line, what in RULES[rule]()]
    assert not violations, f"{rule}:\n" + "\n".join(violations)


def test_the_files_are_read() -> None:
    """Else the rules above would hold for want of anything to look at."""
    found = {(module_of(path), each.module) for path in files(*CYTHON, ".py", ".h") for each in imports(path)}
    layers = {(layer_of(importer), layer_of(imported)) for importer, imported in found}
    assert ("logflume", "logflume.listener") in found
    assert {("_c.caller", "_c.shared"), ("_c.backend", "_delivery"), ("_py", "_shared")} <= layers
    assert {("_c.caller", "_c.interpreter"), ("_c.interpreter", "_c.interpreter")} <= layers
    assert len(found) > 60
    assert len([1 for path in files(*CYTHON, ".h") for _ in other_functions(path)]) > 150
    assert len(set().union(*(defined_in(path) for path in files(*CYTHON, ".py")))) > 60
