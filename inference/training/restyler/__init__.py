"""Restyler training: painters of our own paint photos, and a network learns to paint like them from noise.

    deploy/train            everything: environment, photos, paintings, training, export, figures
    deploy/train --smoke    the same in small, in about a minute

Only this package needs PyTorch (the extra `training`); what it makes is an ONNX file that anything can run.
"""
