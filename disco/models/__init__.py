"""Models: cards, the scaler, networks, predictors and recommenders."""
