"""Use cases of the service: what a person, another service or the clock asks of it."""
