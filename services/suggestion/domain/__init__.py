"""Pure rules of the suggestion service: from analyzed photos to ideas, and the life of a suggestion."""
