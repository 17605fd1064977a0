"""Text as words and as vectors."""
