"""Commits rows one by one and prints each after its commit: `python -m tests.support.sqlite_writer`.

The acknowledgements are what a power cut must not take back. After the last commit it waits to be killed.
"""

import argparse
import signal

import apsw


def main() -> None:
    """Writes to the table `acknowledged` of the database, making it durable first."""
    parser = argparse.ArgumentParser()
    parser.add_argument("database")
    parser.add_argument("--writer", type=int, default=0)
    parser.add_argument("--journal", default="wal")
    parser.add_argument("--synchronous", default="full")
    parser.add_argument("--autocheckpoint", type=int, default=0, help="pages in the WAL; 0: none")
    parser.add_argument("--commits", type=int, default=1_000_000)
    options = parser.parse_args()

    connection = apsw.Connection(options.database)
    connection.set_busy_timeout(10_000)
    connection.pragma("synchronous", "extra")
    connection.pragma("journal_mode", options.journal)
    connection.execute("create table if not exists acknowledged (writer, number, filler)")
    connection.pragma("synchronous", options.synchronous)
    connection.wal_autocheckpoint(options.autocheckpoint)
    for number in range(options.commits):
        connection.execute("insert into acknowledged values (?, ?, zeroblob(500))", (options.writer, number))
        print(number, flush=True)
    signal.pause()


if __name__ == "__main__":
    main()
