"""Libraries that durably works with and does not need: a module for each, imported when it is used."""
