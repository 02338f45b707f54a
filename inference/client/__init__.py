"""Client of an inference server, built so that neither the server nor its callers come to harm.

The caller gives tensors and says which outputs would be usable; what comes back is such outputs or one of the errors
of `errors`. Between the two lie a limit of requests in flight, retries that a table allows, and a circuit breaker for
each model. Nothing here knows what a model is for.
"""
