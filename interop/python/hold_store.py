"""Holds a database of SQLite as a backup does that has stopped, until standard input ends."""

import sqlite3
import sys

database = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=10)
database.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
