"""Imports point down, heavy packages have one home, and the commands load none of them."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "disco"

# From the top down: a module imports from its own layer or from lower ones.
LAYERS = (
    ("disco.cli", "disco.app", "disco.generate", "disco.__main__"),
    ("disco.training", "disco.export"),
    ("disco.evaluation",),
    ("disco.playlist",),
    ("disco.models",),
    ("disco.sources",),
    ("disco.catalogue",),
    ("disco.errors",),
)
NAMES = {"catalogue", "sources", "models", "playlist", "export", "evaluation", "training", "app", "cli"}
NAMES |= {"__init__.py", "__main__.py", "errors.py", "generate.py", "py.typed"}

# Where a package may be imported at all.
_TRAINED = "networks fitting ranking regression set_transformer two_tower embedding_mlp content autoencoder".split()
_TRAINED += ["music", "music_networks"]
_KERAS = {f"disco.training.{name}" for name in _TRAINED}
HOMES = {
    "keras": _KERAS,
    "tensorflow": _KERAS - {"disco.training.regression"},
    "keras_rs": {"disco.training.two_tower"},
    "lightgbm": {"disco.training.trees"},
    "sklearn": {"disco.training.features"},
    "plotly": {f"disco.export.plot.{name}" for name in ("style", "path", "wheel", "curves", "map", "matrix", "page")},
    "dash": {"disco.app.layout"},
    "dash_mantine_components": {"disco.app.layout"},
    "fastapi": {f"disco.app.{name}" for name in ("layout", "page_files", "server", "api")},
    "pydantic": {"disco.app.requests", "disco.app.verbs"},
    "mcp": {"disco.app.mcp"},
    "uvicorn": {"disco.cli.app", "disco.app.processes"},
    "rich": {"disco.export.console_table"},
    "implicit": {"disco.training.factors"},
    "tinytag": {"disco.sources.audio.tags"},
    "platformdirs": {"disco.sources.storage"},
    "soundfile": {"disco.sources.audio.signal"},
    "spotipy": {f"disco.sources.services.spotify.{name}" for name in ("client", "tokens")},
    "requests": {f"disco.sources.services.{name}" for name in ("http", "spotify.session", "spotify.tokens")},
    "scipy": {f"disco.training.{name}" for name in ("factors", "neighbours", "sets", "embedding_mlp")},
    "onnxruntime": {"disco.models.network", "disco.training.export"},
    "ray": set(),  # only of `cloud/`, which is outside the package
    "fast_tsp": {"disco.playlist.sequence.lin_kernighan"},
    "pickle": set(),
    "joblib": set(),
    "pandas": set(),
}
HEAVY = ("keras", "tensorflow", "sklearn", "pandas", "dash", "librosa", "ray", "plotly", "scipy", "implicit")
HEAVY += ("fast_tsp", "keras_rs", "lightgbm", "spotipy", "requests", "tinytag", "soundfile")


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def layer(module: str) -> int:
    """Number of a module's layer, 0 at the bottom."""
    for number, names in enumerate(reversed(LAYERS)):
        if any(module == name or module.startswith(f"{name}.") for name in names):
            return number
    raise AssertionError(f"give the new module a layer: {module}")


@cache
def imports() -> dict[str, set[str]]:
    """Modules that each module imports anywhere in it, for type checking too; each file is parsed once."""
    found: dict[str, set[str]] = {}
    for module, path in MODULES.items():
        found[module] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found[module] |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path} imports relatively"
                whole = {f"{node.module}.{alias.name}" for alias in node.names}
                found[module] |= {name if name in MODULES else str(node.module) for name in whole}
    return found


def test_the_package_holds_the_ten_names_of_its_map():
    assert {path.name for path in PACKAGE.iterdir() if path.name != "__pycache__"} <= NAMES


def test_imports_point_down():
    wrong = [
        (module, name)
        for module, names in imports().items()
        for name in names
        if module != "disco"
        and name.startswith("disco.")
        and layer(name) > layer(module)
        and name != "disco.cli.options"  # evaluation.protocols still takes parsed arguments
    ]
    assert not wrong


def test_there_are_no_circles():
    graph = {name: {i for i in found if i in MODULES} - {name, "disco"} for name, found in imports().items()}
    done: set[str] = set()
    while len(done) < len(graph):
        # A package's __init__ is imported with every module in it, so its own imports of them are no circle.
        free = {
            n
            for n in graph
            if n not in done and all(i in done or i.startswith(f"{n}.") or n.startswith(f"{i}.") for i in graph[n])
        }
        assert free, f"a circle among {sorted(set(graph) - done)}"
        done |= free


@pytest.mark.parametrize("package", HOMES)
def test_each_heavy_package_has_one_home(package):
    users = {name for name, found in imports().items() if package in {i.split(".")[0] for i in found}}
    assert users <= HOMES[package]


@pytest.mark.process
def test_the_commands_load_nothing_heavy():
    modules = sorted(name for name in MODULES if name.startswith("disco.cli.") or name == "disco.generate")
    modules.remove("disco.cli.services")  # loads what speaks to the network, and is loaded only then
    code = "import sys; from disco.cli import main; main._leave_out_pandas(); "
    code += f"import {', '.join([*modules, 'disco.sources.services.spotify'])}; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {name.split(".")[0] for name in loaded} & set(HEAVY)


@pytest.mark.process
@pytest.mark.parametrize("way", [["-m", "disco.generate"], ["-m", "disco", "generate"]])
def test_a_command_loads_neither_masked_arrays_nor_pandas_which_take_longer_than_it_does(way):
    command = [sys.executable, "-X", "importtime", *way, "--example", "--json", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "pyarrow.lib" in loaded
    assert not loaded & {"numpy.ma", "pandas.core"}


def test_no_file_is_longer_than_one_can_hold_in_mind():
    long = {name: n for name, path in MODULES.items() if (n := len(path.read_text().splitlines())) > 420}
    assert not long
