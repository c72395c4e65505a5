"""Train predictors: `classic` and `gru` on the features of the next track, `rank` to rank the next track first."""

from __future__ import annotations

from typing import Any

import numpy as np

from disco.catalogue import FEATURES
from disco.errors import DiscoError
from disco.evaluation import next_track
from disco.models.predictors import load_predictor
from disco.models.scaler import check_feature_set, scaled_features, scaler
from disco.models.track_inputs import NUMBERS, encode_tracks
from disco.training.data import Card, Run, data_card, split_sequences
from disco.training.export import export_network, export_step, load_networks
from disco.training.recipes import MusicRecipe, PredictorRecipe, RankPredictorRecipe
from disco.training.seeds import fit_best

Recipes = PredictorRecipe | RankPredictorRecipe | MusicRecipe

# Cases of each split for the metrics on a card.
_CASES = 5000


def train_predictor(recipe: PredictorRecipe, run: Run) -> Card:
    """Train a network on the features of the next track, write it and return the fields of its card."""
    networks, catalogue = load_networks(), run.catalogue
    if recipe.network not in networks.NETWORKS:
        raise DiscoError(
            f"{recipe.name}: there is no network {recipe.network!r}, there is {', '.join(networks.NETWORKS)}"
        )
    from disco.training import regression

    found = split_sequences(recipe, run.playlists, catalogue)
    transform = scaler(recipe.scaler)
    check_feature_set(catalogue, transform)
    major = round(float(np.nanmean(catalogue.modes[np.unique(np.concatenate(found["train"]))])), 4)
    mode = np.nan_to_num(catalogue.modes, nan=major)
    inputs = np.c_[scaled_features(catalogue, transform), mode].astype(np.float32)
    cut = {name: regression.windows(part, inputs, recipe) for name, part in found.items()}

    def build() -> tuple[Any, Any]:
        network = networks.NETWORKS[recipe.network]()
        return network, regression.task(network, recipe, cut["train"], cut["validation"])

    network, errors = fit_best(recipe, build, run.saved, run.workers)
    network.save(run.folder / "network.keras")
    metrics: Card = {"measure": "mean absolute error of the next track's eight scaled features; lower is better"}
    for name in ("validation", "test") if found["test"] else ("validation",):
        error = regression.mean_absolute_error(network.predict(cut[name].inputs, verbose=0), cut[name])
        each = {recipe.name: error, **regression.plain_errors(cut[name], cut["train"])}
        metrics[name] = {"joins": int(cut[name].weights.sum()), **{k: round(e, 4) for k, e in each.items()}}
    return {
        "feature_set": transform.feature_set,
        "inputs": [*FEATURES, "mode"],
        "output": list(FEATURES),
        "mode_when_unknown": major,
        "network": export_step(networks.step(network), run.folder),
        **data_card(recipe, found, errors),
        "metrics": metrics,
    }


def train_rank_predictor(recipe: RankPredictorRecipe, run: Run) -> Card:
    """Train a tower and a sequence encoder to rank, write both and return the fields of their card."""
    networks, catalogue = load_networks(), run.catalogue
    from disco.training import ranking

    found = split_sequences(recipe, run.playlists, catalogue)
    transform = scaler(recipe.scaler)
    check_feature_set(catalogue, transform)
    encoded = encode_tracks(catalogue, recipe.inputs, transform, recipe.genre_words)
    music = ranking.training_music(catalogue, found["train"])
    numbers = sum(name in NUMBERS for name in recipe.inputs)

    def build() -> tuple[Any, Any]:
        made = (
            networks.tower(
                len(recipe.inputs),
                numbers,
                recipe.genre_words,
                recipe.size,
                recipe.width,
                recipe.blocks,
                recipe.periods,
                recipe.memory,
                recipe.blur,
                recipe.dropout,
            ),
            networks.sequence_encoder(recipe.size, recipe.units, recipe.dropout, recipe.recurrent),
        )
        error = ranking.validation_error(*made, encoded, catalogue, found["validation"])
        return made, ranking.task(*made, encoded, music, recipe, error)

    (tower, encoder), errors = fit_best(recipe, build, run.saved, run.workers)
    tower.save(run.folder / "tower.keras")
    encoder.save(run.folder / "follower.keras")
    space, scale = ranking.fit_space_transform(tower, encoder, encoded, catalogue, found, recipe)
    return {
        "feature_set": transform.feature_set,
        "inputs": recipe.inputs,
        "genre_words": recipe.genre_words,
        "output": "a learned space",
        "tower": export_network(
            networks.transformed_tower(tower, space), run.folder / "tower.onnx", ("inputs",), ("vector",)
        ),
        "network": export_step(networks.sequence_encoder_step(encoder, space), run.folder),
        "scale": round(scale, 4),
        **data_card(recipe, found, errors),
    }


def next_track_metrics(recipe: Recipes, run: Run) -> Card:
    """Hit@10, MRR and median rank of the exported model on validation and test playlists."""
    predictor, catalogue = load_predictor(run.folder), run.catalogue
    space, measured, found = predictor.embed(catalogue), Card(), split_sequences(recipe, run.playlists, catalogue)
    for name in ("validation", "test"):
        if not any(len(tracks) > next_track.FIRST_POSITION for tracks in found[name]):
            continue
        cases = next_track.sample_cases(catalogue, found[name], None, most=_CASES)
        ranks = next_track.ranks(space, next_track.predictions(predictor, catalogue, space, cases), cases)
        record = next_track.records(ranks, cases)[0]
        measured[name] = {key: record[key] for key in ("n", "hit@10", "mrr", "median_rank")}
    return {"next_track": measured}
