"""The command as a process: at a terminal, in a script, asked by a shell."""
