"""Load tests of an inference server: what is sent when, what came back when, and what that says.

Invariants:
    - Times of sending are set beforehand; latency counts from the time at which a request was due, not from the one
      at which it could be sent. A server that stands still is so charged with everybody whom it kept waiting
      (Tene, "How NOT to Measure Latency", 2013).
    - Everything is bounded in number and time, and goes to this machine alone unless somebody says otherwise.
    - Nothing here knows a service. The clock is handed in.
"""
