"""Telemetry: traces, measurements and log lines over OTLP, and nothing at all where no endpoint is set."""
