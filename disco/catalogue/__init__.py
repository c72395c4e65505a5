"""Tracks in columns: the schema, the catalogue, its text search and its filters."""

from disco.catalogue.filters import Filters
from disco.catalogue.schema import FEATURES, SCHEMA
from disco.catalogue.search import Match
from disco.catalogue.table import Catalogue, Floats, Rows, merge

__all__ = ["FEATURES", "SCHEMA", "Catalogue", "Filters", "Floats", "Match", "Rows", "merge"]
