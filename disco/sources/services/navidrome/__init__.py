"""Navidrome, and any server that speaks OpenSubsonic: its songs found, and playlists made there."""
