"""The package as it is drawn in README: imports point downwards, no circles, and `evalkit --help` is quick.

An import counts wherever it stands: at the top of a module, in a function, under TYPE_CHECKING.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import evalkit
import pytest
from evalkit.tasks.adapter import HOOKS, REQUIRED

ROOT = Path(evalkit.__file__).parent
GROUND = ("_version", "errors", "files", "options", "plugins")
FLOORS = ("tasks", "judges", "evals", "trainer", "reports", "cli")
"""From the lowest to the highest; the ground is below them all."""
STRANGERS = ({"trainer", "reports"},)
"""Floors that do not import each other in either direction."""
HEAVY = ("pandas", "pyarrow", "scipy", "openai", "aiohttp", "pymorphy3", "langdetect", "jinja2", "torch")


@cache
def modules() -> dict[str, Path]:
    """All modules of the package by dotted name, `evalkit` left off; a package's `__init__` has the package's."""
    found = {}
    for path in (*ROOT.glob("*.py"), *(path for floor in FLOORS for path in (ROOT / floor).rglob("*.py"))):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(part for part in parts if part != "__init__") or "__init__"] = path
    return found


def imports(name: str, source: str, *, is_package: bool, known: Mapping[str, object]) -> set[str]:
    """The modules of the package that this one imports anywhere, as dotted names.

    What is imported from a package is its submodule of that name if it has one, else its `__init__`. Python runs
    a package's `__init__` before any of its submodules; as nothing is taken from it, that does not count.
    """
    parts = [] if name == "__init__" else name.split(".")
    package = parts if is_package else parts[:-1]
    targets = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            words = node.module.split(".") if node.module else []
            if node.level:
                base = package[: len(package) - node.level + 1] + words
            elif words[0] == "evalkit":
                base = words[1:]
            else:
                continue
            for alias in node.names:
                whole = ".".join([*base, alias.name])
                targets.add(whole if whole in known else ".".join(base) or "__init__")
        elif isinstance(node, ast.Import):
            absolute = [alias.name.split(".") for alias in node.names]
            targets |= {".".join(words[1:]) or "__init__" for words in absolute if words[0] == "evalkit"}
    return targets


@cache
def import_graph() -> dict[str, set[str]]:
    """Every module with what it imports."""
    known = modules()
    return {
        name: imports(name, path.read_text(encoding="utf-8"), is_package=path.name == "__init__.py", known=known)
        for name, path in known.items()
    }


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """The sets of nodes that all lead to each other (strongly connected components of more than one)."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found = []

    def visit(node: str) -> None:
        order[node] = lowest[node] = len(order)
        stack.append(node)
        for target in sorted(graph.get(node, ())):
            if target not in order:
                visit(target)
                lowest[node] = min(lowest[node], lowest[target])
            elif target in stack:
                lowest[node] = min(lowest[node], order[target])
        if lowest[node] == order[node]:
            place = stack.index(node)
            if len(stack) - place > 1:
                found.append(sorted(stack[place:]))
            del stack[place:]

    for node in sorted(graph):
        if node not in order:
            visit(node)
    return found


def floor_of(name: str) -> int:
    """Where a module stands: 0 is the ground; what lies in the root beside it belongs to the command line."""
    first = name.partition(".")[0]
    if first in GROUND:
        return 0
    return 1 + FLOORS.index(first if first in FLOORS else "cli")


def upward_imports() -> Iterator[str]:
    for name, targets in import_graph().items():
        if name == "__init__":
            continue
        for target in sorted(targets):
            strangers = {name.split(".")[0], target.split(".")[0]} in STRANGERS
            if floor_of(target) > floor_of(name) or strangers:
                yield f"{name} imports {target}"


def test_imports_are_seen_wherever_they_stand() -> None:
    source = """
import evalkit.errors
from . import near, something
from ..far import thing
from .. import package
if TYPE_CHECKING:
    from .typed import Type
def later():
    from evalkit.late import thing
    import json
"""
    known = dict.fromkeys(("floor", "floor.near", "floor.typed", "far", "package", "late", "errors"))
    seen = imports("floor.here", source, is_package=False, known=known)
    assert seen == {"errors", "floor.near", "floor", "far", "package", "floor.typed", "late"}
    assert imports("floor", "from .near import it", is_package=True, known=known) == {"floor.near"}
    assert imports("__init__", "from . import far, more", is_package=True, known=known) == {"far", "__init__"}


def test_circles_are_found() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": {"e"}, "e": {"d"}, "f": {"a"}}
    assert sorted(circles(graph)) == [["a", "b", "c"], ["d", "e"]]


def test_imports_point_downwards() -> None:
    assert not list(upward_imports())


def test_no_import_circles() -> None:
    assert not circles(import_graph())


def test_nobody_imports_the_package_itself() -> None:
    """Its `__init__` knows everything: whoever imported it would be in a circle with all."""
    assert not [name for name, targets in import_graph().items() if "__init__" in targets]


def test_no_test_imports_a_test() -> None:
    """What several tests share lies in tests/support; so it does for programs that a test holds as text."""
    known = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in (ROOT / "tests").rglob("*.py")
    }
    for name, path in known.items():
        source = path.read_text(encoding="utf-8")
        targets = {
            target.split(".")[1] for target in imports(name, source, is_package=False, known=known) & {*known}
        }
        assert targets <= {"support"}, name
        assert not re.search(r"evalkit\.tests\b(?!\.support\b)", source), name


def test_the_version_is_the_packages() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert evalkit.__version__ == project["version"]


@pytest.mark.parametrize("command", [["--help"], ["--version"], ["run", "--help"]])
def test_the_front_door_imports_nothing_heavy(command: list[str]) -> None:
    program = f"""
import sys
sys.argv = ["evalkit", *{command!r}]
from evalkit.__main__ import main
try:
    main()
except SystemExit as done:
    assert not done.code, done.code
loaded = sorted(set({HEAVY!r}) & set(sys.modules))
assert not loaded, loaded
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_public_names_are_exported() -> None:
    for name in evalkit.__all__:
        assert getattr(evalkit, name) is not None
        assert name in dir(evalkit)
    with pytest.raises(AttributeError):
        evalkit.nothing  # noqa: B018


def test_every_command_is_a_python_call() -> None:
    for name in evalkit.__all__:
        assert callable(getattr(evalkit, name)) or name == "__version__"


def packages() -> list[str]:
    """The packages of the product by dotted name, the root left off."""
    return sorted(name for name, path in modules().items() if path.name == "__init__.py" and name != "__init__")


def folder_graph(folder: str) -> dict[str, set[str]]:
    """A folder's sub-folders, each as one node, and its own modules, each as one, with what they import."""

    def node(name: str) -> str | None:
        if name == folder:
            return "__init__"
        if not name.startswith(f"{folder}."):
            return None
        first, _, rest = name.removeprefix(f"{folder}.").partition(".")
        return f"{first}/" if rest or name in packages() else first

    graph: dict[str, set[str]] = {}
    for name, targets in import_graph().items():
        here = node(name)
        if here is not None:
            graph.setdefault(here, set()).update(
                there for target in targets if (there := node(target)) and there != here
            )
    return graph


@pytest.mark.parametrize("folder", packages())
def test_subfolders_form_no_circle(folder: str) -> None:
    """In every folder, sub-folders stand in an order, and its own modules lie between them."""
    assert not circles(folder_graph(folder))


LARGEST = {"evals.sandbox.inside": 20}
"""Folders that may hold more than 16 modules: this one is mounted whole into a sandbox, which sees nothing else."""


@pytest.mark.parametrize("folder", packages())
def test_no_folder_is_a_heap(folder: str) -> None:
    inside = [path.name for path in (ROOT / folder.replace(".", "/")).glob("*.py") if path.name != "__init__.py"]
    assert len(inside) <= LARGEST.get(folder, 16), inside


@pytest.mark.parametrize(("folder", "most"), [("evals", 9), ("trainer", 7), ("reports", 2), ("tests", 12)])
def test_the_top_of_a_floor_holds_its_verbs_only(folder: str, most: int) -> None:
    assert len(list((ROOT / folder).glob("*.py"))) <= most


def test_every_folder_with_modules_is_a_package_that_is_installed() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    folders = {path.parent for floor in FLOORS for path in (ROOT / floor).rglob("*.py")}
    data = {
        ROOT / "trainer" / "recipes"
    }  # recipes and the tasks that they name by path: data of the package trainer
    names = {"evalkit." + ".".join(folder.relative_to(ROOT).parts) for folder in folders - data}
    assert sorted(settings["packages"]) == sorted({"evalkit", *names})


def test_the_map_in_the_readme_names_every_folder() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8").partition("## The map of the house")[2]
    named, floor = [], ""
    for line in text.partition("```text\n")[2].partition("```")[0].splitlines():
        folder = line.split()[0]
        floor = floor if line.startswith(" ") else folder
        named.append((floor + folder if line.startswith(" ") else folder).rstrip("/"))
    there = {name.replace(".", "/") for name in packages() if name.count(".") < 2}
    assert len(named) == len(set(named))
    assert there <= set(named)
    assert all((ROOT / name).is_dir() for name in named)
    floors = [name for name in named if name in FLOORS]
    assert floors == list(reversed(FLOORS))


NEIGHBOURS = {("imo", "math")}
"""Folders of tasks of which the first imports the second: a proof's final answer is compared as mathematics."""


def task_folders() -> set[str]:
    """The folders of the tasks; `text` is what they share."""
    return {name.split(".")[1] for name in packages() if name.startswith("tasks.")} - {"text"}


def test_tasks_stand_alone() -> None:
    """What several tasks need lies in `tasks/text` or in a module of `tasks` itself, which know none of them."""
    imported = set()
    for name, targets in import_graph().items():
        floor, _, here = name.partition(".")
        if floor == "tasks":
            for target in targets:
                there = target.split(".")[1] if target.startswith("tasks.") else ""
                if there in task_folders() and there != here.partition(".")[0]:
                    imported.add((here.partition(".")[0], there))
    assert imported == NEIGHBOURS


def test_nobody_above_knows_a_task_by_name() -> None:
    """They are opened by name (`tasks.registry`) and asked through `tasks.base.BaseTask`."""
    known = [
        f"{name} imports {target}"
        for name, targets in import_graph().items()
        if name.partition(".")[0] not in ("tasks", "__init__") and not name.startswith("trainer.recipes.")
        for target in targets
        if target.startswith("tasks.") and target.split(".")[1] in task_folders()
    ]
    assert not known


ASKED_BY_NAME = {"identity", "members", "settings", *(set(HOOKS) - set(REQUIRED))}


def test_nothing_of_tasks_and_judges_is_looked_up_by_a_string() -> None:
    """A hook has a default and a type; only the door for plugins (`tasks.adapter`) looks for one that may lack."""
    found = [
        f"{name}: {ast.unparse(node)}"
        for name, path in modules().items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("getattr", "hasattr")
        and isinstance(node.args[1], ast.Constant)
        and node.args[1].value in ASKED_BY_NAME
    ]
    assert not found
