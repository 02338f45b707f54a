"""Whole stack on one machine: real servers from installed packages, started, watched and stopped here.

Everything that a stack keeps lies under one folder (`$PELLICULE_HOME`); another folder is another stack.
Nothing listens beyond loopback unless its operator says so, and nothing outlives the supervisor.
"""
