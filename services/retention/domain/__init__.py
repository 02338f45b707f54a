"""Rules and values of retention: keys, deadlines, orders, erasures; pure, without a store or a wire."""
