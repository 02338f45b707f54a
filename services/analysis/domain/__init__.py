"""Pure rules and values: what a media, a finding and a model set are, and what follows from them."""
