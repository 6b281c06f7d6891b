"""Measures durably, its peers and raw SQL on the same machine in the same run, and prints ratios.

    make bench                     three rounds on an embedded PostgreSQL with fsync on
    python -m bench --rounds 5 --only drain,latency
    python -m bench --dsn postgresql://...   (a server where databases may be created)

A contender measures one workload in a process of its own: `python -m bench.ours async drain URL N`.
"""
