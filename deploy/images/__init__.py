"""Container images: how they are built, what is in them, and how anybody can check that."""
