"""Messages of `pellicule.consent.v1` and the domain's words: requests in, responses out."""
