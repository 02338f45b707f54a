"""Commands about a person's photos: import, findings, search, ideas, erase."""
