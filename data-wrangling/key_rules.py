"""Draw the key rules as tables of 24 x 24 transitions.

BROWSER_PATH=/usr/bin/chromium python data-wrangling/key_rules.py --output docs/images/keys.png
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
from figures import _DIVERGING as DIVERGING
from figures import INK, SOFT, _layout
from PIL import Image
from plotly.subplots import make_subplots

from disco.playlist.key_rules import KEY_RULES, key_rule

# The tables start at 8B, the Camelot wheel at 1.
_ORDER = np.r_[(np.arange(12) + 5) % 12, 12 + (np.arange(12) + 5) % 12]
_NAMES = [f"{number}{letter}" for letter in "BA" for number in range(1, 13)]
_DESCRIPTIONS = {
    "fifths": "the published DISCO (taylorhawks, RNN-music-recommender)",
    "camelot": "Mixed In Key's wheel: same, one up or down, other letter",
    "camelot-wide": "with the diagonals (Mixxx, issue 16362)",
    "tonal": "correlated probe tones (Krumhansl & Kessler 1982)",
}


def rules() -> go.Figure:
    """The four rules in two rows; a dot marks an allowed transition."""
    heads = [f"<b>{name}</b>  {_DESCRIPTIONS[name]}" for name in KEY_RULES]
    figure = make_subplots(2, 2, subplot_titles=heads, horizontal_spacing=0.06, vertical_spacing=0.08)
    figure.update_layout(_layout(height=1120, width=1100, margin={"l": 50, "r": 20, "t": 50, "b": 90}))
    for i, name in enumerate(KEY_RULES):
        at, rule = {"row": i // 2 + 1, "col": i % 2 + 1}, key_rule(name)
        table, allowed = (values[np.ix_(_ORDER, _ORDER)] for values in (rule.similarity, rule.compatible))
        figure.add_heatmap(
            z=table, x=_NAMES, y=_NAMES, zmin=-1, zmax=1, colorscale=DIVERGING, xgap=1, ygap=1, showscale=i == 0,
            colorbar={
                "orientation": "h", "y": -0.05, "yanchor": "top", "x": 0.5, "len": 0.4, "thickness": 10,
                "outlinewidth": 0, "tickvals": [-1, 0, 1], "ticktext": ["−1 clashes", "0", "1 harmonises"],
            },
            **at,
        )  # fmt: skip
        rows, columns = np.nonzero(allowed)
        dots = {"mode": "markers", "marker": {"size": 4.5, "color": INK}}
        figure.add_scatter(x=[_NAMES[k] for k in columns], y=[_NAMES[k] for k in rows], **dots, **at)
    axis = {"type": "category", "showgrid": False, "zeroline": False, "showline": False, "ticks": ""}
    figure.update_xaxes(**axis, tickfont={"size": 10, "color": SOFT}, tickangle=0, dtick=1)
    figure.update_yaxes(**axis, tickfont={"size": 10, "color": SOFT}, autorange="reversed", dtick=1)
    for heading in figure.layout.annotations:
        heading.update(font={"size": 12, "color": INK})
    figure.add_annotation(
        text="from the key of a row to that of a column; a dot: allowed", x=0, y=-0.06, xref="paper", yref="paper",
        xanchor="left", yanchor="top", showarrow=False, font={"size": 12, "color": SOFT},
    )  # fmt: skip
    return figure


def main() -> None:
    """Draw the picture."""
    p = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    p.add_argument("--output", type=Path, required=True, metavar="FILE.png|.html")
    where = p.parse_args().output
    if where.suffix == ".html":
        rules().write_html(where)
    else:
        picture = Image.open(io.BytesIO(rules().to_image("png", scale=1.2))).convert("RGB")
        picture.quantize(256, dither=Image.Dither.NONE).save(where, optimize=True)


if __name__ == "__main__":
    main()
