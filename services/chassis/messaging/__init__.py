"""Events between services: outbox, relay, bus, consumers and their inbox."""
