"""Rules and values of the service: what may come in, what is wanted first, and how it is described."""
