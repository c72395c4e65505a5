"""What several test modules share: catalogues, trained models, music, services, and the tests of each protocol."""
