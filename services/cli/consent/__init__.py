"""Commands about a person's consent: where every purpose stands, decisions, withdrawal."""
