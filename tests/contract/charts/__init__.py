"""The charts, held to Kubernetes, to the services, and to what we let into a cluster."""
