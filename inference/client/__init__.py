"""Asks the models on an inference server, so that neither the server nor those who ask come to harm.

Whoever asks gives tensors and says what answer would be usable; what comes back is such an answer or one of the
errors of `errors`. Between the two lie a limit of requests in flight, retries that a table allows, and a breaker for
each model. Nothing here knows what a model is for.
"""
