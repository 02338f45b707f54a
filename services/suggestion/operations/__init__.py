"""Use cases of the suggestion service: a verb and a noun each, handed what they need in one bag."""
