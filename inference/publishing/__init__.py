"""Whole model repositories in a bucket, for servers that build nothing themselves.

A repository is published under a name that says what is in it, and is never changed: another content is another name,
so that a server is moved to it, and back, by naming it. Needs neither ONNX nor a GPU.
"""
