"""Computer vision: decoders, measures and the pipeline of models that a picture goes through."""
