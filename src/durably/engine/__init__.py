"""Runs workflows: claims them, replays what is recorded, performs the rest, hands outcomes to the writer.

    dispatcher   queues -> claimed workflows          executor   one attempt of one workflow
    run          one operation after another          leases     who is alive, whose work is free
    workers      threads for blocking user code       engine     wires the above to a store

May import store, codec, core, concurrency, errors, types, config. Clock, chance and store are given to it.
"""
