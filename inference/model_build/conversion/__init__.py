"""Published weights in their own formats become ONNX graphs of our signature, with numpy and onnx alone.

Invariants:
    * No code that came with the weights is ever run: pickles resolve tensors only, other formats are parsed.
    * A recipe is a pure function of the bytes of the weights; it reads no file and no clock.
"""
