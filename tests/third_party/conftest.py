"""Packages of other people: each has its tests, which run where it is installed (`test_third_party.py`)."""

collect_ignore_glob = ["*"]
