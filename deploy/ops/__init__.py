"""Operations of a cluster: what is wrong with it, and what to do."""
