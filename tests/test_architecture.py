"""Imports point down, heavy packages have one home, and the front door loads none of them."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "disco"

# A module's floor; a folder's holds for all in it. Imports go down, or sideways without a circle.
FLOORS = {
    **dict.fromkeys(("disco.errors", "disco.music", "disco.catalogue", "disco.distance"), 0),
    **dict.fromkeys(("disco.keys", "disco.mixing", "disco.folders"), 0),
    **dict.fromkeys(("disco.sources", "disco.model", "disco.tower"), 1),
    **dict.fromkeys(("disco.recommend", "disco.predict", "disco.transition"), 2),
    **dict.fromkeys(("disco.sequence", "disco.flow", "disco.playing"), 3),
    **dict.fromkeys(("disco.playlist", "disco.ordering", "disco.joins", "disco.explaining"), 4),
    **dict.fromkeys(("disco.cli", "disco.export", "disco.plot", "disco.settings", "disco.options"), 5),
    **dict.fromkeys(("disco.metrics", "disco.next_track", "disco.continuation", "disco.recipe", "disco.split"), 5),
    **dict.fromkeys(("disco.rivals", "disco.scorecard"), 5),
    "disco.training": 5,
    "disco.online": 5,
    **dict.fromkeys(("disco.__main__", "disco.generate", "disco.catalogue.__main__"), 6),
    **dict.fromkeys(("disco.recommend.__main__", "disco.shelf", "disco.order", "disco.lint", "disco.spotify"), 6),
    **dict.fromkeys(("disco.prepare", "disco.train", "disco.evaluate"), 6),
    "disco": 7,  # the map may point everywhere, lazily
}
DEEP = ("embedding_mlp", "content", "autoencoder")
# Where a package may be imported at all.
_KERAS = {f"disco.training.{name}" for name in ("networks", "fitting", "ranking", "regression", "set_transformer")}
_KERAS |= {"disco.training.two_tower", *(f"disco.training.{name}" for name in DEEP)}
HOMES = {
    "keras": _KERAS,
    "tensorflow": _KERAS - {"disco.training.regression"},
    "keras_rs": {"disco.training.two_tower"},
    "lightgbm": {"disco.training.trees"},
    "sklearn": {"disco.training.features"},
    "plotly": {f"disco.plot.{name}" for name in ("look", "path", "wheel", "curves", "matrix", "page")},
    "rich": {"disco.cli"},
    "implicit": {"disco.training.factors"},
    "tinytag": {"disco.sources.audio.tags"},
    "platformdirs": {"disco.folders"},
    "soundfile": {"disco.sources.audio.sound"},
    "spotipy": {"disco.sources.spotify.client", "disco.sources.spotify.tokens"},
    "requests": {f"disco.sources.{name}" for name in ("reccobeats", "spotify.session", "spotify.tokens")},
    "scipy": {f"disco.training.{name}" for name in ("factors", "neighbours", "sets", "embedding_mlp")},
    "onnxruntime": {"disco.model", "disco.training.export"},
    "pickle": set(),
    "joblib": set(),
    "pandas": set(),
}
HEAVY = ("keras", "tensorflow", "sklearn", "pandas", "dash", "librosa", "ray", "plotly", "scipy", "implicit")
HEAVY += ("keras_rs", "lightgbm", "spotipy", "requests", "tinytag", "soundfile")


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def floor(module: str) -> int:
    while module not in FLOORS:
        module = module.rpartition(".")[0]
        assert module != "disco", f"give the new module a floor: {module}"
    return FLOORS[module]


def imports(path: Path) -> set[str]:
    """Modules that a file imports anywhere in it, those for type checking alone left out."""
    tree, found = ast.parse(path.read_text(encoding="utf-8")), set()
    skipped = {
        id(node)
        for test in ast.walk(tree)
        if isinstance(test, ast.If) and isinstance(test.test, ast.Name) and test.test.id == "TYPE_CHECKING"
        for node in ast.walk(test)
    }
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else str(node.module) for name in whole}
    return found


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down(module):
    ours = {name for name in imports(MODULES[module]) if name.split(".")[0] == "disco"} - {"disco"}
    if module != "disco":
        above = sorted(name for name in ours if floor(name) > floor(module))
        assert not above, f"{module} (floor {floor(module)}) imports {above} from above"


def test_there_are_no_circles():
    graph = {name: {i for i in imports(path) if i in MODULES} - {name} for name, path in MODULES.items()}
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
    users = {name for name, path in MODULES.items() if package in {i.split(".")[0] for i in imports(path)}}
    assert users <= HOMES[package]


@pytest.mark.parametrize(
    "module",
    [
        "disco.generate",
        "disco.order",
        "disco.lint",
        "disco.catalogue.__main__",
        "disco.recommend.__main__",
        "disco.shelf",
        "disco.spotify",
        "disco.sources.spotify",
        "disco.train",
        "disco",
    ],
)
def test_the_front_doors_load_nothing_heavy(module):
    code = f"import sys, {module}; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {name.split(".")[0] for name in loaded} & set(HEAVY)


def test_no_file_is_longer_than_one_can_hold_in_mind():
    long = {name: n for name, path in MODULES.items() if (n := len(path.read_text().splitlines())) > 420}
    assert not long
