"""Drawing of suggestions: which layouts, where each photo lies, and the pixels (Pillow)."""
