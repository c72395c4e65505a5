"""Pictures of a playlist: its path through the music, its keys, how it runs, its joins, and a page with all of them.

Figures are returned, never shown. Titles, artists and names are untrusted, and Plotly reads a little
HTML in what it draws, so every text is made safe where it enters: `look.drawn` for figures, `look.written` for HTML.
"""

from disco.export.plot.curves import curves
from disco.export.plot.matrix import matrix
from disco.export.plot.page import page
from disco.export.plot.path import path
from disco.export.plot.wheel import wheel

__all__ = ["curves", "matrix", "page", "path", "wheel"]
