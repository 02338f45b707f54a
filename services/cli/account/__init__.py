"""Commands about all that is kept of a person: usage, open uploads, devices, erasure."""
