"""TensorRT engines: built on the GPU node that serves them, proven there, and known by what they were built for.

Invariants:
    * Precision is in the graph: what is handed to TensorRT is strongly typed, with FP16 only where it was measured.
    * An engine without its `manifest.json` is not there: it is written last, and a folder appears by one rename.
    * A plan is served only on the TensorRT version and the compute capability that its key names.
    * Nothing here needs a GPU but the building itself: what would be done can be printed anywhere.
"""
