"""Servers of a one-machine stack; each can be started alone, as tests do.

Every part is started as its own process group on a loopback port, counts as ready only after a real
request was answered, and dies with the process that started it.

The servers' client libraries are imported where they are first used, not at the top: together they take longer to
load than the servers take to start, and so they load while the servers do.
"""
