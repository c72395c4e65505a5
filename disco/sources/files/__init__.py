"""Files that tables and playlists come in."""
