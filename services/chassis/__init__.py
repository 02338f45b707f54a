"""Microservice chassis that every Pellicule service stands on.

It knows no product concept: no consent, no media, no purposes. It imports no service and no product
contract. Invariants: the clock is always injected; nothing happens at import time; plaintext, tokens and
personal data never reach a log line, a trace or an error message.
"""
