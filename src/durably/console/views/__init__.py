"""What pages show, decided without I/O: `now` is given."""
