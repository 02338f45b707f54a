"""Translation between messages and use cases: requests, analyses and streams, and what services tell."""
