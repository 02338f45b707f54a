"""Change feed: what a person has, told to their devices in order and without a gap."""
