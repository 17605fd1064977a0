"""All protocols on all the data sets that are there, and one table of what came out: `make evaluate`."""
