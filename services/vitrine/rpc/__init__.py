"""The server side of gRPC: errors to statuses, health, reflection, metrics, graceful stop."""
