"""The real engine in a simulated world: a seed is a run, and a run can be repeated.

    loop.py      an event loop with virtual time, whose order of events is drawn from the seed
    model.py     the database: the engine's transactions on in-memory tables, each a few lines
    audit.py     what must hold at each write, whatever the transaction's code says
    link.py      the store as a process sees it: latency, lost requests, lost answers, late commits, silence
    process.py   a process of an application: engine and leases; it crashes, freezes, blocks, stops, returns
    programs.py  the workflows, and how a seed makes some
    scenario.py  a seed's workflows and faults, run in two halves: faults all over, then none (it must end)
    checks.py    what must be true of a finished run
    mutants.py   planted bugs, which the checks must find

`python -m tests.simulation --seeds 10000` runs many seeds, `--seed 17` replays one and prints its trace.
The model is itself compared with PostgreSQL by test_model.py.
"""
