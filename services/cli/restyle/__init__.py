"""Command `restyle` and the files of generated pictures."""
