"""OpenTelemetry spans and metrics for the runs of limner."""
