"""Load tests of the inference server, run by hand: `python -m tests.load.inference`; README.md has the method."""
