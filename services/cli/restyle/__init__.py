"""The command `restyle` and the files of generated pictures."""
