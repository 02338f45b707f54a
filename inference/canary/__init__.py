"""Canary: known inputs sent to a running server, the only readiness that a dead model process cannot fake.

With a dead model process a server calls itself live and ready, and every model of it ready, while each request fails.
Those who wait for a server, or move callers to it, ask here. Needs neither ONNX nor a GPU.
"""
