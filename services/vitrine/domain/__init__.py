"""The vocabulary that all parts share. Plain values and NumPy columns; imports neither grpc nor protobuf."""
