"""Gradient-boosted trees that rank, and the same as an ONNX network.

Source: Burges (2010), "From RankNet to LambdaRank to LambdaMART"; fitted with LightGBM (Ke et al. 2017, "LightGBM: A
Highly Efficient Gradient Boosting Decision Tree").
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disco.catalogue import Floats
from disco.errors import MissingExtra
from disco.training.recipes import RerankerRecipe

# Ranks above which the order matters: most playlists hide fewer tracks.
_TRUNCATION = 150
# Rounds without a better NDCG on the playlists kept apart, before it stops.
_PATIENCE = 30
# Of the features and the examples that a tree sees.
_FEATURES, _EXAMPLES = 0.5, 0.7


def fit_trees(
    shown: tuple[Floats, NDArray[np.bool_], NDArray[np.intp]],
    kept_apart: tuple[Floats, NDArray[np.bool_], NDArray[np.intp]],
    recipe: RerankerRecipe,
) -> Any:
    """Trees that rank true candidates above others within each query, as many as do best on what is kept apart.

    Parameters
    ----------
    shown, kept_apart : tuple of ndarray
        Features, shape (n, features); which candidates are true, shape (n,); and how many candidates each query has.
    """
    try:
        import lightgbm
    except ImportError:
        raise MissingExtra("lightgbm", "train") from None
    options = {
        "objective": "lambdarank",
        "lambdarank_truncation_level": _TRUNCATION,
        "metric": "ndcg",
        "eval_at": [100],
        "num_leaves": recipe.leaves,
        "min_data_in_leaf": recipe.smallest,
        "learning_rate": recipe.shrinkage,
        "lambda_l2": recipe.ridge,
        "feature_fraction": _FEATURES,
        "bagging_fraction": _EXAMPLES,
        "bagging_freq": 1,
        "seed": recipe.seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbose": -1,
    }
    data = lightgbm.Dataset(shown[0], shown[1].astype(np.int32), group=shown[2])
    apart = lightgbm.Dataset(kept_apart[0], kept_apart[1].astype(np.int32), group=kept_apart[2], reference=data)
    stop = lightgbm.early_stopping(_PATIENCE, verbose=False)
    return lightgbm.train(options, data, recipe.trees, valid_sets=[apart], callbacks=[stop])


def _nodes(tree: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any], int, int]]:
    """Each node of a tree: its number, what LightGBM says of it, and the numbers of its children (or 0, 0)."""
    waiting, numbered = [(0, tree)], 1
    while waiting:
        number, node = waiting.pop()
        if "left_child" not in node:
            yield number, node, 0, 0
            continue
        yield number, node, numbered, numbered + 1
        waiting += [(numbered, node["left_child"]), (numbered + 1, node["right_child"])]
        numbered += 2


def write_trees(booster: Any, features: int, path: Path) -> None:
    """Write trees as an ONNX network from `features`, (n, features), to `score`, (n, 1), in float32.

    A feature is compared as float32: a threshold is rounded down to one, which puts every float32 on the same side.
    An unknown feature takes the branch that the tree learned, or that of 0 where it saw none in training.
    """
    from onnx import TensorProto, helper, save

    names = "treeids nodeids featureids values modes truenodeids falsenodeids missing_value_tracks_true".split()
    nodes: dict[str, Any] = {f"nodes_{name}": [] for name in names}
    leaves: dict[str, Any] = {f"target_{name}": [] for name in ("treeids", "nodeids", "ids", "weights")}
    for number, tree in enumerate(booster.dump_model(num_iteration=booster.best_iteration)["tree_info"]):
        for at, node, left, right in _nodes(tree["tree_structure"]):
            is_leaf = not right
            missing = not is_leaf and (
                node["default_left"] if node["missing_type"] == "NaN" else node["threshold"] >= 0
            )
            threshold = 0.0 if is_leaf else _rounded_down(node["threshold"])
            mode = "LEAF" if is_leaf else "BRANCH_LEQ"
            feature = 0 if is_leaf else node["split_feature"]
            node_values = (number, at, feature, threshold, mode, left, right, int(missing))
            for values, value in zip(nodes.values(), node_values, strict=True):
                values.append(value)
            if is_leaf:
                for values, value in zip(leaves.values(), (number, at, 0, node["leaf_value"]), strict=True):
                    values.append(value)
    node = helper.make_node(
        "TreeEnsembleRegressor",
        ["features"],
        ["score"],
        domain="ai.onnx.ml",
        n_targets=1,
        aggregate_function="SUM",
        post_transform="NONE",
        **nodes,
        **leaves,
    )
    graph = helper.make_graph(
        [node],
        "trees",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, features])],
        [helper.make_tensor_value_info("score", TensorProto.FLOAT, [None, 1])],
    )
    opsets = [helper.make_opsetid("ai.onnx.ml", 3), helper.make_opsetid("", 17)]
    # The oldest format that has these: newer ones are not read by older programs.
    save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)


def _rounded_down(threshold: float) -> float:
    most = np.finfo(np.float32).max
    rounded = np.float32(np.clip(threshold, -most, most))
    return float(np.nextafter(rounded, -most) if float(rounded) > threshold else rounded)
