"""The command `durably`: drives any DBOS system database, and runs durably's applications.

    main         assembles the groups; the entry point
    command      what every command has: the options of a dataclass as options, errors as exit codes
    connection   which database is meant, and a client of it
    output       one JSON document, tables for people, tab-separated text for pipes
    failures     the exit codes, and the lines on stderr that go with them
    worker, enqueue, messages, workflow, db, demo
                 one group of commands each

Everything but `worker`, `demo` and `db` speaks through the client alone, so it works on databases of DBOS
applications in any language, with every worker down. Nothing slow is imported before a command needs it.
"""
