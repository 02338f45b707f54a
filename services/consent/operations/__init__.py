"""Use cases of consent, each a function over the one bag of what it is handed (`dependencies`)."""
