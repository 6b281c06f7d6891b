"""The command line, as a shell sees it: real processes, a real server, exit codes."""
