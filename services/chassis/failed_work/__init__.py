"""Failed work: items and events that are set aside, tried again, shown, and gone with their person."""
