"""Appends log entries to a real lock folder as fast as it can; prints each number once it is on the disk."""

from __future__ import annotations

import sys
from pathlib import Path

from lockagent.lockfolder import open_folder
from lockagent.records import LogRecord
from protocol import log
from protocol.entries import Entry, EntryType


def main() -> None:
    """Until killed."""
    lock = open_folder(Path(sys.argv[1]))
    boot = lock.store.boot()
    head = log.genesis(lock.secrets.identity.lock_id, boot.state.epoch)
    seq = 0
    if boot.records:
        newest = boot.records[-1]
        head, seq = log.link(newest.hash_before, newest.entry), newest.seq
    while True:
        seq += 1
        entry = Entry(seq, 0, EntryType.BOOT, None, (seq, 1)).encode()
        lock.store.append(boot.state.epoch, LogRecord(seq, head, entry))
        head = log.link(head, entry)
        print(seq, flush=True)


if __name__ == "__main__":
    main()
