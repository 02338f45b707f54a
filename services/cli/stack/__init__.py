"""Commands about the stack on this machine: start, stop, status, tokens."""
