"""The web console, in a real browser and by plain requests."""
