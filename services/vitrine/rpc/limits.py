"""How large messages may be."""

# Of a request. Larger ones are refused with a word on what to do.
MAX_MESSAGE_BYTES = 4 * 1024 * 1024
# Of an answer: what gRPC clients accept unless told otherwise, less room for the headers.
MAX_ANSWER_BYTES = 4 * 1024 * 1024 - 4096
