"""The inference side: models, their repository, and how they are built."""
