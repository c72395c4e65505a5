"""How good it is: metrics, protocols, baselines, and how playlists are split."""
