"""Rules and values of consent: pure, without a store, a key or a wire."""
