"""Failed work: what services could not do, for an operator."""
