"""The servers of a one-machine stack; each can be started alone, as tests do.

Every part is started as its own process group on a loopback port, counts as ready only after a real
request was answered, and dies with the process that started it.
"""
