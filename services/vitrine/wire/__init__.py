"""Between protobuf messages and domain values: the only place that knows both."""
