r"""Draw a learned space of tracks in two dimensions, coloured by genre (t-SNE; van der Maaten and Hinton 2008).

python data-wrangling/autoencoder_codes.py kaggle_spotify_tracks_114k.parquet --model autoencoder \
    --output docs/images/autoencoder.png

A sample of tracks of a dozen genres, without names. Needs the extra [train] (scikit-learn), and for PNG kaleido and a
Chromium; with a name that ends in .html it needs no browser.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
from sklearn.manifold import TSNE

from disco.models.card import find_model, read_card
from disco.models.recommenders import autoencoder, content
from disco.sources.files import tables
from disco.training.data import first_of_each_title

# Similar and dissimilar genres: the picture shows whether a space separates them.
GENRES = {
    "classical": "#1f3a93",
    "piano": "#5b8ff9",
    "sleep": "#9bd1ff",
    "black-metal": "#000000",
    "grindcore": "#7a7a7a",
    "hip-hop": "#d35400",
    "reggaeton": "#f5a623",
    "salsa": "#f7dc6f",
    "techno": "#8e44ad",
    "trance": "#c39bd3",
    "country": "#1e8449",
    "comedy": "#e91e63",
}


def main() -> None:
    """Draw the picture."""
    p = argparse.ArgumentParser(description="Draw a learned space by genre.")
    p.add_argument("tracks", type=Path)
    p.add_argument("--model", default="autoencoder", help="autoencoder or content, by name or folder")
    p.add_argument("--output", type=Path, required=True, metavar="FILE.png|.html")
    p.add_argument("--points", type=int, default=3000)
    arguments = p.parse_args()
    whole = tables.read(arguments.tracks)
    catalogue = whole.take(first_of_each_title(whole))
    genre = np.array([(genres or [""])[0] for genres in catalogue.table["genres"].to_pylist()])
    rng = np.random.default_rng(0)
    rows = np.flatnonzero(np.isin(genre, list(GENRES)) & catalogue.has_comparable_features)
    rows = np.sort(rng.permutation(rows)[: arguments.points])
    card = read_card(find_model(arguments.model), "recommender")
    embed = autoencoder.autoencoder_codes if card["method"] == "autoencoder" else content.embed_tracks
    space = embed(card, catalogue.take(rows))
    flat = TSNE(metric="cosine", init="random", perplexity=30, random_state=0).fit_transform(space)
    figure = go.Figure()
    for name, colour in GENRES.items():
        has_genre = genre[rows] == name
        marker = {"size": 4, "color": colour, "opacity": 0.75}
        figure.add_scatter(x=flat[has_genre, 0], y=flat[has_genre, 1], mode="markers", name=name, marker=marker)
    title = f"{card.name}: {len(rows):,} tracks of {len(GENRES)} genres, by t-SNE of the code"
    hidden = {"showgrid": False, "zeroline": False, "showticklabels": False}
    figure.update_layout(
        title=title, xaxis=hidden, yaxis=hidden, template="plotly_white", legend={"itemsizing": "constant"}
    )
    figure.update_layout(margin={"l": 10, "r": 10, "t": 50, "b": 10})
    if arguments.output.suffix == ".html":
        figure.write_html(arguments.output, include_plotlyjs="directory")
    else:
        figure.write_image(arguments.output, width=900, height=640)


if __name__ == "__main__":
    main()
