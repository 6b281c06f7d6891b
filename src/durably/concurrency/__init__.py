"""Where threads and loops meet, and nowhere else: portals, tickets, worlds.

Data crosses the line on the hot path (`Ticket`), coroutines only on the cold one (`Portal.call`).
May import only errors, types and config.
"""
